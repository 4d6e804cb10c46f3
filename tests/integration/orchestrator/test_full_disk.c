/* A disk that is really full: a small one of our own, in a mount namespace. */
#include "base/auto.h"
#include "base/mem.h"
#include "tests/integration/orchestrator/cast.h"
#include "tests/support/namespaces.h"

#include <fcntl.h>
#include <sys/mount.h>
#include <unistd.h>

#define TEST(rule) cmocka_unit_test_setup_teardown(rule, cast_set_up, cast_tear_down)

#define NOOP   "noop_detection_hotel_reservation-1"
#define FILLER "/media/filler"

/* Takes all that is left. */
static void fill(void)
{
    static const char block[4096];
    int fd = open(FILLER, O_WRONLY | O_CREAT | O_APPEND, 0600);
    assert_true(fd >= 0);
    while (write(fd, block, sizeof(block)) > 0)
        continue;
    close(fd);
}

static void a_full_results_disk_loses_nothing(void **state)
{
    cast_t *cast = *state;
    const char *results = "/mnt/results";
    assert_int_equal(mount("tmpfs", "/mnt", "tmpfs", 0, "size=8k"), 0);
    const char *session = cast_open(
        cast, &(session_open_t){.problem = NOOP, .agent = "test", .results_dir = results});
    cast_run(cast, 3000);
    for (int64_t step = 1; step < 30; step++)
        cast_act(
            cast, session, step, "exec_shell(\"echo a rather long command, so that it adds up\")");
    cast_act(cast, session, 30, "submit(\"No\")");
    cast_run(cast, 200);
    const char *end = cast_state(cast, session);
    assert_memory_equal(end, "closed: cannot write '/mnt/results/", 35);
    assert_non_null(strstr(end, "No space left on device; session.result still tells it"));
    json_auto_t *result = cast_result(cast, session);
    assert_int_equal(json_array_size(json_object_get(result, "trace")), 60);
    umount("/mnt");
}

static void a_full_state_disk_ends_the_session_with_a_reason(void **state)
{
    cast_t *cast = *state;
    const char *session = cast_open(cast, &(session_open_t){.problem = NOOP, .agent = "test"});
    cast_run(cast, 3000);
    fill();
    for (int64_t step = 1; step <= 20; step++)
        cast_act(cast, session, step, "exec_shell(\"true\")");
    unlink(FILLER);
    cast_run(cast, 200);
    const char *end = cast_state(cast, session);
    assert_memory_equal(end, "failed: ", 8);
    assert_non_null(strstr(end, "cannot be recorded: the orchestrator's database: "));
    assert_int_equal(cast->deleted, 1);
}

static int run(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_full_results_disk_loses_nothing),
        TEST(a_full_state_disk_ends_the_session_with_a_reason),
    };
    /* A small /tmp, where the cast has its folder. */
    setenv("TMPDIR", "/media", 1); /* not /tmp, which may hold what is tested */
    if (mount("tmpfs", "/media", "tmpfs", 0, "size=1m") < 0)
        return EXIT_FAILURE;
    return cmocka_run_group_tests(tests, NULL, NULL);
}

int main(void)
{
    return in_namespaces(run);
}
