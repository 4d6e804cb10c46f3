/* The injector against an API server that plays its part; in real time, for its threads' sake. */
#include "services/injector/injector.h"

#include "base/auto.h"
#include "base/mem.h"
#include "tests/support/bus_world.h"
#include "tests/support/folder.h"
#include "tests/support/kube_stub.h"

#include <unistd.h>

typedef struct stage {
    bus_world_t world;
    kube_stub_t *kube;
    metrics_t *metrics;
    injector_t *injector;
    bus_t *own, *cluster, *client;
    char folder[64];
    bool is_env_gone;
    char event[64]; /* the last state on fault/f1/state */
    char waited_for[64];
} stage_t;

#define TEST(rule) cmocka_unit_test_setup_teardown(rule, set_up, tear_down)

/* ---- the stage ---------------------------------------------------------------------------- */

static void on_env_get(void *arg, bus_request_t *request, const void *message)
{
    stage_t *stage = arg;
    if (stage->is_env_gone) {
        bus_fail(&request, ERR_NOT_FOUND, "no such environment");
        return;
    }
    env_info_t reply = {.env = ((const env_get_t *)message)->env,
        .state = "ready",
        .app = "shop",
        .namespace = "shop",
        .node = "n1",
        .server = http_stub_url(stage->kube->http),
        .token = "t"};
    bus_reply(&request, &env_info_type, &reply);
}

static void on_fault(void *arg, const bus_event_t *event)
{
    stage_t *stage = arg;
    const fault_status_t *status = event->message;
    (void)snprintf(stage->event, sizeof(stage->event), "%s", status->state);
    if (strcmp(stage->event, stage->waited_for) == 0)
        ev_stop(stage->world.ev);
}

static void start_injector(stage_t *stage)
{
    err_t err = {0};
    stage->own = bus_world_program(&stage->world, "injector", NULL);
    stage->injector = injector_new(&(injector_config_t){.ev = stage->world.ev,
                                       .bus = stage->own,
                                       .metrics = stage->metrics,
                                       .folder = stage->folder},
        &err);
    if (!stage->injector)
        fail_msg("%s", err.text);
}

static void kill_injector(stage_t *stage)
{
    injector_destroy(&stage->injector);
    bus_destroy(&stage->own);
}

static int set_up(void **state)
{
    static const bus_handler_t cluster[] = {{&env_get_type, on_env_get}};
    static int serial;
    stage_t *stage = xcalloc(1, sizeof(*stage));
    bus_world_t *world = &stage->world;
    world->ev = ev_new();
    (void)snprintf(world->requests, sizeof(world->requests), "inproc://injector-r-%d", ++serial);
    (void)snprintf(world->publish, sizeof(world->publish), "inproc://injector-p-%d", serial);
    (void)snprintf(world->events, sizeof(world->events), "inproc://injector-e-%d", serial);
    world->config = (broker_config_t){
        .requests = world->requests, .publish = world->publish, .events = world->events};
    world->broker = broker_new(world->ev, &world->config, NULL);
    (void)strcpy(stage->folder, "/tmp/injector-test-XXXXXX");
    assert_non_null(mkdtemp(stage->folder));
    stage->kube = kube_stub_new(world->ev);
    stage->metrics = metrics_new();
    stage->cluster = bus_world_program(world, "cluster", "n1");
    bus_serve(stage->cluster, "cluster", cluster, ARRAY_SIZE(cluster), stage);
    stage->client = bus_world_program(world, "client", "1");
    bus_subscribe(stage->client, "fault/f1/state", on_fault, stage);
    start_injector(stage);
    *state = stage;
    return 0;
}

static int tear_down(void **state)
{
    stage_t *stage = *state;
    kill_injector(stage);
    bus_destroy(&stage->cluster);
    bus_destroy(&stage->client);
    broker_destroy(&stage->world.broker);
    kube_stub_destroy(&stage->kube);
    metrics_destroy(&stage->metrics);
    ev_destroy(&stage->world.ev);
    int rc = folder_remove(stage->folder);
    free(stage);
    return rc;
}

