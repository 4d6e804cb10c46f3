/* Files of volumes, put in place all at once. */
#include "services/cluster/env/kubelet/payload.h"

#include "base/auto.h"
#include "base/mem.h"

#include "tests/support/test.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static char s_folder[64];

static int set_up(void **state)
{
    (void)state;
    snprintf(s_folder, sizeof(s_folder), "/tmp/payload-test-XXXXXX");
    return mkdtemp(s_folder) ? 0 : -1;
}

static int remove_entry(const char *path, const struct stat *info, int type, struct FTW *where)
{
    (void)info, (void)type, (void)where;
    return remove(path);
}

static int tear_down(void **state)
{
    (void)state;
    return nftw(s_folder, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
}

static void write_one(const char *path, const char *text)
{
    payload_t payload = {0};
    payload_add(&payload, path, xstrdup(text), strlen(text), 0640);
    assert_int_equal(payload_write(&payload, s_folder, 0, NULL), 0);
    payload_done(&payload);
}

static char *read_file(const char *name)
{
    char *text = xcalloc(1, 256);
    AUTO_FREE char *path = xasprintf("%s/%s", s_folder, name);
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    text[fread(text, 1, 255, file)] = '\0';
    fclose(file);
    return text;
}

static char *data_folder(void)
{
    AUTO_FREE char *path = xasprintf("%s/..data", s_folder);
    return realpath(path, NULL);
}

static void files_are_links_by_way_of_data(void **state)
{
    (void)state;
    struct stat info;
    write_one("deep/down", "text");

    AUTO_FREE char *text = read_file("deep/down");
    AUTO_FREE char *path = xasprintf("%s/deep", s_folder);
    assert_string_equal(text, "text");
    assert_int_equal(lstat(path, &info), 0);
    assert_true(S_ISLNK(info.st_mode));
}

static void what_is_the_same_is_left_alone(void **state)
{
    (void)state;
    write_one("a", "text");
    AUTO_FREE char *before = data_folder();
    write_one("a", "text");
    AUTO_FREE char *after = data_folder();
    assert_string_equal(before, after);
}

static void a_change_replaces_everything(void **state)
{
    (void)state;
    write_one("a", "one");
    AUTO_FREE char *before = data_folder();
    write_one("b", "two");
    AUTO_FREE char *text = read_file("b");
    AUTO_FREE char *gone = xasprintf("%s/a", s_folder);
    assert_string_equal(text, "two");
    assert_int_not_equal(access(gone, F_OK), 0);
    assert_int_not_equal(access(before, F_OK), 0);
}

static void a_path_that_leads_out_is_left_out(void **state)
{
    (void)state;
    payload_t payload = {0};
    payload_add(&payload, "../x", xstrdup(""), 0, 0644);
    payload_add(&payload, "a/../../x", xstrdup(""), 0, 0644);
    payload_add(&payload, "/x", xstrdup(""), 0, 0644);
    assert_int_equal(payload.count, 0);
    payload_done(&payload);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(files_are_links_by_way_of_data, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_is_the_same_is_left_alone, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_change_replaces_everything, set_up, tear_down),
        cmocka_unit_test(a_path_that_leads_out_is_left_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
