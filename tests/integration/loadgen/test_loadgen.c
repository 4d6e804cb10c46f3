/* The loadgen service between a played cluster service and a played API server, in virtual time. */
#include "base/auto.h"
#include "base/mem.h"
#include "services/loadgen/loadgen.h"
#include "tests/support/bus_world.h"
#include "tests/support/http_stub.h"

#define ENV        "env-0123abcd"
#define TEST(rule) cmocka_unit_test_setup_teardown(rule, set_up, tear_down)

#define START "Running 10.0s test @ http://frontend\n"
#define SECOND                                                                                     \
    "{\"second\":%d,\"sent\":100,\"ok\":98,\"errors\":2,\"p50_ms\":1.5,\"p90_ms\":2,"              \
    "\"p99_ms\":3,\"max_ms\":%d,\"final\":false}\n"
#define SUM                                                                                        \
    "{\"second\":2,\"sent\":200,\"ok\":196,\"errors\":4,\"p50_ms\":1.25,\"p90_ms\":2,"             \
    "\"p99_ms\":3,\"max_ms\":9,\"unsent\":0,\"duration_s\":2,\"final\":true}\n"

typedef struct world {
    bus_world_t *bus_world;
    http_stub_t *stub;
    bus_t *cluster;
    bus_t *own; /* the service's */
    bus_t *client;
    metrics_t *metrics;
    loadgen_t *loadgen;

    /* How the others play. */
    const char *env_state;
    const char *phase; /* of the pod */
    const char *log;   /* of the pod */
    const char *log_after_deletion;
    json_t *listed; /* by env.list */

    /* What was seen. */
    json_t *created;
    int deleted;
    char pod[64];
    char load[128];     /* as load.started told */
    char failure[256];  /* of the last request */
    char reports[1024]; /* "second/sent/errors " of each event, "final" and reason for the last */
    char final[256];    /* the answer to load.stop */
} world_t;

/* ---- players -------------------------------------------------------------------------------- */

static void play_env_get(void *arg, bus_request_t *request, const void *message)
{
    world_t *world = arg;
    const env_get_t *get = message;
    env_info_t info = {.env = get->env,
        .state = world->env_state,
        .app = "hotel-reservation",
        .namespace = "test-hotel-reservation",
        .node = "a",
        .server = http_stub_url(world->stub),
        .token = "operator"};
    if (strcmp(get->env, ENV) != 0)
        bus_fail(&request, ERR_NOT_FOUND, "there is no environment '%s'", get->env);
    else
        bus_reply(&request, &env_info_type, &info);
}

static void play_env_list(void *arg, bus_request_t *request, const void *message)
{
    (void)message;
    world_t *world = arg;
    bus_reply(&request, &env_listing_type, &(env_listing_t){.envs = world->listed});
}

static json_t *make_pod(const world_t *world)
{
    return json_pack("{ss, s{ss, ss}, s{ss}}", "kind", "Pod", "metadata", "name", world->pod,
        "namespace", "default", "status", "phase", world->phase);
}

static char *list_pods(const world_t *world)
{
    json_auto_t *list = json_pack("{ss, ss, s{ss}, s[]}", "kind", "PodList", "apiVersion", "v1",
        "metadata", "resourceVersion", "1", "items");
    if (*world->pod && world->deleted == 0)
        json_array_append_new(json_object_get(list, "items"), make_pod(world));
    return json_dumps(list, 0);
}

static void play_creation(world_t *world, const char *body)
{
    json_decref(world->created);
    world->created = json_loads(body, 0, NULL);
    const char *name =
        json_string_value(json_object_get(json_object_get(world->created, "metadata"), "name"));
    snprintf(world->pod, sizeof(world->pod), "%s", name);
}