/* Runs the loop until the state was told, at most for some seconds. */
static void await(stage_t *stage, const char *fault_state)
{
    (void)snprintf(stage->waited_for, sizeof(stage->waited_for), "%s", fault_state);
    int timer = ev_after(stage->world.ev, 5000, (ev_timer_fn *)ev_stop, stage->world.ev);
    if (strcmp(stage->event, fault_state) != 0)
        ev_run(stage->world.ev);
    ev_cancel(stage->world.ev, timer);
    assert_string_equal(stage->event, fault_state);
}

/* "state" or "state: reason" of the reply, or the error's text; in static memory. */
static const char *ask(stage_t *stage, const codec_type_t *type, const void *message)
{
    static char text[400];
    err_t err = {0};
    fault_status_t *status = NULL;
    bus_call_t call = {.target = "injector", .type = type, .message = message};
    if (bus_call(stage->client, &call, &fault_status_type, (void **)&status, &err) < 0)
        return strcpy(text, err.text);
    (void)snprintf(text, sizeof(text), "%s%s%s", status->state, status->reason ? ": " : "",
        status->reason ? status->reason : "");
    codec_free(&fault_status_type, status);
    return text;
}

static const char *inject(stage_t *stage, const char *kind)
{
    static char *targets[] = {(char *)"geo"};
    size_t count = strcmp(kind, "noop") == 0 ? 0 : 1;
    fault_inject_t message = {.fault_id = "f1",
        .fault = kind,
        .env = "env-1",
        .namespace = "shop",
        .targets = {.items = targets, .count = count}};
    return ask(stage, &fault_inject_type, &message);
}

static const char *recover(stage_t *stage)
{
    return ask(stage, &fault_recover_type, &(fault_recover_t){"f1"});
}

static const char *check(stage_t *stage)
{
    return ask(stage, &fault_check_type, &(fault_check_t){"f1"});
}

/* ---- rules -------------------------------------------------------------------------------- */

static void an_injected_fault_changes_the_image(void **state)
{
    stage_t *stage = *state;
    assert_string_equal(inject(stage, "misconfig_app"), "active");
    assert_string_equal(stage->kube->image, "yinfangchen/geo:app3");
}

static void injecting_twice_is_injecting_once(void **state)
{
    stage_t *stage = *state;
    (void)inject(stage, "misconfig_app");
    assert_string_equal(inject(stage, "misconfig_app"), "active");
    assert_int_equal(stage->kube->writes, 1);
}

static void recovery_restores_exactly(void **state)
{
    stage_t *stage = *state;
    (void)inject(stage, "misconfig_app");
    assert_string_equal(recover(stage), "recovered");
    assert_string_equal(stage->kube->image, "good:1");
    assert_string_equal(recover(stage), "recovered");
    assert_int_equal(stage->kube->writes, 2);
}

static void a_check_says_whether_it_is_in_force(void **state)
{
    stage_t *stage = *state;
    (void)inject(stage, "misconfig_app");
    assert_string_equal(check(stage), "active");
    (void)strcpy(stage->kube->image, "good:1");
    assert_string_equal(check(stage), "repaired: somebody undid it");
}

static void a_fault_that_somebody_undid_is_told(void **state)
{
    stage_t *stage = *state;
    (void)inject(stage, "misconfig_app");
    (void)strcpy(stage->kube->image, "good:1");
    kube_stub_touch(stage->kube);
    await(stage, "repaired");
}

static void a_deleted_target_ends_the_fault(void **state)
{
    stage_t *stage = *state;
    (void)inject(stage, "misconfig_app");
    stage->kube->is_deleted = true;
    assert_memory_equal(check(stage), "repaired", 8);
}

static void a_half_way_failure_is_told_and_rolled_back(void **state)
{
    stage_t *stage = *state;
    stage->kube->is_deleted = true;
    assert_string_equal(
        inject(stage, "misconfig_app"), "failed: there is no workload 'geo' in namespace 'shop'");
    stage->kube->is_deleted = false;
    assert_string_equal(
        inject(stage, "misconfig_app"), "failed: there is no workload 'geo' in namespace 'shop'");
    assert_string_equal(stage->kube->image, "good:1");
}

