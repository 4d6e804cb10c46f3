#include "base/auto.h"
#include "base/mem.h"
#include "cli/folder.h"
#include "tests/support/test.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static void a_folder_goes_with_all_that_is_in_it_but_not_with_what_links_point_to(void **state)
{
    (void)state;
    err_t err;
    AUTO_FREE char *folder = folder_make_temporary(&err);
    AUTO_FREE char *kept = folder_make_temporary(&err);
    AUTO_FREE char *inner = xasprintf("%s/inner", folder);
    AUTO_FREE char *file = xasprintf("%s/inner/file", folder);
    AUTO_FREE char *link = xasprintf("%s/inner/link", folder);
    AUTO_FREE char *kept_file = xasprintf("%s/file", kept);
    assert_int_equal(mkdir(inner, 0700), 0);
    assert_int_equal(folder_write(file, "text", &err), 0);
    assert_int_equal(folder_write(kept_file, "text", &err), 0);
    assert_int_equal(symlink(kept, link), 0);
    folder_remove(folder);
    assert_int_equal(access(folder, F_OK), -1);
    assert_int_equal(access(kept_file, F_OK), 0);
    folder_remove(kept);
    folder_remove(kept); /* what is not there is no error */
}

static void a_tail_is_the_end_of_a_file(void **state)
{
    (void)state;
    err_t err;
    AUTO_FREE char *folder = folder_make_temporary(&err);
    AUTO_FREE char *file = xasprintf("%s/file", folder);
    assert_int_equal(folder_write(file, "0123456789", &err), 0);
    AUTO_FREE char *tail = folder_read_tail(file, 4);
    AUTO_FREE char *all = folder_read_tail(file, 400);
    assert_string_equal(tail, "6789");
    assert_string_equal(all, "0123456789");
    folder_remove(folder);
    assert_null(folder_read_tail(file, 4));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_folder_goes_with_all_that_is_in_it_but_not_with_what_links_point_to),
        cmocka_unit_test(a_tail_is_the_end_of_a_file),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
