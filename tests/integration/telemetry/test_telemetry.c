/* The telemetry service between a played cluster service and a played API server, in virtual time.
 */
#include "base/auto.h"
#include "base/mem.h"
#include "services/telemetry/telemetry.h"
#include "tests/support/bus_world.h"
#include "tests/support/http_stub.h"

#define ENV        "env-0123abcd"
#define SHOP       "test-hotel-reservation"
#define TEST(rule) cmocka_unit_test_setup_teardown(rule, set_up, tear_down)

typedef struct world {
    bus_world_t *bus_world;
    http_stub_t *stub;
    bus_t *cluster;
    bus_t *own; /* the service's */
    bus_t *client;
    metrics_t *metrics;
    telemetry_t *telemetry;
    bool has_server; /* whether env.get tells the address */
    int scrapes;     /* of the node */
    int events;      /* Kubernetes events published */
    int samples;     /* ticks published */
    size_t sample_count;
    int answers;
    err_t err; /* of the last request */
    char *text;
    json_t *files;
} world_t;

/* ---- players ------------------------------------------------------------------------------ */

static void play_env_get(void *arg, bus_request_t *request, const void *message)
{
    world_t *world = arg;
    const env_get_t *get = message;
    env_info_t info = {.env = get->env,
        .state = "creating",
        .app = "hotel-reservation",
        .namespace = SHOP,
        .node = "a",
        .server = world->has_server ? http_stub_url(world->stub) : NULL,
        .token = "operator"};
    if (strcmp(get->env, ENV) == 0)
        bus_reply(&request, &env_info_type, &info);
    else
        bus_fail(&request, ERR_NOT_FOUND, "there is no environment '%s'", get->env);
}

static const char *pod =
    "{'metadata':{'name':'geo-1','namespace':'" SHOP "','resourceVersion':'1',"
    "'labels':{'io.kompose.service':'geo'},'annotations':{'prometheus.io/scrape':'true',"
    "'prometheus.io/port':'8083'}},'spec':{'nodeName':'kind-worker'},"
    "'status':{'phase':'Running','podIP':'10.244.0.5'}}";

static const char *cadvisor =
    "# TYPE container_cpu_usage_seconds_total counter\n"
    "container_cpu_usage_seconds_total{container='c',namespace='" SHOP "',pod='geo-1'} 1.5\n"
    "container_network_receive_bytes_total{interface='eth0',namespace='" SHOP "',pod='geo-1'} 77\n"
    "container_threads_max{container='c',namespace='" SHOP "',pod='geo-1'} 512\n"
    "container_fs_reads_total{container='c',namespace='" SHOP "',pod='geo-1'} 4\n";

static const char *app_metrics = "http_requests_total{route='/nearby',status='200'} 12\n"
                                 "http_request_duration_seconds_bucket{le='0.1'} 3\n"
                                 "http_request_duration_seconds_sum 0.25\n";

static const char *traces =
    "{'data':[{'traceID':'t1','spans':[{'spanID':'a','operationName':'/nearby','references':[],"
    "'startTime':10,'duration':30,'processID':'p1','tags':[]}],"
    "'processes':{'p1':{'serviceName':'geo'}}}]}";

static char *quoted(const char *text)
{
    char *copy = xstrdup(text);
    for (char *c = copy; *c; c++)
        *c = *c == '\'' ? '"' : *c;
    return copy;
}

static char *list_of(const char *items)
{
    AUTO_FREE char *text = xasprintf("{'metadata':{'resourceVersion':'9'},'items':[%s]}", items);
    return quoted(text);
}

