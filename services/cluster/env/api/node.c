/* What the node answers: logs, exec, and proxies to pods, Services and the node itself. */
#include "services/cluster/env/api/api_internal.h"

#include "services/cluster/env/api/live.h"
#include "services/cluster/env/api/node_reply.h"
#include "services/cluster/env/api/status.h"
#include "services/cluster/env/object.h"

#include "base/auto.h"
#include "base/mem.h"

/* ---- pods --------------------------------------------------------------------------------- */

static const json_t *find_container(const json_t *pod, const char *name)
{
    static const char *const lists[] = {
        "spec.containers", "spec.initContainers", "spec.ephemeralContainers"};
    for (size_t i = 0; i < ARRAY_SIZE(lists); i++) {
        size_t j;
        json_t *container;
        json_array_foreach(object_at(pod, lists[i]), j, container)
        {
            if (!strcmp(object_string(container, "name"), name))
                return container;
        }
    }
    return NULL;
}

/* The container that a request is about; NULL if the request was answered. */
static const char *choose_container(request_t *request, const json_t *pod)
{
    const json_t *containers = object_at(pod, "spec.containers");
    const char *name = request_query(request, "container");
    const char *preferred = object_annotation(pod, "kubectl.kubernetes.io/default-container");
    if (!name || !*name)
        name = json_array_size(containers) == 1
                   ? object_string(json_array_get(containers, 0), "name")
                   : preferred;
    if (name && find_container(pod, name))
        return name;
    if (name) {
        reply_bad_request(request, "container %s is not valid for pod %s", name, object_name(pod));
        return NULL;
    }
    AUTO(buffer_done) buffer_t names = {0};
    size_t i;
    json_t *container;
    buffer_add_text(&names, "");
    json_array_foreach(containers, i, container)
        buffer_format(&names, "%s%s", i ? " " : "", object_string(container, "name"));
    reply_bad_request(request, "a container name must be specified for pod %s, choose one of: [%s]",
        object_name(pod), names.bytes);
    return NULL;
}

static int64_t number_of(const request_t *request, const char *key, int64_t otherwise)
{
    const char *text = request_query(request, key);
    return text && *text ? strtoll(text, NULL, 10) : otherwise;
}

static int64_t since_ms(const request_t *request)
{
    const char *at = request_query(request, "sinceTime");
    int64_t seconds = number_of(request, "sinceSeconds", 0);
    if (seconds > 0)
        return ((int64_t)time(NULL) - seconds) * 1000;
    time_t parsed = object_time_parse(at ? at : "");
    return parsed > 0 ? (int64_t)parsed * 1000 : 0;
}

static void handle_log(api_t *self, request_t *request, json_t *pod)
{
    const char *container = choose_container(request, pod);
    if (!container)
        return;
    node_log_t log = {
        .pod = pod,
        .container = container,
        .is_following = request_flag(request, "follow"),
        .is_previous = request_flag(request, "previous"),
        .has_timestamps = request_flag(request, "timestamps"),
        .tail_lines = number_of(request, "tailLines", -1),
        .limit_bytes = number_of(request, "limitBytes", -1),
        .since_ms = since_ms(request),
    };
    node_reply_t *reply = node_reply_new(request, log.is_following);
    self->node->log(self->node_arg, &log, reply);
}

/* Without an upgrade the command just runs, and its output is the answer: for clients that have no
 * streams, which a real server does not serve. */
static void handle_exec(api_t *self, request_t *request, json_t *pod)
{
    const char *container = choose_container(request, pod);
    size_t count = 0;
    if (!container)
        return;
    AUTO_FREE char **argv = xcalloc(request->item_count + 1, sizeof(*argv));
    for (size_t i = 0; i < request->item_count; i++) {
        if (!strcmp(request->items[i].key, "command"))
            argv[count++] = request->items[i].value;
    }
    if (!count) {
        reply_bad_request(request, "you must specify at least one command for the container");
        return;
    }
    if (request->upgrade) {
        live_handle(self, request, pod, container, argv);
        return;
    }
    node_exec_t exec = {.pod = pod, .container = container, .argv = (const char *const *)argv};
    self->node->exec(self->node_arg, &exec, node_reply_new(request, false));
}

