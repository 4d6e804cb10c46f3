/* What is measured after a mitigation, against an API server that plays its part; in real time,
 * with short windows. */
#include "services/evaluator/evaluator.h"

#include "base/auto.h"
#include "base/mem.h"
#include "tests/support/bus_world.h"
#include "tests/support/kube_stub.h"

typedef struct stage {
    bus_world_t world;
    kube_stub_t *kube;
    metrics_t *metrics;
    evaluator_t *evaluator;
    bus_t *own, *cluster, *loadgen, *injector, *client;
    const char *fault_state;
    bool is_injector_broken;
    int64_t errors; /* of 100 requests */
    double p99_ms;
    int loads;
    json_t *baseline;
    int heals_after; /* that many loads without errors: all later ones are good */
} stage_t;

#define TEST(rule) cmocka_unit_test_setup_teardown(rule, set_up, tear_down)

/* ---- the stage ---------------------------------------------------------------------------- */

static void on_env_get(void *arg, bus_request_t *request, const void *message)
{
    stage_t *stage = arg;
    env_info_t reply = {.env = ((const env_get_t *)message)->env,
        .state = "ready",
        .app = "shop",
        .namespace = "shop",
        .node = "n1",
        .server = http_stub_url(stage->kube->http)};
    bus_reply(&request, &env_info_type, &reply);
}

static void on_check(void *arg, bus_request_t *request, const void *message)
{
    stage_t *stage = arg;
    if (stage->is_injector_broken) {
        bus_fail(&request, ERR_IO, "the API server does not answer");
        return;
    }
    fault_status_t reply = {.fault_id = ((const fault_check_t *)message)->fault_id,
        .fault = "misconfig_app",
        .env = "env-1",
        .state = stage->fault_state};
    bus_reply(&request, &fault_status_type, &reply);
}

static void on_load_start(void *arg, bus_request_t *request, const void *message)
{
    stage_t *stage = arg;
    (void)message;
    stage->loads++;
    bus_reply(&request, &load_started_type, &(load_started_t){.load = "load-1"});
}

static void on_load_stop(void *arg, bus_request_t *request, const void *message)
{
    stage_t *stage = arg;
    (void)message;
    int64_t errors = stage->loads > stage->heals_after ? stage->errors : 100;
    load_report_t reply = {.load = "load-1",
        .env = "env-1",
        .sent = 100,
        .ok = 100 - errors,
        .errors = errors,
        .p99_ms = stage->p99_ms,
        .is_final = true};
    bus_reply(&request, &load_report_type, &reply);
}

static bus_t *player(stage_t *stage, const char *name, const bus_handler_t *handlers, size_t count)
{
    bus_t *bus = bus_world_program(&stage->world, name, "1");
    bus_serve(bus, name, handlers, count, stage);
    return bus;
}

static int set_up(void **state)
{
    static const bus_handler_t cluster[] = {{&env_get_type, on_env_get}};
    static const bus_handler_t injector[] = {{&fault_check_type, on_check}};
    static const bus_handler_t loadgen[] = {
        {&load_start_type, on_load_start}, {&load_stop_type, on_load_stop}};
    static int serial;
    stage_t *stage = xcalloc(1, sizeof(*stage));
    bus_world_t *world = &stage->world;
    world->ev = ev_new();
    (void)snprintf(world->requests, sizeof(world->requests), "inproc://judge-r-%d", ++serial);
    (void)snprintf(world->publish, sizeof(world->publish), "inproc://judge-p-%d", serial);
    (void)snprintf(world->events, sizeof(world->events), "inproc://judge-e-%d", serial);
    world->config = (broker_config_t){
        .requests = world->requests, .publish = world->publish, .events = world->events};
    world->broker = broker_new(world->ev, &world->config, NULL);
    stage->fault_state = "dead";
    stage->kube = kube_stub_new(world->ev);
    stage->metrics = metrics_new();
    stage->cluster = player(stage, "cluster", cluster, ARRAY_SIZE(cluster));
    stage->injector = player(stage, "injector", injector, ARRAY_SIZE(injector));
    stage->loadgen = player(stage, "loadgen", loadgen, ARRAY_SIZE(loadgen));
    stage->client = bus_world_program(world, "client", "1");
    stage->own = bus_world_program(world, "evaluator", NULL);
    stage->evaluator = evaluator_new(world->ev, stage->own, stage->metrics);
    *state = stage;
    return 0;
}

static int tear_down(void **state)
{
    stage_t *stage = *state;
    evaluator_destroy(&stage->evaluator);
    bus_t **programs[] = {
        &stage->own, &stage->cluster, &stage->injector, &stage->loadgen, &stage->client};
    for (size_t i = 0; i < ARRAY_SIZE(programs); i++)
        bus_destroy(programs[i]);
    broker_destroy(&stage->world.broker);
    kube_stub_destroy(&stage->kube);
    metrics_destroy(&stage->metrics);
    json_decref(stage->baseline);
    ev_destroy(&stage->world.ev);
    free(stage);
    return 0;
}

