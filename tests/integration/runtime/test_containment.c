/* What a container cannot do, see or reach. */
#include "tests/integration/runtime/world.h"

#include "base/auto.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Calls of the kernel that a shell has no words for. */
static void a_container_cannot_reach_into_the_kernel(void **state)
{
    world_t *self = *state;
    run_script(self,
        "exec python3 -c 'import ctypes\nc=ctypes.CDLL(None,use_errno=True)\n"
        "for n,a in (250,3),(321,0),(272,0x10000000),(56,0x10000000),(425,8),(175,0),(227,0),"
        "(304,0),(246,0),(298,0),(435,0):\n"
        " c.syscall(n,a,0,0,0,0,0); print(n,ctypes.get_errno())'");
    assert_string_equal(self->output, "250 1\n321 1\n272 1\n56 1\n425 1\n175 1\n227 1\n304 1\n246 "
                                      "1\n298 1\n435 38\n");
}

static void a_container_has_the_capabilities_it_was_given(void **state)
{
    world_t *self = *state;
    self->config.security.capabilities = 1 << 10;
    self->config.security.has_no_new_privileges = true;
    run_script(self, "grep -E \"^(CapBnd|CapEff|NoNewPrivs|Seccomp):\" /proc/self/status");
    assert_string_equal(self->output, "CapEff:\t0000000000000400\nCapBnd:\t0000000000000400\n"
                                      "NoNewPrivs:\t1\nSeccomp:\t2\n");
}

static void a_container_runs_as_whom_it_is_told(void **state)
{
    world_t *self = *state;
    static const gid_t groups[] = {2000};
    if (getuid() != 0 || geteuid() != 0
        || strcmp(
               json_string_value(json_object_get(runtime_features(self->runtime), "user")), "root")
               != 0)
        skip(); /* a user namespace of one user */
    self->config.security.uid = 1000;
    self->config.security.gid = 1001;
    self->config.security.groups = groups;
    self->config.security.group_count = 1;
    run_script(self, "id -u; id -G; cat /etc/shadow; echo 1 > /proc/sys/kernel/hostname");
    assert_memory_equal(self->output, "1000\n1001 2000\n", 15);
    assert_non_null(strstr(self->output, "Read-only file system"));
}

static void the_kernels_secrets_are_masked(void **state)
{
    world_t *self = *state;
    run_script(self, "wc -c < /proc/keys; wc -c < /proc/timer_list; ls -A /proc/scsi | wc -l; "
                     "echo 1 > /proc/sys/vm/drop_caches; ls /sys");
    assert_memory_equal(self->output, "0\n0\n", 4);
    assert_non_null(strstr(self->output, "drop_caches: Read-only file system"));
    assert_non_null(strstr(self->output, "/sys"));
}

static void what_is_hidden_is_empty(void **state)
{
    world_t *self = *state;
    run_script(self, "ls -A /usr/share/doc | wc -l; touch /usr/share/doc/x");
    assert_memory_equal(self->output, "0\n", 2);
    assert_non_null(strstr(self->output, "Read-only file system"));
}

static void a_read_only_root_has_its_writable_mounts(void **state)
{
    world_t *self = *state;
    rootfs_mount_t mount = {.source = "/tmp", .sub_path = "w", .target = "/w"};
    self->config.mounts = &mount;
    self->config.mount_count = 1;
    self->config.is_root_read_only = true;
    run_script(self, "touch /x /tmp/x /w/x /dev/shm/x 2>&1 | sort; ls /w");
    assert_string_equal(self->output, "touch: cannot touch '/tmp/x': Read-only file system\n"
                                      "touch: cannot touch '/x': Read-only file system\nx\n");
}

/* A pod that puts a link where a later mount goes, or in the way of a sub-path. */
static void links_do_not_lead_out_of_a_container(void **state)
{
    world_t *self = *state;
    assert_true(mkdir("/tmp/volume", 0755) == 0 || errno == EEXIST);
    assert_true(symlink("/", "/tmp/volume/out") == 0 || errno == EEXIST);
    assert_true(symlink("../../../..", "/tmp/volume/up") == 0 || errno == EEXIST);
    rootfs_mount_t mounts[] = {
        {.source = "/tmp/volume", .sub_path = "out", .target = "/a"},
        {.source = "/tmp/volume", .sub_path = "up", .target = "/b"},
        {.source = "/tmp/volume", .target = "/v"},
        {.source = "/tmp/volume", .target = "/v/out/made-by-mount"},
    };
    self->config.mounts = mounts;
    self->config.mount_count = ARRAY_SIZE(mounts);
    run_script(self, "ls /a; ls /b; ls -d /made-by-mount");
    assert_string_equal(self->output, "out\nup\nout\nup\n/made-by-mount\n");
    assert_int_not_equal(access("/made-by-mount", F_OK), 0);
}

static int run(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(
            a_container_cannot_reach_into_the_kernel, set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            a_container_has_the_capabilities_it_was_given, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_container_runs_as_whom_it_is_told, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_kernels_secrets_are_masked, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_is_hidden_is_empty, set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            a_read_only_root_has_its_writable_mounts, set_up, tear_down),
        cmocka_unit_test_setup_teardown(links_do_not_lead_out_of_a_container, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

int main(void)
{
    return world_main(run);
}
