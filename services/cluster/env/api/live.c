#include "services/cluster/env/api/live.h"

#include "services/cluster/env/api/status.h"
#include "services/cluster/env/api/websocket.h"
#include "services/cluster/env/object.h"

#include "base/auto.h"
#include "base/mem.h"

/* ---- what is spoken after an upgrade -------------------------------------------------------- */

typedef struct protocol {
    const char *name;
    void (*open)(void *wish, tunnel_t *tunnel);
} protocol_t;

typedef struct protocols {
    const char *upgrade;
    const char *header;
    const protocol_t *list; /* ends with a name NULL; the first that the client knows is taken */
} protocols_t;

enum { WEBSOCKET, SPDY, UPGRADE_COUNT };

static const protocols_t channels[UPGRADE_COUNT] = {
    [WEBSOCKET] = {"websocket", "Sec-WebSocket-Protocol",
        (const protocol_t[]){{"v5.channel.k8s.io", live_websocket_open},
            {"v4.channel.k8s.io", live_websocket_open}, {NULL, NULL}}},
    [SPDY] = {"SPDY/3.1", "X-Stream-Protocol-Version",
        (const protocol_t[]){{"v4.channel.k8s.io", live_spdy_open}, {NULL, NULL}}},
};

static const protocols_t ports[UPGRADE_COUNT] = {
    [WEBSOCKET] = {"websocket", "Sec-WebSocket-Protocol",
        (const protocol_t[]){{"SPDY/3.1+portforward.k8s.io", live_forward_open}, {NULL, NULL}}},
    [SPDY] = {"SPDY/3.1", "X-Stream-Protocol-Version",
        (const protocol_t[]){{"portforward.k8s.io", live_forward_open}, {NULL, NULL}}},
};

static bool is_offered(const char *offered, const char *name)
{
    size_t length = strlen(name);
    for (const char *at = offered; at && *at; at += strcspn(at, ",")) {
        at += strspn(at, ", ");
        if (strcspn(at, ", ") == length && !strncmp(at, name, length))
            return true;
    }
    return false;
}

static const protocol_t *choose_protocol(const protocols_t *protocols, const char *offered)
{
    for (const protocol_t *each = protocols->list; each->name; each++) {
        if (is_offered(offered, each->name))
            return each;
    }
    return NULL;
}

static void on_dropped(void *arg)
{
    live_wish_t *wish = arg;
    live_wish_destroy(&wish);
}

/* Takes the wish. */
static void upgrade(request_t *request, const protocols_t *protocols, live_wish_t *wish)
{
    bool is_websocket = request->upgrade && !strcasecmp(request->upgrade, "websocket");
    const protocols_t *these = &protocols[is_websocket ? WEBSOCKET : SPDY];
    const protocol_t *protocol = choose_protocol(these, request->upgrade_protocols);
    if (!request->upgrade || strcasecmp(request->upgrade, these->upgrade) != 0
        || (is_websocket && !request->websocket_key)) {
        reply_bad_request(request, "Upgrade request required");
    } else if (!protocol) {
        reply_status(request, 403, "Forbidden", NULL,
            "unable to upgrade: unable to negotiate protocol: client supports [%s], server "
            "accepts [%s]",
            request->upgrade_protocols ? request->upgrade_protocols : "", these->list->name);
    } else {
        upgrade_t *answer = xcalloc(1, sizeof(*answer));
        wish->is_websocket = is_websocket;
        *answer = (upgrade_t){.to = these->upgrade,
            .protocol_header = these->header,
            .protocol = protocol->name,
            .accept = is_websocket ? websocket_accept(request->websocket_key) : NULL,
            .on_open = protocol->open,
            .on_dropped = on_dropped,
            .arg = TAKE(wish)};
        reply_upgrade(request, answer);
    }
    live_wish_destroy(&wish);
}

/* ---- wishes --------------------------------------------------------------------------------- */

static live_wish_t *wish_new(const api_t *api, json_t *pod)
{
    live_wish_t *self = xcalloc(1, sizeof(*self));
    self->node = api->node;
    self->node_arg = api->node_arg;
    self->pod = json_incref(pod);
    self->live.pod = pod;
    return self;
}

void live_wish_destroy(live_wish_t **self_p)
{
    live_wish_t *self = *self_p;
    *self_p = NULL;
    if (!self)
        return;
    for (size_t i = 0; self->live.argv && self->live.argv[i]; i++)
        free((char *)self->live.argv[i]);
    free((void *)self->live.argv);
    free((char *)self->live.container);
    json_decref(self->pod);
    free(self);
}

static const char *const *copy_words(char **words)
{
    size_t count = 0;
    while (words[count])
        count++;
    char **copy = xcalloc(count + 1, sizeof(*copy));
    for (size_t i = 0; i < count; i++)
        copy[i] = xstrdup(words[i]);
    return (const char *const *)copy;
}

void live_handle(api_t *self, request_t *request, json_t *pod, const char *container, char **argv)
{
    live_wish_t *wish = wish_new(self, pod);
    node_live_t *live = &wish->live;
    live->container = xstrdup(container);
    live->argv = argv ? copy_words(argv) : NULL;
    live->has_terminal = request_flag(request, "tty");
    live->has_input = request_flag(request, "stdin");
    live->has_output = request_flag(request, "stdout");
    live->has_errors = request_flag(request, "stderr") && !live->has_terminal;
    AUTO_FREE char *refusal = self->node->refuse(self->node_arg, live);
    if (!live->has_input && !live->has_output && !live->has_errors)
        reply_bad_request(request, "you must specify at least 1 of stdin, stdout, stderr");
    else if (refusal)
        reply_text(request, 500, refusal);
    else
        upgrade(request, channels, TAKE(wish));
    live_wish_destroy(&wish);
}

void live_handle_ports(api_t *self, request_t *request, json_t *pod)
{
    upgrade(request, ports, wish_new(self, pod));
}

/* ---- terminal sizes ------------------------------------------------------------------------- */

static void tell_size(const resize_t *self, node_stream_t *stream)
{
    json_auto_t *size = json_loadb(self->text, self->size, 0, NULL);
    int64_t columns = object_integer(size, "Width", 0);
    int64_t rows = object_integer(size, "Height", 0);
    if (columns > 0 && rows > 0 && columns <= UINT16_MAX && rows <= UINT16_MAX)
        node_stream_resize(stream, (int)columns, (int)rows);
}

void resize_take(resize_t *self, const void *bytes, size_t size, node_stream_t *stream)
{
    const char *text = bytes;
    for (size_t i = 0; i < size; i++) {
        if (self->size < sizeof(self->text))
            self->text[self->size++] = text[i];
        if (text[i] != '}')
            continue;
        tell_size(self, stream);
        self->size = 0;
    }
}