static json_t *problem(int settle_ms)
{
    return json_pack("{s:s, s:s, s:s, s:[{s:s, s:[s]}], s:{s:s, s:s, s:i, s:i, s:s}, s:{s:[s], "
                     "s:[s], s:[s], s:i, s:i, s:i, s:i, s:i}}",
        "id", "p-mitigation-1", "task", "mitigation", "namespace", "shop", "faults", "fault",
        "misconfig_app", "targets", "geo", "load", "url", "http://geo:80", "mix", "m", "rate", 100,
        "connections", 2, "distribution", "exp", "expected", "deployments", "geo", "recreate",
        "geo", "answers", "GET /hotels?a=b", "settle_ms", settle_ms, "hold_ms", 50, "load_ms", 50,
        "success_percent", 99, "slower_ms", 100);
}

static void take_baseline(stage_t *stage)
{
    err_t err = {0};
    baseline_t *taken = NULL;
    json_auto_t *definition = problem(1000);
    baseline_take_t message = {.env = "env-1", .problem = definition};
    bus_call_t call = {.target = "evaluator", .type = &baseline_take_type, .message = &message};
    if (bus_call(stage->client, &call, &baseline_type, (void **)&taken, &err) < 0)
        fail_msg("%s", err.text);
    stage->baseline = json_deep_copy(taken->baseline);
    json_object_set_new(stage->baseline, "load", json_pack("{s:f}", "p99_ms", 10.0));
    codec_free(&baseline_type, taken);
}

static verdict_t *ask_for_verdict(stage_t *stage, int settle_ms, err_t *err)
{
    static const char *faults[] = {"f1"};
    verdict_t *verdict = NULL;
    json_auto_t *definition = problem(settle_ms);
    json_auto_t *trace = json_array();
    session_judge_t message = {.session = "s",
        .problem = definition,
        .env = "env-1",
        .fault_ids = {.items = (char **)faults, .count = 1},
        .baseline = stage->baseline,
        .trace = trace,
        .duration_s = 1};
    bus_call_t call = {.target = "evaluator",
        .type = &session_judge_type,
        .message = &message,
        .timeout_ms = 120000};
    return bus_call(stage->client, &call, &verdict_type, (void **)&verdict, err) < 0 ? NULL
                                                                                     : verdict;
}

/* "success" or "failure", and the conditions: y met, n not, - not measured; or the error. */
static const char *judge(stage_t *stage, int settle_ms)
{
    static char text[300];
    err_t err = {0};
    verdict_t *verdict = ask_for_verdict(stage, settle_ms, &err);
    if (!verdict)
        return strcpy(text, err.text);
    char met[6] = "";
    for (size_t i = 0; i < 5; i++) {
        const json_t *value = json_object_get(
            json_array_get(json_object_get(verdict->results, "conditions"), i), "met");
        met[i] = json_is_true(value) ? 'y' : json_is_false(value) ? 'n' : '-';
    }
    (void)snprintf(text, sizeof(text), "%s %s", verdict->success ? "success" : "failure", met);
    codec_free(&verdict_type, verdict);
    return text;
}

/* ---- rules -------------------------------------------------------------------------------- */

static void a_fault_gone_an_application_ready_and_a_good_load_are_success(void **state)
{
    assert_string_equal(judge(*state, 5000), "success yyyyy");
}

static void a_fault_in_force_is_failure_at_once(void **state)
{
    stage_t *stage = *state;
    stage->fault_state = "active";
    assert_string_equal(judge(stage, 60000), "failure n----");
}

static void an_application_that_does_not_become_ready_is_failure(void **state)
{
    stage_t *stage = *state;
    stage->kube->is_unready = true;
    assert_string_equal(judge(stage, 300), "failure yn---");
}

static void scaling_to_zero_is_no_mitigation(void **state)
{
    stage_t *stage = *state;
    stage->kube->replicas = 0;
    assert_string_equal(judge(stage, 300), "failure yn---");
}

static void deleting_is_no_mitigation(void **state)
{
    stage_t *stage = *state;
    stage->kube->is_deleted = true;
    assert_string_equal(judge(stage, 300), "failure yn---");
}

static void what_will_not_come_by_itself_is_not_waited_for(void **state)
{
    stage_t *stage = *state;
    stage->kube->is_deleted = true;
    int64_t before = ev_now(stage->world.ev);
    assert_string_equal(judge(stage, 60000), "failure yn---");
    assert_true(ev_now(stage->world.ev) - before < 9000);
}

static void a_load_with_errors_is_failure(void **state)
{
    stage_t *stage = *state;
    stage->errors = 2;
    assert_string_equal(judge(stage, 400), "failure yyyny");
    assert_true(stage->loads > 1);
}

