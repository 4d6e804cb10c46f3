/* Answers of the kubelet: collected and sent whole, or passed on piece by piece.
 *
 * A streamed answer becomes a stream with the first bytes (or at its end), so that an error can
 * still be a Status before. */
#include "services/cluster/env/api/node_reply.h"

#include "services/cluster/env/api/status.h"

#include "base/auto.h"
#include "base/mem.h"

struct node_reply {
    request_t *request; /* borrowed; NULL once the asker is gone */
    stream_t *stream;   /* borrowed from the request; NULL while collecting */
    bool is_streamed;
    int status;
    char *content_type;
    buffer_t body;
    void (*on_cancel)(void *arg);
    void *cancel_arg;
};

static void reply_free(node_reply_t *self)
{
    buffer_done(&self->body);
    free(self->content_type);
    free(self);
}

/* The asker went away: the kubelet is told, and the handle is dead. */
static void on_gone(void *arg)
{
    node_reply_t *self = arg;
    void (*on_cancel)(void *) = self->on_cancel;
    void *cancel_arg = self->cancel_arg;
    reply_free(self);
    if (on_cancel)
        on_cancel(cancel_arg);
}

/* The connection of a stream is closed, by the client or because the stream has ended. */
static void on_closed(void *arg)
{
    on_gone(arg);
}

node_reply_t *node_reply_new(request_t *request, bool is_streamed)
{
    node_reply_t *self = xcalloc(1, sizeof(*self));
    self->request = request;
    self->is_streamed = is_streamed;
    self->status = 200;
    request->on_gone = on_gone;
    request->gone_arg = self;
    return self;
}

static const char *content_type_of(const node_reply_t *self)
{
    return self->content_type ? self->content_type : "text/plain";
}

/* From now on the answer is a stream. */
static void start_stream(node_reply_t *self)
{
    self->stream = stream_new(NULL, on_closed, self);
    self->request->on_gone = NULL;
    reply_stream(self->request, "text/plain", self->stream);
}

void node_reply_head(node_reply_t *self, int status, const char *content_type)
{
    free(self->content_type);
    self->content_type = content_type ? xstrdup(content_type) : NULL;
    self->status = status;
}

void node_reply_write(node_reply_t *self, const void *bytes, size_t size)
{
    if (self->is_streamed && !self->stream)
        start_stream(self);
    if (self->stream)
        stream_write(self->stream, bytes, size);
    else
        buffer_add(&self->body, bytes, size);
}

size_t node_reply_pending(const node_reply_t *self)
{
    return self->stream ? buffer_left(&self->stream->pending) : 0;
}

void node_reply_on_cancel(node_reply_t *self, void (*fn)(void *arg), void *arg)
{
    self->on_cancel = fn;
    self->cancel_arg = arg;
}

void node_reply_end(node_reply_t **self_p)
{
    node_reply_t *self = TAKE(*self_p);
    if (self->stream) {
        stream_t *stream = self->stream;
        stream->on_closed = NULL;
        stream_end(stream);
    } else {
        request_t *request = self->request;
        request->reply.owned_type = xstrdup(content_type_of(self));
        reply_buffer(request, self->status, request->reply.owned_type, &self->body);
    }
    reply_free(self);
}

void node_reply_fail(node_reply_t **self_p, err_code_t code, const char *text)
{
    static const struct {
        err_code_t code;
        int status;
        const char *reason;
    } reasons[] = {{ERR_INVALID, 400, "BadRequest"}, {ERR_NOT_FOUND, 404, "NotFound"},
        {ERR_STATE, 400, "BadRequest"}, {ERR_UNAVAILABLE, 503, "ServiceUnavailable"},
        {ERR_TIMEOUT, 504, "Timeout"}};
    node_reply_t *self = *self_p;
    int status = 500;
    const char *reason = "InternalError";
    if (self->stream) { /* too late to say so */
        node_reply_end(self_p);
        return;
    }
    for (size_t i = 0; i < ARRAY_SIZE(reasons); i++) {
        if (reasons[i].code == code) {
            status = reasons[i].status;
            reason = reasons[i].reason;
        }
    }
    *self_p = NULL;
    reply_status(self->request, status, reason, NULL, "%s", text);
    reply_free(self);
}

void node_reply_exit(node_reply_t **self_p, int exit_code)
{
    (*self_p)->request->reply.exit_code = exit_code;
    (*self_p)->request->reply.has_exit_code = true;
    node_reply_end(self_p);
}
