#include "base/auto.h"
#include "base/mem.h"
#include "base/paths.h"
#include "tests/support/folder.h"
#include "tests/support/test.h"

#include <sys/stat.h>
#include <unistd.h>

static int set_up(void **state)
{
    char template[] = "/tmp/test-paths-XXXXXX";
    *state = xstrdup(mkdtemp(template));
    return 0;
}

static int tear_down(void **state)
{
    int rc = folder_remove(*state);
    free(*state);
    return rc;
}

static mode_t mode_of(const char *path)
{
    struct stat status = {0};
    stat(path, &status);
    return status.st_mode & 0777;
}

static void the_run_folder_is_made_for_us_alone(void **state)
{
    AUTO_FREE char *wanted = xasprintf("%s/deep/run", (char *)*state);
    setenv("AIOPSLAB_RUN", wanted, 1);
    AUTO_FREE char *path = paths_run_dir(NULL);
    assert_string_equal(path, wanted);
    assert_int_equal(mode_of(path), 0700);
}

static void a_folder_open_to_others_is_closed(void **state)
{
    AUTO_FREE char *wanted = xasprintf("%s/state", (char *)*state);
    mkdir(wanted, 0777);
    chmod(wanted, 0777);
    setenv("AIOPSLAB_STATE", wanted, 1);
    AUTO_FREE char *path = paths_state_dir(NULL);
    assert_int_equal(mode_of(path), 0700);
}

static void the_run_folder_is_below_the_users_runtime_folder(void **state)
{
    unsetenv("AIOPSLAB_RUN");
    setenv("XDG_RUNTIME_DIR", *state, 1);
    AUTO_FREE char *path = paths_run_dir(NULL);
    AUTO_FREE char *wanted = xasprintf("%s/aiopslab", (char *)*state);
    assert_string_equal(path, wanted);
}

static void a_file_in_the_way_is_told(void **state)
{
    AUTO_FREE char *wanted = xasprintf("%s/file", (char *)*state);
    fclose(fopen(wanted, "w"));
    setenv("AIOPSLAB_RUN", wanted, 1);
    err_t err;
    assert_null(paths_run_dir(&err));
    assert_non_null(strstr(err.text, "is not a folder"));
}

static void programs_are_beside_the_running_one(void **state)
{
    (void)state;
    unsetenv("AIOPSLAB_BIN");
    AUTO_FREE char *path = paths_bin_dir();
    AUTO_FREE char *own = xasprintf("%s/test_paths", path);
    assert_int_equal(access(own, X_OK), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_run_folder_is_made_for_us_alone, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_folder_open_to_others_is_closed, set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            the_run_folder_is_below_the_users_runtime_folder, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_file_in_the_way_is_told, set_up, tear_down),
        cmocka_unit_test(programs_are_beside_the_running_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
