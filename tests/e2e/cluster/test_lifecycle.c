/* How environments begin and end, by themselves, by request and by force. */
#include "tests/e2e/cluster/world.h"

#include "base/auto.h"
#include "base/mem.h"

#include <dirent.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#define TEST(rule) cmocka_unit_test_setup_teardown(rule, world_set_up_empty, world_tear_down)

/* ---- what may be left behind ------------------------------------------------------------------
 */

static int count_output(const char *command)
{
    FILE *pipe = popen(command, "re");
    assert_non_null(pipe);
    int count = 0;
    assert_int_equal(fscanf(pipe, "%d", &count), 1);
    pclose(pipe);
    return count;
}

/* Processes whose executable or arguments are of this build's environments. */
static int count_processes(const world_t *self)
{
    AUTO_FREE char *command = xasprintf("cat /proc/[0-9]*/environ 2>/dev/null | tr '\\0' '\\n' | "
                                        "grep -c 'MARK=%s$'",
        self->stack->folder + strlen("/tmp/test-bus-"));
    return count_output(command);
}

static int count_cgroups(const world_t *self)
{
    AUTO_FREE char *command = xasprintf(
        "find /sys/fs/cgroup -maxdepth 6 -type d -name 'aiopslab-%s.*' 2>/dev/null | wc -l",
        self->env);
    return count_output(command);
}

static int count_folders(const world_t *self)
{
    AUTO_FREE char *command =
        xasprintf("find '%s/run/envs' -mindepth 1 -maxdepth 1 | wc -l", self->stack->folder);
    return count_output(command);
}

/* A pod whose process bears the test's mark, so that it is known by sight from outside. */
static void start_marked(world_t *self)
{
    AUTO_FREE char *env = xasprintf("'env': [{'name': 'MARK', 'value': '%s'}],",
        self->stack->folder + strlen("/tmp/test-bus-"));
    world_run(self, "marked", "sleep infinity & sleep infinity", env, "");
    world_await(self, "Pod", "marked", "status.phase", "Running");
    assert_true(count_processes(self) > 0);
    if (strcmp(json_string_value(json_object_get(self->features, "cgroups")), "none") != 0)
        assert_true(count_cgroups(self) > 0);
}

typedef struct states {
    int ends;
    char last[32];
    char reason[200];
} states_t;

static void on_state(void *arg, const bus_event_t *event)
{
    states_t *states = arg;
    const env_info_t *info = event->message;
    snprintf(states->last, sizeof(states->last), "%s", info->state);
    snprintf(states->reason, sizeof(states->reason), "%s", info->reason ? info->reason : "");
    states->ends += strcmp(info->state, "gone") == 0 || strcmp(info->state, "failed") == 0;
    assert_null(info->token);
}

/* ---- rules ------------------------------------------------------------------------------------
 */

static void an_empty_environment_is_ready_soon(void **state)
{
    world_t *self = *state;
    int64_t begun = ev_now(self->stack->ev);
    assert_int_equal(world_create(self, "env-test", ""), 0);
    assert_in_range(ev_now(self->stack->ev) - begun, 0, 8000);
    assert_string_equal(self->env, "env-test");
    assert_non_null(json_object_get(self->features, "degraded"));
    assert_non_null(json_object_get(self->phases, "runtime"));
}

static void a_deleted_environment_leaves_nothing(void **state)
{
    world_t *self = *state;
    states_t states = {0};
    assert_int_equal(world_create(self, NULL, "shop"), 0);
    start_marked(self);
    (void)bus_subscribe(self->bus, "env/", on_state, &states);
    world_delete(self); /* answered once all of it is gone */
    assert_int_equal(count_processes(self), 0);
    assert_int_equal(count_cgroups(self), 0);
    assert_int_equal(count_folders(self), 0);
    bus_stack_await(self->stack, &states.ends, 1);
    assert_string_equal(states.last, "gone");
}

static void an_environment_whose_first_process_is_killed_is_failed_and_leaves_nothing(void **state)
{
    world_t *self = *state;
    states_t states = {0};
    assert_int_equal(world_create(self, NULL, "shop"), 0);
    start_marked(self);
    (void)bus_subscribe(self->bus, "env/", on_state, &states);
    kill(world_env_pid(self), SIGKILL);
    bus_stack_await(self->stack, &states.ends, 1);
    assert_string_equal(states.last, "failed");
    assert_string_equal(states.reason, "its first process ended");
    assert_int_equal(count_processes(self), 0);
    assert_int_equal(count_cgroups(self), 0);
    assert_int_equal(count_folders(self), 0);
}

static void environments_end_with_their_service(void **state)
{
    world_t *self = *state;
    assert_int_equal(world_create(self, NULL, "shop"), 0);
    start_marked(self);
    assert_int_equal(bus_stack_end(self->cluster, SIGTERM), 0);
    self->cluster = 0;
    assert_int_equal(count_processes(self), 0);
    assert_int_equal(count_cgroups(self), 0);
    assert_int_equal(count_folders(self), 0);
}

