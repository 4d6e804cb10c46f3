#include "tests/integration/telemetry/stage.h"

#include "base/auto.h"
#include "base/mem.h"

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

void run(world_t *world, int64_t span_ms)
{
    ev_sim_run_for(world->bus_world->ev, span_ms);
}

void ask(world_t *world, const codec_type_t *type, const void *message)
{
    bus_call_t call = {
        .target = "telemetry", .type = type, .message = message, .timeout_ms = 20000};
    bus_request(world->client, &call, on_reply, world);
    run(world, 500);
}

void ask_for_log(world_t *world, const char *env, const char *service)
{
    ask(world, &logs_get_type, &(logs_get_t){.env = env, .namespace = SHOP, .service = service});
}

void publish_state(world_t *world, const char *state)
{
    env_info_t info = {
        .env = ENV, .state = state, .app = "hotel-reservation", .namespace = SHOP, .node = "a"};
    bus_publish(world->cluster, "env/" ENV "/state", &env_info_type, &info);
}

const char *file(const world_t *world, const char *path)
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

void start_telemetry(world_t *world)
{
    world->own = bus_world_program(world->bus_world, "telemetry", NULL);
    world->metrics = metrics_new();
    world->telemetry = telemetry_new(&(telemetry_config_t){
        .ev = world->bus_world->ev, .bus = world->own, .metrics = world->metrics});
}

void stop_telemetry(world_t *world)
{
    telemetry_destroy(&world->telemetry);
    metrics_destroy(&world->metrics);
    bus_destroy(&world->own);
}

int set_up(void **state)
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

int tear_down(void **state)
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