static void play_api(void *arg, const http_stub_request_t *request, http_stub_answer_t *answer)
{
    world_t *world = arg;
    assert_string_equal(request->token, "operator");
    if (strcmp(request->method, "POST") == 0) {
        play_creation(world, request->body);
        answer->status = 201;
        answer->body = xstrdup(request->body);
    } else if (strcmp(request->method, "DELETE") == 0) {
        world->deleted++;
        answer->body = xstrdup("{}");
    } else if (strstr(request->path, "/log")) {
        answer->content_type = "text/plain";
        answer->body = xstrdup(world->deleted ? world->log_after_deletion : world->log);
    } else if (strstr(request->query, "watch=")) {
        answer->is_unending = true;
        answer->body = xstrdup("");
    } else {
        answer->body = list_pods(world);
    }
}

/* ---- the client ----------------------------------------------------------------------------- */

static void on_report(void *arg, const bus_event_t *event)
{
    world_t *world = arg;
    if (event->type != &load_report_type)
        return;
    const load_report_t *report = event->message;
    size_t used = strlen(world->reports);
    snprintf(world->reports + used, sizeof(world->reports) - used, "%lld/%lld/%lld%s%s ",
        (long long)report->second, (long long)report->sent, (long long)report->errors,
        report->is_final ? " final " : "", report->reason ? report->reason : "");
}

static void on_started(void *arg, const bus_reply_t *reply)
{
    world_t *world = arg;
    if (reply->err)
        snprintf(world->failure, sizeof(world->failure), "%s", reply->err->text);
    else
        snprintf(
            world->load, sizeof(world->load), "%s", ((const load_started_t *)reply->message)->load);
}

static void on_stopped(void *arg, const bus_reply_t *reply)
{
    world_t *world = arg;
    if (reply->err) {
        snprintf(world->failure, sizeof(world->failure), "%s", reply->err->text);
        return;
    }
    const load_report_t *report = reply->message;
    snprintf(world->final, sizeof(world->final), "%lld/%lld/%lld %g %s", (long long)report->second,
        (long long)report->sent, (long long)report->errors, report->p50_ms,
        report->reason ? report->reason : "");
}

static void run(world_t *world, int64_t span_ms)
{
    ev_sim_run_for(world->bus_world->ev, span_ms);
}

static void start(world_t *world, const char *env, double rate)
{
    load_start_t message = {.env = env,
        .url = "http://frontend",
        .mix = "mixed-workload_type_1",
        .rate = rate,
        .distribution = "exp",
        .connections = 4,
        .seed = 7};
    bus_call_t call = {
        .target = "loadgen", .type = &load_start_type, .message = &message, .timeout_ms = 60000};
    bus_request(world->client, &call, on_started, world);
}

static void stop(world_t *world, const char *load)
{
    bus_call_t call = {.target = "loadgen",
        .type = &load_stop_type,
        .message = &(load_stop_t){.load = load},
        .timeout_ms = 60000};
    bus_request(world->client, &call, on_stopped, world);
}

/* ---- life cycle ----------------------------------------------------------------------------- */

static void start_loadgen(world_t *world)
{
    world->own = bus_world_program(world->bus_world, "loadgen", NULL);
    world->metrics = metrics_new();
    world->loadgen = loadgen_new(world->bus_world->ev, world->own, world->metrics);
}

static void stop_loadgen(world_t *world)
{
    loadgen_destroy(&world->loadgen);
    metrics_destroy(&world->metrics);
    bus_destroy(&world->own);
}

static int set_up(void **state)
{
    static const bus_handler_t handlers[] = {
        {&env_get_type, play_env_get}, {&env_list_type, play_env_list}};
    world_t *world = xcalloc(1, sizeof(*world));
    void *bus_world = NULL;
    bus_world_set_up(&bus_world);
    world->bus_world = bus_world;
    world->stub = http_stub_new(world->bus_world->ev, NULL, NULL, play_api, world);
    world->env_state = "ready";
    world->phase = "Running";
    world->log = "";
    world->log_after_deletion = "";
    world->listed = json_array();
    world->cluster = bus_world_program(world->bus_world, "cluster", "a");
    bus_serve(world->cluster, "cluster", handlers, ARRAY_SIZE(handlers), world);
    world->client = bus_world_program(world->bus_world, "client", NULL);
    bus_subscribe(world->client, "env/" ENV "/load", on_report, world);
    start_loadgen(world);
    run(world, 1000);
    *state = world;
    return 0;
}