/* What is answered to a path, for free(); NULL: nothing there. */
static char *play(world_t *world, const char *path)
{
    if (strcmp(path, "/api/v1/pods") == 0)
        return list_of(pod);
    if (strcmp(path, "/api/v1/nodes") == 0)
        return list_of("{'metadata':{'name':'kind-worker','resourceVersion':'1'}}");
    if (strcmp(path, "/api/v1/events") == 0)
        return list_of("{'metadata':{'name':'e','namespace':'" SHOP "','resourceVersion':'1'}}");
    if (strcmp(path, "/api/v1/nodes/kind-worker/proxy/metrics/cadvisor") == 0) {
        world->scrapes++;
        return quoted(cadvisor);
    }
    if (strcmp(path, "/api/v1/namespaces/" SHOP "/pods/geo-1:8083/proxy/metrics") == 0)
        return quoted(app_metrics);
    if (strcmp(path, "/api/v1/namespaces/" SHOP "/pods/geo-1/log") == 0)
        return xstrdup("first\nsecond\n");
    if (strcmp(path, "/api/v1/namespaces/" SHOP "/services/jaeger:16686/proxy/api/services") == 0)
        return quoted("{'data':['geo','jaeger-all-in-one']}");
    if (strcmp(path, "/api/v1/namespaces/" SHOP "/services/jaeger:16686/proxy/api/traces") == 0)
        return quoted(traces);
    return NULL;
}

static void play_api(void *arg, const http_stub_request_t *request, http_stub_answer_t *answer)
{
    world_t *world = arg;
    answer->is_unending = strstr(request->query, "watch=") != NULL;
    answer->body = answer->is_unending ? xstrdup("") : play(world, request->path);
    if (answer->body)
        return;
    answer->status = 404;
    answer->body = quoted("{'reason':'NotFound','message':'it is not there'}");
}

/* ---- the client --------------------------------------------------------------------------- */

static void on_event(void *arg, const bus_event_t *event)
{
    world_t *world = arg;
    world->events += event->type == &kube_event_type;
    if (event->type != &samples_type)
        return;
    world->samples++;
    world->sample_count = json_array_size(((const samples_t *)event->message)->samples);
}

static void on_reply(void *arg, const bus_reply_t *reply)
{
    world_t *world = arg;
    world->answers++;
    if (reply->err)
        world->err = *reply->err;
    else if (reply->type == &text_type)
        world->text = xstrdup(((const text_t *)reply->message)->text);
    else if (reply->type == &export_type)
        world->files = json_incref(((const export_t *)reply->message)->files);
}

static void run(world_t *world, int64_t span_ms)
{
    ev_sim_run_for(world->bus_world->ev, span_ms);
}

static void ask(world_t *world, const codec_type_t *type, const void *message)
{
    bus_call_t call = {
        .target = "telemetry", .type = type, .message = message, .timeout_ms = 20000};
    bus_request(world->client, &call, on_reply, world);
    run(world, 500);
}

static void ask_for_log(world_t *world, const char *env, const char *service)
{
    ask(world, &logs_get_type, &(logs_get_t){.env = env, .namespace = SHOP, .service = service});
}

static void publish_state(world_t *world, const char *state)
{
    env_info_t info = {
        .env = ENV, .state = state, .app = "hotel-reservation", .namespace = SHOP, .node = "a"};
    bus_publish(world->cluster, "env/" ENV "/state", &env_info_type, &info);
}

static const char *file(const world_t *world, const char *path)
{
    size_t i = 0;
    json_t *entry = NULL;
    json_array_foreach(world->files, i, entry)
    {
        if (strcmp(json_string_value(json_object_get(entry, "path")), path) == 0)
            return json_string_value(json_object_get(entry, "text"));
    }
    return "";
}

/* ---- life cycle --------------------------------------------------------------------------- */

static void start_telemetry(world_t *world)
{
    world->own = bus_world_program(world->bus_world, "telemetry", NULL);
    world->metrics = metrics_new();
    world->telemetry = telemetry_new(&(telemetry_config_t){
        .ev = world->bus_world->ev, .bus = world->own, .metrics = world->metrics});
}

static void stop_telemetry(world_t *world)
{
    telemetry_destroy(&world->telemetry);
    metrics_destroy(&world->metrics);
    bus_destroy(&world->own);
}

