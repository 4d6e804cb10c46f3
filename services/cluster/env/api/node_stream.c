#include "services/cluster/env/api/node_stream.h"

#include "base/auto.h"
#include "base/mem.h"

struct node_stream {
    const node_stream_ops_t *ops; /* borrowed, as its argument is */
    void *ops_arg;
    const node_stream_events_t *events; /* borrowed; NULL until it is begun */
    void *arg;
};

/* ---- the node's side ------------------------------------------------------------------------ */

void node_stream_begin(node_stream_t *self, const node_stream_events_t *events, void *arg)
{
    self->events = events;
    self->arg = arg;
}

void node_stream_write(
    node_stream_t *self, node_stream_channel_t channel, const void *bytes, size_t size)
{
    self->ops->write(self->ops_arg, channel, bytes, size);
}

size_t node_stream_pending(const node_stream_t *self)
{
    return self->ops->pending(self->ops_arg);
}

void node_stream_pause(node_stream_t *self, bool is_paused)
{
    self->ops->pause(self->ops_arg, is_paused);
}

/* A program's name may be no text. */
static json_t *text_of(const char *text)
{
    json_t *string = json_string(text);
    return string ? string : json_string("(a message that is not UTF-8)");
}

/* Takes status. */
static void end(node_stream_t **self_p, json_t *status)
{
    node_stream_t *self = TAKE(*self_p);
    self->ops->end(self->ops_arg, status);
    json_decref(status);
    free(self);
}

void node_stream_end(node_stream_t **self_p)
{
    end(self_p, json_pack("{s:{}, s:s}", "metadata", "status", "Success"));
}

void node_stream_exit(node_stream_t **self_p, int code, const char *text)
{
    if (code == 0) {
        node_stream_end(self_p);
        return;
    }
    AUTO_FREE char *number = xasprintf("%d", code);
    AUTO_FREE char *message =
        xasprintf("command terminated with non-zero exit code: %s, exit code %d", text, code);
    end(self_p, json_pack("{s:{}, s:s, s:o, s:s, s:{s:[{s:s, s:s}]}}", "metadata", "status",
                    "Failure", "message", text_of(message), "reason", "NonZeroExitCode", "details",
                    "causes", "reason", "ExitCode", "message", number));
}

void node_stream_fail(node_stream_t **self_p, const char *text)
{
    AUTO_FREE char *message = xasprintf("Internal error occurred: %s", text);
    end(self_p, json_pack("{s:{}, s:s, s:o, s:s, s:{s:[{s:o}]}, s:i}", "metadata", "status",
                    "Failure", "message", text_of(message), "reason", "InternalError", "details",
                    "causes", "message", text_of(text), "code", 500));
}

/* ---- the side of the connection -------------------------------------------------------------- */

node_stream_t *node_stream_new(const node_stream_ops_t *ops, void *arg)
{
    node_stream_t *self = xcalloc(1, sizeof(*self));
    self->ops = ops;
    self->ops_arg = arg;
    return self;
}

void node_stream_input(node_stream_t *self, const void *bytes, size_t size)
{
    if (self->events)
        self->events->on_input(self->arg, bytes, size);
}

void node_stream_input_end(node_stream_t *self)
{
    if (self->events)
        self->events->on_input_end(self->arg);
}

void node_stream_resize(node_stream_t *self, int columns, int rows)
{
    if (self->events)
        self->events->on_resize(self->arg, columns, rows);
}

void node_stream_room(node_stream_t *self)
{
    if (self->events)
        self->events->on_room(self->arg);
}

void node_stream_gone(node_stream_t **self_p)
{
    node_stream_t *self = TAKE(*self_p);
    if (!self)
        return;
    const node_stream_events_t *events = self->events;
    void *arg = self->arg;
    free(self);
    if (events)
        events->on_gone(arg);
}
