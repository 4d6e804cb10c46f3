/* Who reads too slowly is let go: a container must not wait for its onlookers. */
#include "services/cluster/env/kubelet/live.h"

#include "base/auto.h"
#include "base/mem.h"
#include "services/cluster/runtime/terminal.h"

enum { BACKLOG = 4 << 20 };

struct attachment {
    attachments_t *owner;
    node_stream_t *stream;
    bool has_input;
    bool has_output;
    LIST_ENTRY(attachment) in_list;
};

/* ---- from the client ------------------------------------------------------------------------ */

static void attachment_free(attachment_t *self)
{
    LIST_REMOVE(self, in_list);
    free(self);
}

static void close_input_if_once(const attachment_t *self)
{
    if (self->has_input && self->owner->input && self->owner->is_input_once)
        feed_end(self->owner->input);
}

static void on_input(void *arg, const void *bytes, size_t size)
{
    attachment_t *self = arg;
    feed_t *input = self->has_input ? self->owner->input : NULL;
    if (!input)
        return;
    feed_write(input, bytes, size);
    if (feed_is_full(input))
        node_stream_pause(self->stream, true);
}

static void on_input_end(void *arg)
{
    close_input_if_once(arg);
}

static void on_resize(void *arg, int columns, int rows)
{
    const attachment_t *self = arg;
    if (self->owner->terminal_fd >= 0)
        terminal_resize(self->owner->terminal_fd, columns, rows);
}

static void on_room(void *arg)
{
    (void)arg; /* writing never pauses here */
}

static void on_gone(void *arg)
{
    close_input_if_once(arg);
    attachment_free(arg);
}

/* ---- the container's side ------------------------------------------------------------------- */

static void on_input_room(void *arg)
{
    attachments_t *self = arg;
    attachment_t *each;
    LIST_FOREACH(each, &self->list, in_list)
    node_stream_pause(each->stream, false);
}

void attachments_begin(
    attachments_t *self, ev_t *ev, int input_fd, int terminal_fd, bool is_input_once)
{
    self->input = input_fd >= 0 ? feed_new(ev, input_fd, on_input_room, self) : NULL;
    self->terminal_fd = terminal_fd;
    self->is_input_once = is_input_once;
}

static void let_go(attachment_t *each)
{
    node_stream_end(&each->stream);
    attachment_free(each);
}

void attachments_write(attachments_t *self, const void *bytes, size_t size)
{
    for (attachment_t *each = LIST_FIRST(&self->list), *next; each; each = next) {
        next = LIST_NEXT(each, in_list);
        if (!each->has_output)
            continue;
        node_stream_write(each->stream, NODE_STREAM_OUTPUT, bytes, size);
        if (node_stream_pending(each->stream) > BACKLOG)
            let_go(each);
    }
}

void attachments_end(attachments_t *self)
{
    while (!LIST_EMPTY(&self->list))
        let_go(LIST_FIRST(&self->list));
    feed_destroy(&self->input);
    self->terminal_fd = -1;
}

void attachments_add(attachments_t *self, const node_live_t *live, node_stream_t *stream)
{
    static const node_stream_events_t events = {.on_input = on_input,
        .on_input_end = on_input_end,
        .on_resize = on_resize,
        .on_room = on_room,
        .on_gone = on_gone};
    attachment_t *attachment = xcalloc(1, sizeof(*attachment));
    *attachment = (attachment_t){.owner = self,
        .stream = stream,
        .has_input = live->has_input,
        .has_output = live->has_output};
    LIST_INSERT_HEAD(&self->list, attachment, in_list);
    node_stream_begin(stream, &events, attachment);
}