static void a_failed_rollback_is_told_too(void **state)
{
    stage_t *stage = *state;
    stage->kube->is_write_refused = true;
    const char *answer = inject(stage, "misconfig_app");
    assert_memory_equal(answer, "failed: not undone (", 20);
}

static void a_noop_is_always_in_force(void **state)
{
    stage_t *stage = *state;
    assert_string_equal(inject(stage, "noop"), "active");
    assert_string_equal(check(stage), "active");
    assert_string_equal(recover(stage), "recovered");
    assert_int_equal(stage->kube->writes, 0);
}

static void an_unknown_kind_is_answered_with_the_nearest(void **state)
{
    stage_t *stage = *state;
    assert_string_equal(inject(stage, "misconfig_ap"),
        "there is no fault 'misconfig_ap'; did you mean 'misconfig_app'?");
}

static void an_unknown_fault_cannot_be_recovered(void **state)
{
    stage_t *stage = *state;
    assert_string_equal(recover(stage), "there is no fault 'f1'");
}

static void a_restart_can_still_recover(void **state)
{
    stage_t *stage = *state;
    (void)inject(stage, "misconfig_app");
    kill_injector(stage);
    start_injector(stage);
    assert_string_equal(check(stage), "active");
    assert_string_equal(recover(stage), "recovered");
    assert_string_equal(stage->kube->image, "good:1");
}

static void a_restart_undoes_a_half_made_injection(void **state)
{
    stage_t *stage = *state;
    (void)inject(stage, "misconfig_app");
    kill_injector(stage);
    AUTO_FREE char *path = xasprintf("%s/f1.json", stage->folder);
    json_t *record = json_load_file(path, 0, NULL);
    json_object_set_new(record, "state", json_string("injecting"));
    assert_int_equal(json_dump_file(record, path, 0), 0);
    json_decref(record);
    start_injector(stage);
    assert_string_equal(inject(stage, "misconfig_app"), "active");
    assert_int_equal(stage->kube->writes, 3); /* made, undone, made again */
}

static void the_record_is_there_before_the_change(void **state)
{
    stage_t *stage = *state;
    stage->kube->is_write_refused = true;
    (void)inject(stage, "misconfig_app");
    AUTO_FREE char *path = xasprintf("%s/f1.json", stage->folder);
    json_t *record = json_load_file(path, 0, NULL);
    const char *image = NULL;
    assert_int_equal(
        json_unpack(record, "{s:[{s:[{s:s}]}]}", "changes", "parts", "before", &image), 0);
    assert_string_equal(image, "good:1");
    json_decref(record);
}

static void a_fault_goes_with_its_environment(void **state)
{
    stage_t *stage = *state;
    (void)inject(stage, "misconfig_app");
    kill_injector(stage);
    stage->is_env_gone = true;
    start_injector(stage);
    (void)check(stage);
    assert_string_equal(check(stage), "there is no fault 'f1'");
    AUTO_FREE char *path = xasprintf("%s/f1.json", stage->folder);
    assert_int_not_equal(access(path, F_OK), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(an_injected_fault_changes_the_image),
        TEST(injecting_twice_is_injecting_once),
        TEST(recovery_restores_exactly),
        TEST(a_check_says_whether_it_is_in_force),
        TEST(a_fault_that_somebody_undid_is_told),
        TEST(a_deleted_target_ends_the_fault),
        TEST(a_half_way_failure_is_told_and_rolled_back),
        TEST(a_failed_rollback_is_told_too),
        TEST(a_noop_is_always_in_force),
        TEST(an_unknown_kind_is_answered_with_the_nearest),
        TEST(an_unknown_fault_cannot_be_recovered),
        TEST(a_restart_can_still_recover),
        TEST(a_restart_undoes_a_half_made_injection),
        TEST(the_record_is_there_before_the_change),
        TEST(a_fault_goes_with_its_environment),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