static void handle_attach(api_t *self, request_t *request, json_t *pod)
{
    const char *container = choose_container(request, pod);
    if (container)
        live_handle(self, request, pod, container, NULL);
}

/* ---- proxies ------------------------------------------------------------------------------ */

/* "NAME", "NAME:PORT" or "SCHEME:NAME:PORT" of a proxied resource. */
typedef struct place {
    char *name;
    char *port; /* "" for none */
    bool is_tls;
} place_t;

static void place_init(place_t *place, const char *text)
{
    const char *first = strchr(text, ':');
    const char *second = first ? strchr(first + 1, ':') : NULL;
    place->is_tls = second && !strncmp(text, "https:", 6);
    const char *name = second ? first + 1 : text;
    size_t length = strcspn(name, ":");
    place->name = xstrndup(name, length);
    place->port = xstrdup(name[length] ? name + length + 1 : "");
}

static void place_done(place_t *place)
{
    free(place->name);
    free(place->port);
}

static void forward(api_t *self, request_t *request, const target_t *target, node_http_t *http)
{
    AUTO_FREE char *path = xasprintf("%s%s%s", target->rest && *target->rest ? target->rest : "/",
        *request->query ? "?" : "", request->query);
    http->method = request->method;
    http->path = path;
    http->content_type = request->content_type;
    http->body = request->body.bytes;
    http->body_size = request->body.size;
    self->node->http(self->node_arg, http, node_reply_new(request, false));
}

/* The port of a pod by number or by the name of a container's port; the first one for "". */
static int pod_port(const json_t *pod, const char *text)
{
    size_t i, j;
    json_t *container;
    json_t *port;
    int number = (int)strtol(text, NULL, 10);
    if (number > 0)
        return number;
    json_array_foreach(object_at(pod, "spec.containers"), i, container)
    {
        json_array_foreach(json_object_get(container, "ports"), j, port)
        {
            if (!*text || !strcmp(object_string(port, "name"), text))
                return (int)object_integer(port, "containerPort", 0);
        }
    }
    return 0;
}

static void proxy_to_pod(
    api_t *self, request_t *request, const target_t *target, const place_t *place)
{
    json_t *pod = store_get(self->store, target->kind, target->namespace, place->name);
    if (!pod) {
        reply_not_found(request, target->kind, place->name);
        return;
    }
    node_http_t http = {.pod = pod,
        .address = object_string(pod, "status.podIP"),
        .port = pod_port(pod, place->port),
        .is_tls = place->is_tls};
    if (!http.port)
        http.port = place->is_tls ? 443 : 80;
    if (*http.address)
        forward(self, request, target, &http);
    else
        reply_status(request, 503, "ServiceUnavailable", NULL,
            "address not allowed: the pod "
            "\"%s\" has no address yet",
            place->name);
}

/* The Service's port by name or number, or its only one; NULL if there is none. */
static const json_t *service_port(const json_t *service, const char *text)
{
    const json_t *ports = object_at(service, "spec.ports");
    size_t i;
    json_t *port;
    json_array_foreach(ports, i, port)
    {
        if (!strcmp(object_string(port, "name"), text)
            || (strtol(text, NULL, 10) > 0
                && object_integer(port, "port", 0) == strtol(text, NULL, 10)))
            return port;
    }
    return !*text && json_array_size(ports) == 1 ? json_array_get(ports, 0) : NULL;
}

