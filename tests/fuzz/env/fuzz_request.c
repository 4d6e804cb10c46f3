/* Whole requests: "METHOD URL CONTENT-TYPE\nBODY" against an API that holds a few objects. Each
 * must be answered, and what it stores must be readable again. */
#include "services/cluster/env/api/api_internal.h"

#include "base/auto.h"
#include "base/mem.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

typedef struct world {
    ev_t *ev;
    store_t *store;
    api_t *api;
} world_t;

static void make(world_t *self, const char *kind, const char *text)
{
    store_create(self->store, kind_find(kind), json_loads(text, 0, NULL), NULL, NULL);
}

static void world_init(world_t *self)
{
    static const api_config_t config;
    self->ev = ev_sim_new();
    self->store = store_new(self->ev, 1);
    self->api = api_bare(self->ev, self->store, &config);
    make(self, "Namespace", "{\"metadata\":{\"name\":\"default\"}}");
    make(self, "Pod",
        "{\"metadata\":{\"name\":\"p\"},\"spec\":{\"nodeName\":\"n\",\"containers\":"
        "[{\"name\":\"c\",\"image\":\"i\"}]}}");
    make(self, "Deployment",
        "{\"metadata\":{\"name\":\"d\",\"managedFields\":[{\"manager\":\"m\","
        "\"operation\":\"Apply\",\"fieldsV1\":{\"f:spec\":{}}}]},\"spec\":{"
        "\"template\":{}}}");
}

static void world_done(world_t *self)
{
    api_destroy(&self->api);
    store_destroy(&self->store);
    ev_destroy(&self->ev);
}

static void ask(
    world_t *self, const char *method, const char *url, char *type, const char *body, size_t size)
{
    AUTO(request_destroy) request_t *request = request_new(method, url);
    request->content_type = type;
    request->accept = xstrdup(size % 2 ? "application/json;as=Table" : "application/json");
    buffer_add(&request->body, body, size);
    api_handle(self->api, request);
    if (!request->reply.status)
        abort();
    if (request->reply.stream) {
        char bytes[512];
        bool is_end;
        (void)stream_read(request->reply.stream, bytes, sizeof(bytes), &is_end);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *line_end = size ? memchr(data, '\n', size) : NULL;
    world_t world;
    if (!line_end)
        return 0;
    AUTO_FREE char *line = xstrndup((const char *)data, (size_t)(line_end - (const char *)data));
    char *rest = line;
    const char *method = strsep(&rest, " ");
    const char *url = rest ? strsep(&rest, " ") : "";
    world_init(&world);
    ask(&world, method, url, xstrdup(rest ? rest : ""), line_end + 1,
        size - (size_t)(line_end + 1 - (const char *)data));
    ask(&world, "GET", "/apis/apps/v1/deployments", NULL, "", 0);
    ask(&world, "GET", "/api/v1/services", NULL, "x", 1);
    ask(&world, "GET", "/api/v1/pods", NULL, "x", 1);
    ev_sim_run_for(world.ev, 1);
    world_done(&world);
    return 0;
}
