/* What the broker says itself: replies and errors of its own. */
#include "broker/internal.h"

#include "base/mem.h"

#include <assert.h>

static void free_bytes(void *bytes, void *hint)
{
    (void)hint;
    free(bytes);
}

void answer_encode(broker_t *self, envelope_kind_t kind, const char *corr, const codec_type_t *type,
    const void *message, zmq_msg_t *frame)
{
    (void)self;
    char *body = NULL;
    size_t body_size = 0;
    err_t err;
    int rc = codec_encode(type, message, &body, &body_size, &err);
    assert(rc == 0); /* what the broker says is whole */
    envelope_t envelope = {
        .kind = kind,
        .id = self->run,
        .corr = corr,
        .type = type->name,
        .source = "broker",
        .time = zclock_time(),
        .body = body,
        .body_size = body_size,
    };
    char *bytes = NULL;
    size_t size = 0;
    envelope_encode(&envelope, &bytes, &size);
    free(body);
    zmq_msg_init_data(frame, bytes, size, free_bytes, NULL);
}

void answer_message(broker_t *self, uint64_t routing, const char *id, size_t id_size,
    const codec_type_t *type, const void *message)
{
    char corr[FLIGHT_ID_LIMIT + 1];
    memcpy(corr, id, id_size);
    corr[id_size] = '\0';
    zmq_msg_t frame;
    answer_encode(self, ENVELOPE_REPLY, corr, type, message, &frame);
    router_reply(self, routing, &frame);
}

void answer_error(broker_t *self, uint64_t routing, const char *id, size_t id_size,
    const err_t *err, int64_t retry_after_ms)
{
    self->counts.errors++;
    error_reply_t message = {
        .code = err_code_name(err->code), .text = err->text, .retry_after_ms = retry_after_ms};
    answer_message(self, routing, id, id_size, &error_reply_type, &message);
}