/* What no process is there to take away, the next one does. */
static void a_killed_services_environments_end_and_its_successor_sweeps(void **state)
{
    world_t *self = *state;
    assert_int_equal(world_create(self, NULL, "shop"), 0);
    AUTO_FREE char *first = xstrdup(self->env);
    start_marked(self);
    bus_stack_end(self->cluster, SIGKILL);
    for (int tries = 0; tries < 200 && count_processes(self); tries++)
        bus_stack_run_for(self->stack, 10);
    assert_int_equal(count_processes(self), 0);
    world_start_cluster(self);
    assert_int_equal(world_create(self, "env-next", ""), 0);
    assert_int_equal(count_folders(self), 1);
    free(self->env);
    self->env = xstrdup(first);
    assert_int_equal(count_cgroups(self), 0);
}

static void an_unknown_application_is_told_with_the_nearest(void **state)
{
    world_t *self = *state;
    assert_true(world_create(self, NULL, "shoop") < 0);
    expect_in(self->err.text, "no application 'shoop'; did you mean 'shop'?");
}

static void an_application_that_is_not_ready_in_time_is_told_by_name(void **state)
{
    world_t *self = *state;
    assert_true(world_create(self, NULL, "broken") < 0);
    expect_in(self->err.text, "'unready'");
    assert_int_equal(count_folders(self), 0);
}

static void an_id_is_given_once(void **state)
{
    world_t *self = *state;
    assert_int_equal(world_create(self, "env-one", ""), 0);
    assert_int_equal(world_create(self, "env-one", ""), -ERR_EXISTS);
    assert_int_equal(world_create(self, "Env One", ""), -ERR_INVALID);
}

static void environments_do_not_see_each_other(void **state)
{
    world_t *self = *state;
    assert_int_equal(world_create(self, "env-one", "shop"), 0);
    AUTO_FREE char *first = world_value(self, "Endpoints", "web", "subsets.0.addresses.0.ip");
    assert_int_equal(world_create(self, "env-two", ""), 0);
    AUTO_FREE char *command = xasprintf("curl -s -m 1 http://%s:8080/", first);
    assert_int_not_equal(world_exec(self, command, 5000)->exit_code, 0);
}

/* ---- many at once ------------------------------------------------------------------------------
 */

enum { MANY = 24 };

typedef struct tally {
    int made;
    int refused;
    int answers;
} tally_t;

static void on_made(void *arg, const bus_reply_t *reply)
{
    tally_t *tally = arg;
    tally->answers++;
    if (reply->err)
        tally->refused++;
    else
        tally->made++;
}

static void on_deleted(void *arg, const bus_reply_t *reply)
{
    assert_null(reply->err);
    ++*(int *)arg;
}

static void ask(world_t *self, const codec_type_t *type, void *message, bus_reply_fn *fn, void *arg)
{
    bus_call_t call = {.target = "cluster", .type = type, .message = message, .timeout_ms = 60000};
    bus_request(self->bus, &call, fn, arg);
}

/* The last one is still in the queue when it is deleted. */
static void many_are_made_in_turn_and_one_that_waits_can_be_deleted(void **state)
{
    world_t *self = *state;
    tally_t tally = {0};
    int deleted = 0;
    char id[16];
    assert_int_equal(world_create(self, "first", ""), 0);
    for (int i = 0; i < MANY; i++) {
        snprintf(id, sizeof(id), "many-%d", i);
        ask(self, &env_create_type, &(env_create_t){.env = id, .app = ""}, on_made, &tally);
    }
    ask(self, &env_delete_type, &(env_delete_t){.env = id}, on_deleted, &deleted);
    bus_stack_await(self->stack, &tally.answers, MANY);
    bus_stack_await(self->stack, &deleted, 1);
    assert_int_equal(tally.made, MANY - 1);
    assert_int_equal(tally.refused, 1);
    assert_int_equal(count_folders(self), MANY);
}

static int run(void)
{
    const struct CMUnitTest tests[] = {
        TEST(an_empty_environment_is_ready_soon),
        TEST(a_deleted_environment_leaves_nothing),
        TEST(an_environment_whose_first_process_is_killed_is_failed_and_leaves_nothing),
        TEST(environments_end_with_their_service),
        TEST(a_killed_services_environments_end_and_its_successor_sweeps),
        TEST(an_unknown_application_is_told_with_the_nearest),
        TEST(an_application_that_is_not_ready_in_time_is_told_by_name),
        TEST(an_id_is_given_once),
        TEST(environments_do_not_see_each_other),
        TEST(many_are_made_in_turn_and_one_that_waits_can_be_deleted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

int main(int argc, char **argv)
{
    return world_main(argc, argv, run);
}