static void what_comes_within_the_settle_time_counts(void **state)
{
    stage_t *stage = *state;
    stage->heals_after = 2;
    assert_string_equal(judge(stage, 5000), "success yyyyy");
    assert_int_equal(stage->loads, 3);
}

static void become_ready(void *arg)
{
    stage_t *stage = arg;
    stage->kube->is_unready = false;
    kube_stub_touch(stage->kube);
}

static void readiness_is_waited_for(void **state)
{
    stage_t *stage = *state;
    stage->kube->is_unready = true;
    ev_after(stage->world.ev, 200, become_ready, stage);
    assert_string_equal(judge(stage, 5000), "success yyyyy");
}

static void what_cannot_be_measured_is_no_verdict(void **state)
{
    stage_t *stage = *state;
    stage->is_injector_broken = true;
    assert_string_equal(judge(stage, 300), "the API server does not answer");
}

static void a_pod_that_does_not_come_up_anew_is_failure(void **state)
{
    stage_t *stage = *state;
    stage->kube->is_pod_kept = true;
    assert_string_equal(judge(stage, 1000), "failure yyn--");
}

static void the_repair_is_tried_by_new_pods(void **state)
{
    stage_t *stage = *state;
    int serial = stage->kube->pod_serial;
    assert_string_equal(judge(stage, 60000), "success yyyyy");
    assert_int_equal(stage->kube->pod_serial, serial + 1);
}

static void what_is_as_it_was_is_success(void **state)
{
    stage_t *stage = *state;
    stage->kube->has_config = true;
    take_baseline(stage);
    assert_string_equal(judge(stage, 60000), "success yyyyy");
}

static void something_taken_away_is_failure(void **state)
{
    stage_t *stage = *state;
    stage->kube->has_config = true;
    take_baseline(stage);
    stage->kube->has_config = false;
    assert_string_equal(judge(stage, 60000), "failure yyyyn");
}

static void data_that_is_gone_is_failure(void **state)
{
    stage_t *stage = *state;
    (void)strcpy(stage->kube->answer, "[1, 2, 3]");
    take_baseline(stage);
    (void)strcpy(stage->kube->answer, "[]");
    assert_string_equal(judge(stage, 1000), "failure yyyyn");
}

static void begin_to_answer(void *arg)
{
    ((stage_t *)arg)->kube->is_mute = false;
}

static void a_baseline_waits_until_the_application_answers(void **state)
{
    stage_t *stage = *state;
    stage->kube->is_mute = true;
    ev_after(stage->world.ev, 300, begin_to_answer, stage);
    take_baseline(stage);
    assert_true(json_is_string(
        json_object_get(json_object_get(stage->baseline, "answers"), "GET /hotels?a=b")));
    assert_string_equal(judge(stage, 60000), "success yyyyy");
}

static void a_service_much_slower_than_before_is_failure(void **state)
{
    stage_t *stage = *state;
    take_baseline(stage);
    stage->p99_ms = 109;
    assert_string_equal(judge(stage, 60000), "success yyyyy");
    stage->p99_ms = 111;
    assert_string_equal(judge(stage, 1000), "failure yyyny");
}

static void what_the_agent_changed_elsewhere_is_told(void **state)
{
    stage_t *stage = *state;
    take_baseline(stage);
    stage->kube->has_config = true;
    err_t err = {0};
    verdict_t *verdict = ask_for_verdict(stage, 60000, &err);
    assert_non_null(verdict);
    const char *object = NULL;
    json_int_t replaced = -1;
    assert_int_equal(json_unpack(verdict->results, "{s:{s:[s], s:I}}", "blast_radius",
                         "objects_new", &object, "pods_replaced", &replaced),
        0);
    assert_string_equal(object, "ConfigMap/settings");
    codec_free(&verdict_type, verdict);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_fault_gone_an_application_ready_and_a_good_load_are_success),
        TEST(a_fault_in_force_is_failure_at_once),
        TEST(an_application_that_does_not_become_ready_is_failure),
        TEST(scaling_to_zero_is_no_mitigation),
        TEST(deleting_is_no_mitigation),
        TEST(what_will_not_come_by_itself_is_not_waited_for),
        TEST(a_load_with_errors_is_failure),
        TEST(what_comes_within_the_settle_time_counts),
        TEST(readiness_is_waited_for),
        TEST(a_pod_that_does_not_come_up_anew_is_failure),
        TEST(the_repair_is_tried_by_new_pods),
        TEST(what_is_as_it_was_is_success),
        TEST(something_taken_away_is_failure),
        TEST(data_that_is_gone_is_failure),
        TEST(a_baseline_waits_until_the_application_answers),
        TEST(a_service_much_slower_than_before_is_failure),
        TEST(what_the_agent_changed_elsewhere_is_told),
        TEST(what_cannot_be_measured_is_no_verdict),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