static int tear_down(void **state)
{
    world_t *world = *state;
    stop_loadgen(world);
    bus_destroy(&world->client);
    bus_destroy(&world->cluster);
    http_stub_destroy(&world->stub);
    void *bus_world = world->bus_world;
    bus_world_tear_down(&bus_world);
    json_decref(world->created);
    json_decref(world->listed);
    free(world);
    return 0;
}

/* ---- rules ---------------------------------------------------------------------------------- */

static char *lines(int count)
{
    char *text = xcalloc(1, 4096);
    strcat(text, START);
    for (int i = 1; i <= count; i++) {
        size_t used = strlen(text);
        snprintf(text + used, 4096 - used, SECOND, i, i + 5);
    }
    return text;
}

static void a_load_is_a_pod_whose_reports_are_published(void **state)
{
    world_t *world = *state;
    AUTO_FREE char *two = lines(2);
    AUTO_FREE char *all = xasprintf("%s  Latency mean 2ms\n" SUM, two);
    world->log = all;
    start(world, ENV, 50);
    run(world, 2000);
    char expected[128];
    snprintf(expected, sizeof(expected), ENV "/%s", world->pod);
    assert_string_equal(world->load, expected);
    assert_string_equal(world->reports, "1/100/2 2/100/2 2/200/4 final  ");
    assert_int_equal(world->deleted, 1);
}

static void the_pod_is_told_what_to_send_and_where(void **state)
{
    world_t *world = *state;
    world->log = START SUM;
    start(world, ENV, 50);
    run(world, 2000);
    const json_t *metadata = json_object_get(world->created, "metadata");
    const json_t *containers =
        json_object_get(json_object_get(world->created, "spec"), "containers");
    const json_t *container = json_array_get(containers, 0);
    AUTO_FREE char *arguments = json_dumps(json_object_get(container, "args"), JSON_COMPACT);
    AUTO_FREE char *labels = json_dumps(json_object_get(metadata, "labels"), JSON_COMPACT);
    assert_string_equal(json_string_value(json_object_get(metadata, "namespace")), "default");
    assert_string_equal(labels, "{\"job\":\"wrk2-job\",\"job-name\":\"wrk2-job\"}");
    assert_string_equal(json_string_value(json_object_get(container, "image")),
        "deathstarbench/wrk2-client:latest");
    assert_string_equal(arguments,
        "[\"--rate=50\",\"--duration=0\",\"--connections=4\",\"--distribution=exp\","
        "\"--mix=mixed-workload_type_1\",\"--seed=7\",\"http://frontend\"]");
}

static void a_load_that_is_stopped_tells_its_sum(void **state)
{
    world_t *world = *state;
    AUTO_FREE char *two = lines(2);
    AUTO_FREE char *all = xasprintf("%s" SUM, two);
    world->log = two;
    world->log_after_deletion = all;
    start(world, ENV, 50);
    run(world, 2000);
    assert_string_equal(world->reports, "1/100/2 2/100/2 ");
    stop(world, world->load);
    run(world, 1000);
    assert_string_equal(world->final, "2/200/4 1.25 ");
}

static void a_sum_that_never_comes_is_made_up_from_the_seconds(void **state)
{
    world_t *world = *state;
    AUTO_FREE char *two = lines(2);
    world->log = two;
    world->log_after_deletion = two;
    start(world, ENV, 50);
    run(world, 1000);
    stop(world, world->load);
    run(world, 8000);
    assert_string_equal(world->final, "2/200/4 1.5 the worker gave no sum when it was stopped");
}

static void the_sum_can_be_asked_for_again(void **state)
{
    world_t *world = *state;
    world->log = START SUM;
    start(world, ENV, 50);
    run(world, 2000);
    stop(world, world->load);
    run(world, 100);
    assert_string_equal(world->final, "2/200/4 1.25 ");
}