/* The first ready address of a Service's port; false if there is none. */
static bool find_endpoint(
    const json_t *endpoints, const json_t *port, const char **address_p, int *port_p)
{
    size_t i, j;
    json_t *subset;
    json_t *each;
    json_array_foreach(json_object_get(endpoints, "subsets"), i, subset)
    {
        const json_t *address = json_array_get(json_object_get(subset, "addresses"), 0);
        json_array_foreach(json_object_get(subset, "ports"), j, each)
        {
            if (!address || strcmp(object_string(each, "name"), object_string(port, "name")) != 0)
                continue;
            *address_p = object_string(address, "ip");
            *port_p = (int)object_integer(each, "port", 0);
            return true;
        }
    }
    return false;
}

static void proxy_to_service(
    api_t *self, request_t *request, const target_t *target, const place_t *place)
{
    json_t *service = store_get(self->store, target->kind, target->namespace, place->name);
    const json_t *endpoints =
        store_get(self->store, kind_find("Endpoints"), target->namespace, place->name);
    const json_t *port = service_port(service, place->port);
    node_http_t http = {.is_tls = place->is_tls};
    if (!service)
        reply_not_found(request, target->kind, place->name);
    else if (!port)
        reply_status(request, 503, "ServiceUnavailable", NULL,
            "no service port \"%s\" found for service \"%s\"", place->port, place->name);
    else if (!find_endpoint(endpoints, port, &http.address, &http.port))
        reply_status(request, 503, "ServiceUnavailable", NULL,
            "no endpoints available for service \"%s\"", place->name);
    else
        forward(self, request, target, &http);
}

static void proxy_to_node(
    api_t *self, request_t *request, const target_t *target, const place_t *place)
{
    if (!store_get(self->store, target->kind, NULL, place->name)) {
        reply_not_found(request, target->kind, place->name);
        return;
    }
    self->node->metrics(self->node_arg, place->name,
        target->rest && *target->rest ? target->rest : "/", node_reply_new(request, false));
}

static void handle_proxy(api_t *self, request_t *request, const target_t *target)
{
    place_t place;
    place_init(&place, target->name);
    if (kind_is(target->kind, "Pod"))
        proxy_to_pod(self, request, target, &place);
    else if (kind_is(target->kind, "Service"))
        proxy_to_service(self, request, target, &place);
    else
        proxy_to_node(self, request, target, &place);
    place_done(&place);
}

/* ---- dispatch ----------------------------------------------------------------------------- */

static bool is_one_of(const char *text, const char *const *texts)
{
    for (size_t i = 0; texts[i]; i++) {
        if (!strcmp(text, texts[i]))
            return true;
    }
    return false;
}

void node_handle(api_t *self, request_t *request, const target_t *target)
{
    static const char *const of_pods[] = {"attach", "exec", "log", "portforward", "proxy", NULL};
    static const char *const of_others[] = {"proxy", NULL};
    const kind_t *kind = target->kind;
    bool is_pod = kind_is(kind, "Pod");
    bool has_proxy = is_pod || kind_is(kind, "Service") || kind_is(kind, "Node");
    if (!has_proxy || !is_one_of(target->subresource, is_pod ? of_pods : of_others)) {
        reply_status(request, 404, "NotFound", json_object(),
            "the server could not find the requested resource");
        return;
    }
    if (!self->node) {
        reply_status(request, 503, "ServiceUnavailable", NULL, "no node agent is running");
        return;
    }
    if (!strcmp(target->subresource, "proxy")) {
        handle_proxy(self, request, target);
        return;
    }
    json_t *pod = store_get(self->store, target->kind, target->namespace, target->name);
    if (!pod)
        reply_not_found(request, target->kind, target->name);
    else if (!*object_string(pod, "spec.nodeName"))
        reply_bad_request(request, "pod %s does not have a host assigned", target->name);
    else if (!strcmp(target->subresource, "log"))
        handle_log(self, request, pod);
    else if (!strcmp(target->subresource, "attach"))
        handle_attach(self, request, pod);
    else if (!strcmp(target->subresource, "portforward"))
        live_handle_ports(self, request, pod);
    else
        handle_exec(self, request, pod);
}
