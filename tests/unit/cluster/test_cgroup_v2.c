/* Dividing our cgroup, on plain files in place of the kernel's. */
#include "services/cluster/cgroup_v2.h"

#include "base/auto.h"
#include "base/mem.h"

#include "tests/support/test.h"

#include <ftw.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static char s_root[64];

static void write_text(const char *name, const char *text)
{
    AUTO_FREE char *path = xasprintf("%s/%s", s_root, name);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

static char *read_text(const char *name)
{
    char *text = xcalloc(1, 256);
    AUTO_FREE char *path = xasprintf("%s/%s", s_root, name);
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    text[fread(text, 1, 255, file)] = '\0';
    fclose(file);
    return text;
}

static int set_up(void **state)
{
    (void)state;
    snprintf(s_root, sizeof(s_root), "/tmp/cgroup-test-XXXXXX");
    assert_non_null(mkdtemp(s_root));
    AUTO_FREE char *own = xasprintf("%s/own", s_root);
    assert_int_equal(mkdir(own, 0755), 0);
    write_text("cgroup.controllers", "cpuset cpu io memory pids\n");
    write_text("own/cgroup.controllers", "cpu memory pids\n");
    write_text("own/cgroup.subtree_control", "");
    write_text("own/cgroup.procs", "");
    return 0;
}

static int remove_entry(const char *path, const struct stat *info, int type, struct FTW *where)
{
    (void)info, (void)type, (void)where;
    return remove(path);
}

static int tear_down(void **state)
{
    (void)state;
    return nftw(s_root, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
}

static void controllers_are_given_to_children(void **state)
{
    (void)state;
    assert_int_equal(cgroup_v2_prepare(s_root, "0::/own\n", NULL), 0);

    AUTO_FREE char *given = read_text("own/cgroup.subtree_control");
    assert_string_equal(given, "+cpu +memory +pids");
}

/* The second start finds itself in the leaf that the first made. */
static void our_own_leaf_is_not_divided_again(void **state)
{
    (void)state;
    write_text("own/cgroup.subtree_control", "cpu memory pids\n");

    assert_int_equal(cgroup_v2_prepare(s_root, "0::/own/aiopslab-services\n", NULL), 0);

    AUTO_FREE char *given = read_text("own/cgroup.subtree_control");
    assert_string_equal(given, "cpu memory pids\n");
}

static void what_is_not_offered_is_told(void **state)
{
    (void)state;
    err_t err = {0};
    write_text("own/cgroup.controllers", "cpuset memory pids\n");

    assert_int_equal(
        cgroup_v2_prepare(s_root, "1:name=systemd:/x\n0::/own\n", &err), -ERR_UNAVAILABLE);

    assert_string_equal(
        err.text, "the cgroup '/own' has not all of the controllers cpu, memory and pids to give");
}

static void version_1_is_left_alone(void **state)
{
    (void)state;
    AUTO_FREE char *path = xasprintf("%s/cgroup.controllers", s_root);
    assert_int_equal(unlink(path), 0);

    assert_int_equal(cgroup_v2_prepare(s_root, "4:memory:/own\n0::/own\n", NULL), 0);

    AUTO_FREE char *given = read_text("own/cgroup.subtree_control");
    assert_string_equal(given, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(controllers_are_given_to_children, set_up, tear_down),
        cmocka_unit_test_setup_teardown(our_own_leaf_is_not_divided_again, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_is_not_offered_is_told, set_up, tear_down),
        cmocka_unit_test_setup_teardown(version_1_is_left_alone, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
