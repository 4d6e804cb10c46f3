#include "base/auto.h"
#include "proto/messages.h"
#include "tests/support/test.h"

#include <string.h>

static char *encode(const codec_type_t *type, const void *message, size_t *size_p)
{
    char *bytes = NULL;
    assert_int_equal(codec_encode(type, message, &bytes, size_p, NULL), 0);
    return bytes;
}

static void what_is_encoded_is_decoded(void **state)
{
    (void)state;
    json_auto_t *params = json_pack("{s:s,s:[i,b]}", "image", "x:y", "list", 1, 1);
    char *targets[] = {(char *)"geo", (char *)"rate"};
    fault_inject_t sent = {.fault_id = "f",
        .fault = "misconfig_app",
        .env = "e",
        .namespace = "n",
        .targets = {targets, 2},
        .params = params,
        .seed = -7};
    size_t size = 0;
    AUTO_FREE char *bytes = encode(&fault_inject_type, &sent, &size);
    void *message = NULL;
    assert_int_equal(codec_decode(&fault_inject_type, bytes, size, &message, NULL), 0);
    fault_inject_t *got = message;
    assert_string_equal(got->fault, "misconfig_app");
    assert_int_equal(got->targets.count, 2);
    assert_string_equal(got->targets.items[1], "rate");
    assert_true(json_equal(got->params, params));
    assert_int_equal(got->seed, -7);
    codec_free(&fault_inject_type, message);
}

static void bytes_keep_their_zeros(void **state)
{
    (void)state;
    env_put_t sent = {.env = "e", .path = "p", .content = {"a\0b", 3}};
    size_t size = 0;
    AUTO_FREE char *bytes = encode(&env_put_type, &sent, &size);
    void *message = NULL;
    assert_int_equal(codec_decode(&env_put_type, bytes, size, &message, NULL), 0);
    const env_put_t *got = message;
    assert_int_equal(got->content.size, 3);
    assert_memory_equal(got->content.bytes, "a\0b", 3);
    codec_free(&env_put_type, message);
}

static void a_missing_field_is_refused_by_name(void **state)
{
    (void)state;
    err_t err = {0};
    void *message = NULL;
    assert_int_equal(codec_decode(&env_get_type, "\x80", 1, &message, &err), -ERR_INVALID);
    assert_string_equal(err.text, "env.get: 'env' is missing");
}

static void a_wrong_type_is_refused_by_name(void **state)
{
    (void)state;
    err_t err = {0};
    void *message = NULL;
    assert_int_equal(
        codec_decode(&env_get_type, "\x81\xa3\x65nv\x01", 6, &message, &err), -ERR_INVALID);
    assert_string_equal(err.text, "env.get: 'env' is not what it should be");
}

static void an_unknown_field_is_skipped(void **state)
{
    (void)state;
    void *message = NULL;
    static const char bytes[] = "\x82\xa3new\x93\x01\x02\x03\xa3\x65nv\xa1\x65";
    assert_int_equal(codec_decode(&env_get_type, bytes, sizeof(bytes) - 1, &message, NULL), 0);
    codec_free(&env_get_type, message);
}

static void an_unset_field_cannot_be_sent(void **state)
{
    (void)state;
    err_t err = {0};
    char *bytes = NULL;
    size_t size = 0;
    assert_int_equal(
        codec_encode(&env_get_type, &(env_get_t){0}, &bytes, &size, &err), -ERR_INVALID);
    assert_string_equal(err.text, "env.get: 'env' is not set");
}

static void a_claim_that_the_input_cannot_hold_is_refused(void **state)
{
    (void)state;
    void *message = NULL;
    assert_int_equal(
        codec_decode(&env_get_type, "\xdd\x83\xa5\x66\x66\xc0", 6, &message, NULL), -ERR_INVALID);
}

static void every_type_is_found_by_its_name_only(void **state)
{
    (void)state;
    size_t count;
    size_t found = 0;
    const codec_type_t *const *types = codec_types(&count);
    for (size_t i = 0; i < count; i++)
        found += codec_find(types[i]->name, strlen(types[i]->name)) == types[i] ? 1 : 0;
    assert_int_equal(found, count);
    assert_null(codec_find("env.creat", 9));
    assert_null(codec_find("env.createx", 11));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_encoded_is_decoded),
        cmocka_unit_test(bytes_keep_their_zeros),
        cmocka_unit_test(a_missing_field_is_refused_by_name),
        cmocka_unit_test(a_wrong_type_is_refused_by_name),
        cmocka_unit_test(an_unknown_field_is_skipped),
        cmocka_unit_test(an_unset_field_cannot_be_sent),
        cmocka_unit_test(a_claim_that_the_input_cannot_hold_is_refused),
        cmocka_unit_test(every_type_is_found_by_its_name_only),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