static int set_up(void **state)
{
    static const bus_handler_t handlers[] = {{&env_get_type, play_env_get}};
    world_t *world = xcalloc(1, sizeof(*world));
    void *bus_world = NULL;
    bus_world_set_up(&bus_world);
    world->bus_world = bus_world;
    world->has_server = true;
    world->stub = http_stub_new(world->bus_world->ev, NULL, NULL, play_api, world);
    world->cluster = bus_world_program(world->bus_world, "cluster", "a");
    bus_serve(world->cluster, "cluster", handlers, ARRAY_SIZE(handlers), world);
    world->client = bus_world_program(world->bus_world, "client", NULL);
    bus_subscribe(world->client, "env/" ENV "/", on_event, world);
    start_telemetry(world);
    run(world, 1000);
    *state = world;
    return 0;
}

static int tear_down(void **state)
{
    world_t *world = *state;
    stop_telemetry(world);
    bus_destroy(&world->client);
    bus_destroy(&world->cluster);
    http_stub_destroy(&world->stub);
    void *bus_world = world->bus_world;
    bus_world_tear_down(&bus_world);
    json_decref(world->files);
    free(world->text);
    free(world);
    return 0;
}

/* ---- rules -------------------------------------------------------------------------------- */

static void an_environment_is_collected_from_its_creation(void **state)
{
    world_t *world = *state;

    publish_state(world, "creating");
    run(world, 3500);

    assert_in_range(world->scrapes, 3, 4);
    assert_in_range(world->samples, 3, 4);
    assert_int_equal(world->sample_count, 5); /* three of the node, two of the pod */
    assert_int_equal(world->events, 1);
}

static void one_without_an_address_is_asked_for_again(void **state)
{
    world_t *world = *state;
    world->has_server = false;
    publish_state(world, "creating");
    run(world, 1000);
    assert_int_equal(world->scrapes, 0);

    world->has_server = true;
    run(world, 3000);

    assert_in_range(world->scrapes, 1, 4);
}

static void one_that_is_gone_is_left_alone(void **state)
{
    world_t *world = *state;
    publish_state(world, "ready");
    run(world, 2000);

    publish_state(world, "gone");
    run(world, 100);
    int scrapes = world->scrapes;
    run(world, 5000);

    assert_int_equal(world->scrapes, scrapes);
}

static void a_restarted_telemetry_finds_what_there_is(void **state)
{
    world_t *world = *state;
    publish_state(world, "ready");
    run(world, 1500);
    stop_telemetry(world);
    world->scrapes = 0;

    start_telemetry(world);
    run(world, 2500);

    assert_in_range(world->scrapes, 1, 3);
}

static void the_log_of_a_service_is_its_first_pods(void **state)
{
    world_t *world = *state;
    publish_state(world, "ready");
    run(world, 100);

    ask_for_log(world, ENV, "geo");

    assert_string_equal(world->text, "first\nsecond\n");
}

static void an_unknown_service_is_answered_as_in_the_original(void **state)
{
    world_t *world = *state;
    publish_state(world, "ready");
    run(world, 100);

    ask_for_log(world, ENV, "nobody");

    assert_int_equal(world->err.code, ERR_NOT_FOUND);
    assert_string_equal(
        world->err.text, "Error: Your service/namespace does not exist. Use kubectl to check.");
}

static void an_environment_may_be_asked_for_before_it_is_known(void **state)
{
    world_t *world = *state;

    ask_for_log(world, ENV, "geo");

    assert_string_equal(world->text, "first\nsecond\n");
}

static void an_environment_that_is_not_there_is_an_error(void **state)
{
    world_t *world = *state;

    ask_for_log(world, "env-none", "geo");

    assert_int_equal(world->answers, 1);
    assert_int_equal(world->err.code, ERR_UNAVAILABLE);
    assert_string_equal(world->err.text, "environment 'env-none': it does not exist");
}