static void a_load_of_an_unknown_environment_is_refused(void **state)
{
    world_t *world = *state;
    start(world, "env-99999999", 50);
    run(world, 2000);
    assert_string_equal(world->failure, "no load in environment 'env-99999999': there is no "
                                        "environment 'env-99999999'");
}

static void a_rate_of_nothing_is_refused(void **state)
{
    world_t *world = *state;
    start(world, ENV, 0);
    run(world, 100);
    assert_string_equal(world->failure, "rate 0 is not above 0 and at most 100000");
}

static void a_load_of_a_vanished_environment_ends_with_a_reason(void **state)
{
    world_t *world = *state;
    AUTO_FREE char *two = lines(2);
    world->log = two;
    start(world, ENV, 50);
    run(world, 1000);
    env_info_t gone = {.env = ENV,
        .state = "gone",
        .reason = "its first process died",
        .app = "",
        .namespace = "",
        .node = "a"};
    bus_publish(world->cluster, "env/" ENV "/state", &env_info_type, &gone);
    run(world, 1000);
    assert_string_equal(world->reports,
        "1/100/2 2/100/2 2/200/4 final environment '" ENV "' is gone: its first process died ");
}

static void a_load_whose_environment_falls_silent_ends_with_a_reason(void **state)
{
    world_t *world = *state;
    AUTO_FREE char *one = lines(1);
    world->log = one;
    start(world, ENV, 50);
    run(world, 1000);
    http_stub_destroy(&world->stub);
    run(world, 60000);
    assert_non_null(strstr(world->reports, "1/100/2 final "));
    assert_non_null(strstr(world->reports, "environment '" ENV "' does not answer"));
}

static void a_pod_that_does_not_start_fails_the_load(void **state)
{
    world_t *world = *state;
    world->phase = "Pending";
    start(world, ENV, 50);
    run(world, 20000);
    assert_non_null(strstr(world->failure, "gave no sign of life (Pending)"));
    assert_int_equal(world->deleted, 1);
}

static void another_instance_goes_on_with_a_running_load(void **state)
{
    world_t *world = *state;
    AUTO_FREE char *one = lines(1);
    AUTO_FREE char *two = lines(2);
    world->log = one;
    start(world, ENV, 50);
    run(world, 1000);
    stop_loadgen(world);
    world->log = two;
    json_array_append_new(
        world->listed, json_pack("{ss, ss}", "env", ENV, "state", world->env_state));
    world->reports[0] = '\0';
    start_loadgen(world);
    run(world, 8000);
    assert_non_null(strstr(world->reports, "2/100/2 "));
}

static void another_instance_can_stop_a_load_that_it_does_not_know(void **state)
{
    world_t *world = *state;
    AUTO_FREE char *one = lines(1);
    world->log = one;
    world->log_after_deletion = START SUM;
    start(world, ENV, 50);
    run(world, 1000);
    stop_loadgen(world);
    start_loadgen(world);
    run(world, 8000);
    stop(world, world->load);
    run(world, 2000);
    assert_string_equal(world->final, "2/200/4 1.25 ");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_load_is_a_pod_whose_reports_are_published),
        TEST(the_pod_is_told_what_to_send_and_where),
        TEST(a_load_that_is_stopped_tells_its_sum),
        TEST(a_sum_that_never_comes_is_made_up_from_the_seconds),
        TEST(the_sum_can_be_asked_for_again),
        TEST(a_load_of_an_unknown_environment_is_refused),
        TEST(a_rate_of_nothing_is_refused),
        TEST(a_load_of_a_vanished_environment_ends_with_a_reason),
        TEST(a_load_whose_environment_falls_silent_ends_with_a_reason),
        TEST(a_pod_that_does_not_start_fails_the_load),
        TEST(another_instance_goes_on_with_a_running_load),
        TEST(another_instance_can_stop_a_load_that_it_does_not_know),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
