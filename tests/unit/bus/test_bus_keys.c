#include "base/auto.h"
#include "base/mem.h"
#include "bus/keys.h"
#include "tests/support/folder.h"
#include "tests/support/test.h"

#include <libgen.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zmq.h>

#define TEST(rule) cmocka_unit_test_setup_teardown(rule, set_up, tear_down)

static int set_up(void **state)
{
    char template[] = "/tmp/test-keys-XXXXXX";
    *state = xasprintf("%s/keys", mkdtemp(template));
    return keys_ensure(*state, NULL);
}

static int tear_down(void **state)
{
    int rc = folder_remove(dirname(*state));
    free(*state);
    return rc;
}

static void write_file(const char *folder, const char *name, const char *text)
{
    AUTO_FREE char *path = xasprintf("%s/%s", folder, name);
    FILE *file = fopen(path, "w");
    fputs(text, file);
    fclose(file);
    chmod(path, 0600);
}

static const char *role_of(const char *folder, const char *text, char *name)
{
    uint8_t key[KEY_SIZE];
    assert_non_null(zmq_z85_decode(key, text));
    return keys_authorized(folder, key, name);
}

static void the_keys_of_each_role_are_made_and_authorized(void **state)
{
    keys_pair_t pair;
    char name[KEY_NAME_LIMIT + 1];
    assert_int_equal(keys_load(*state, "agent", &pair, NULL), 0);
    assert_string_equal(role_of(*state, pair.public_text, name), "agent");
    assert_string_equal(name, "agent");
    assert_int_equal(keys_load(*state, "service", &pair, NULL), 0);
    assert_string_equal(role_of(*state, pair.public_text, name), "service");
}

static void keys_that_are_there_stay(void **state)
{
    keys_pair_t before;
    keys_pair_t after;
    keys_load(*state, "broker", &before, NULL);
    assert_int_equal(keys_ensure(*state, NULL), 0);
    keys_load(*state, "broker", &after, NULL);
    assert_string_equal(before.secret_text, after.secret_text);
    assert_string_equal(before.public_text, after.public_text);
}

static void a_key_shut_out_stays_out(void **state)
{
    keys_pair_t pair;
    char name[KEY_NAME_LIMIT + 1];
    AUTO_FREE char *path = xasprintf("%s/authorized/agent/agent.public", (char *)*state);
    unlink(path);
    assert_int_equal(keys_ensure(*state, NULL), 0);
    keys_load(*state, "agent", &pair, NULL);
    assert_null(role_of(*state, pair.public_text, name));
}

static void another_agent_is_let_in_by_its_file(void **state)
{
    char public_text[KEY_TEXT_SIZE];
    char secret_text[KEY_TEXT_SIZE];
    char name[KEY_NAME_LIMIT + 1];
    zmq_curve_keypair(public_text, secret_text);
    assert_null(role_of(*state, public_text, name));
    write_file(*state, "authorized/agent/red-team.public", public_text);
    assert_string_equal(role_of(*state, public_text, name), "agent");
    assert_string_equal(name, "red-team");
}

static void a_file_with_an_odd_name_lets_nobody_in(void **state)
{
    char public_text[KEY_TEXT_SIZE];
    char secret_text[KEY_TEXT_SIZE];
    char name[KEY_NAME_LIMIT + 1];
    zmq_curve_keypair(public_text, secret_text);
    write_file(*state, "authorized/agent/a:b.public", public_text);
    write_file(*state, "authorized/agent/key", public_text);
    assert_null(role_of(*state, public_text, name));
}

static void what_is_not_a_key_is_told(void **state)
{
    keys_pair_t pair;
    err_t err;
    write_file(*state, "agent.secret", "too short\n");
    assert_int_equal(keys_load(*state, "agent", &pair, &err), -ERR_INVALID);
    assert_int_equal(keys_load(*state, "nobody", &pair, &err), -ERR_NOT_FOUND);
}

static void the_local_pair_stays_unless_it_is_cut_off(void **state)
{
    keys_pair_t first;
    keys_pair_t second;
    assert_int_equal(keys_ensure_local(*state, &first, NULL), 0);
    assert_int_equal(keys_ensure_local(*state, &second, NULL), 0);
    assert_string_equal(first.secret_text, second.secret_text);
    write_file(*state, "broker.secret", "");
    assert_int_equal(keys_ensure_local(*state, &second, NULL), 0);
    assert_string_not_equal(first.secret_text, second.secret_text);
    char public_text[KEY_TEXT_SIZE];
    assert_int_equal(keys_load_public(*state, "broker", public_text, NULL), 0);
    assert_string_equal(public_text, second.public_text);
}

static void a_local_agents_name_is_no_files_name(void **state)
{
    (void)state;
    uint8_t key[KEY_SIZE] = {0x0f, 0xf0};
    char name[KEY_NAME_LIMIT + 1];
    keys_local_name(key, name);
    assert_string_equal(name, "local.0ff00000000000000000000000000000");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_keys_of_each_role_are_made_and_authorized),
        TEST(keys_that_are_there_stay),
        TEST(a_key_shut_out_stays_out),
        TEST(another_agent_is_let_in_by_its_file),
        TEST(a_file_with_an_odd_name_lets_nobody_in),
        TEST(what_is_not_a_key_is_told),
        TEST(the_local_pair_stays_unless_it_is_cut_off),
        TEST(a_local_agents_name_is_no_files_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
