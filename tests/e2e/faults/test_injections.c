/* How faults come and go: several on one object, after kills and deletions, by time, and by hand.
 */
#include "base/auto.h"
#include "base/mem.h"
#include "tests/e2e/faults/stage.h"

#include <sys/wait.h>

/* ---- several at once ----------------------------------------------------------------------- */

static void faults_on_one_object_are_undone_in_any_order(void **state)
{
    (void)state;
    AUTO_FREE char *before = spec_of("Service", "geo");
    inject("one", "wrong_target_port", "geo", "{'port': 1001}");
    inject("two", "wrong_target_port", "geo", "{'port': 1002}");
    inject("three", "wrong_selector", "geo", "{}");
    expect_alive("one", "active");
    expect_recovery("one");
    expect_alive("one", "recovered");
    expect_alive("two", "active");
    expect_recovery("three");
    expect_recovery("two");
    AUTO_FREE char *after = spec_of("Service", "geo");
    assert_string_equal(after, before);
}

static void what_somebody_deleted_comes_back(void **state)
{
    (void)state;
    AUTO_FREE char *before = spec_of("Service", "geo");
    inject("deleted", "wrong_target_port", "geo", "{}");
    assert_int_equal(
        kube_call(kube, kube_delete(KUBE("Service", namespace, "geo"), -1), NULL, NULL), 0);
    expect_alive("deleted", "repaired");
    expect_recovery("deleted");
    AUTO_FREE char *after = spec_of("Service", "geo");
    assert_string_equal(after, before);
}

static void a_killed_injector_recovers_what_it_did(void **state)
{
    (void)state;
    AUTO_FREE char *before = spec_of("Service", "user");
    inject("killed", "wrong_target_port", "user", "{}");
    lab_kill(lab, "injector");
    lab_start(lab, "injector");
    expect_alive("killed", "active");
    expect_recovery("killed");
    AUTO_FREE char *after = spec_of("Service", "user");
    assert_string_equal(after, before);
}

static void a_length_ends_a_fault(void **state)
{
    (void)state;
    AUTO_FREE char *before = spec_of("Service", "user");
    char *targets[] = {(char *)"user"};
    fault_inject_t message = fault_of("short", "wrong_target_port", targets, NULL);
    message.after_ms = 100;
    message.for_ms = 500;
    message.every_ms = 1000;
    message.times = 2;
    expect_state(&fault_inject_type, &message, "scheduled");
    assert_true(comes("Service", "user", "9999", SYMPTOM_MS));
    assert_true(comes("Service", "user", "!9999", SYMPTOM_MS));
    assert_true(comes("Service", "user", "9999", SYMPTOM_MS));
    assert_true(comes("Service", "user", "!9999", SYMPTOM_MS));
    AUTO_FREE char *after = spec_of("Service", "user");
    assert_string_equal(after, before);
}

static void a_ramp_strikes_one_after_the_other(void **state)
{
    (void)state;
    char *targets[] = {(char *)"role:cache"};
    fault_inject_t message = fault_of("ramp", "wrong_target_port", targets, NULL);
    message.ramp_ms = 1500;
    expect_state(&fault_inject_type, &message, "active");
    static const char *const caches[] = {
        "memcached-profile", "memcached-rate", "memcached-reserve"};
    for (size_t i = 0; i < ARRAY_SIZE(caches); i++)
        assert_true(comes("Service", caches[i], "9999", SYMPTOM_MS));
    expect_recovery("ramp");
    for (size_t i = 0; i < ARRAY_SIZE(caches); i++)
        assert_true(comes("Service", caches[i], "!9999", SYMPTOM_MS));
}

/* ---- by hand ------------------------------------------------------------------------------- */

/* What the command prints to both streams, without its last line's end; for free(). */
static char *command(const char *arguments, int status)
{
    AUTO_FREE char *line = xasprintf("%s/aiopslab %s 2>&1", getenv("AIOPSLAB_BIN"), arguments);
    FILE *pipe = popen(line, "re");
    char text[4096];
    size_t size = fread(text, 1, sizeof(text) - 1, pipe);
    text[size - (size && text[size - 1] == '\n')] = '\0';
    int ended = pclose(pipe);
    if (WEXITSTATUS(ended) != status)
        fail_msg("aiopslab %s: %d: %s", arguments, WEXITSTATUS(ended), text);
    return xstrdup(text);
}

static void a_person_injects_and_recovers(void **state)
{
    (void)state;
    AUTO_FREE char *before = spec_of("Service", "rate");
    AUTO_FREE char *id = command("inject wrong_target_port -e env-faults -t rate -p port=7", 0);
    assert_true(comes("Service", "rate", "\"targetPort\":7,", SYMPTOM_MS));
    AUTO_FREE char *other = command("inject wrong_selector -e env-faults -t random:role:cache", 0);
    AUTO_FREE char *recover_it = xasprintf("recover %s", id);
    AUTO_FREE char *recovered = command(recover_it, 0);
    AUTO_FREE char *told = xasprintf("%s recovered", id);
    assert_string_equal(recovered, told);
    AUTO_FREE char *all = command("recover --all -e env-faults", 0);
    AUTO_FREE char *told_all = xasprintf("%s recovered", other);
    assert_string_equal(all, told_all);
    AUTO_FREE char *after = spec_of("Service", "rate");
    assert_string_equal(after, before);
}

static void a_target_that_is_not_there_is_told(void **state)
{
    (void)state;
    AUTO_FREE char *text = command("inject wrong_target_port -e env-faults -t raet", 1);
    assert_string_equal(text, "aiopslab: the fault is 'failed': there is no service "
                              "'raet' in namespace 'test-hotel-reservation'; did you mean 'rate'?");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(faults_on_one_object_are_undone_in_any_order),
        cmocka_unit_test(what_somebody_deleted_comes_back),
        cmocka_unit_test(a_killed_injector_recovers_what_it_did),
        cmocka_unit_test(a_length_ends_a_fault),
        cmocka_unit_test(a_ramp_strikes_one_after_the_other),
        cmocka_unit_test(a_person_injects_and_recovers),
        cmocka_unit_test(a_target_that_is_not_there_is_told),
    };
    return cmocka_run_group_tests(tests, stage_set_up, stage_tear_down);
}