static void metrics_are_files_as_in_the_original(void **state)
{
    world_t *world = *state;
    publish_state(world, "ready");
    run(world, 2500);

    ask(world, &metrics_export_type,
        &(metrics_export_t){.env = ENV, .namespace = SHOP, .duration_min = 5});

    assert_non_null(strstr(file(world, "container/kpi_container_cpu_usage_seconds_total.csv"),
        ",kind-worker.geo-1,container_cpu_usage_seconds_total,1.5\n"));
    assert_non_null(strstr(file(world, "container/kpi_container_network_receive_bytes_total.csv"),
        ",kind-worker.geo-1,container_network_receive_bytes_total.eth0,77.0\n"));
    assert_non_null(strstr(file(world, "container/kpi_container_threads_max.csv"), ",512.0\n"));
    assert_string_equal(file(world, "container/kpi_container_fs_reads_total.csv"), "");
}

static void beside_them_are_the_applications_own(void **state)
{
    world_t *world = *state;
    publish_state(world, "ready");
    run(world, 2500);

    ask(world, &metrics_export_type,
        &(metrics_export_t){.env = ENV, .namespace = SHOP, .duration_min = 5});

    assert_non_null(strstr(file(world, "app/kpi_http_requests_total.csv"),
        ",kind-worker.geo-1,http_requests_total.route=/nearby.status=200,12.0\n"));
    assert_string_equal(file(world, "app/kpi_http_request_duration_seconds_bucket.csv"), "");
}

static void and_what_the_load_generator_saw(void **state)
{
    world_t *world = *state;
    publish_state(world, "ready");
    run(world, 1500);
    load_report_t report = {.load = "wrk2-job-x",
        .env = ENV,
        .second = 1,
        .sent = 10,
        .ok = 8,
        .errors = 2,
        .p50_ms = 1.25};
    bus_publish(world->client, "env/" ENV "/load", &load_report_type, &report);
    run(world, 100);

    ask(world, &metrics_export_type,
        &(metrics_export_t){.env = ENV, .namespace = SHOP, .duration_min = 5});

    assert_non_null(
        strstr(file(world, "load/kpi_load_errors.csv"), ",wrk2-job-x,load_errors,2.0\n"));
}

static void traces_are_a_file_as_in_the_original(void **state)
{
    world_t *world = *state;
    publish_state(world, "ready");
    run(world, 100);

    ask(world, &traces_export_type,
        &(traces_export_t){.env = ENV, .namespace = SHOP, .duration_min = 5});

    assert_string_equal(file(world, "traces.csv"),
        "trace_id,span_id,parent_span,service_name,operation_name,start_time,duration,has_error,"
        "response\nt1,a,ROOT,geo,/nearby,10,30,False,Unknown\n");
}

static void a_namespace_without_traces_is_an_error(void **state)
{
    world_t *world = *state;
    publish_state(world, "ready");
    run(world, 100);

    ask(world, &traces_export_type,
        &(traces_export_t){.env = ENV, .namespace = "default", .duration_min = 5});

    assert_int_equal(world->err.code, ERR_NOT_FOUND);
    assert_string_equal(world->err.text, "it is not there");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(an_environment_is_collected_from_its_creation),
        TEST(one_without_an_address_is_asked_for_again),
        TEST(one_that_is_gone_is_left_alone),
        TEST(a_restarted_telemetry_finds_what_there_is),
        TEST(the_log_of_a_service_is_its_first_pods),
        TEST(an_unknown_service_is_answered_as_in_the_original),
        TEST(an_environment_may_be_asked_for_before_it_is_known),
        TEST(an_environment_that_is_not_there_is_an_error),
        TEST(metrics_are_files_as_in_the_original),
        TEST(beside_them_are_the_applications_own),
        TEST(and_what_the_load_generator_saw),
        TEST(traces_are_a_file_as_in_the_original),
        TEST(a_namespace_without_traces_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
