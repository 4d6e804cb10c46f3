/* Synchronous calls: a request, and the loop until its answer. */
#include "http/http.h"

#include "base/mem.h"
#include "http/http_internal.h"

typedef struct waiting {
    http_t *http;
    http_result_t result;
    err_t err;
    bool is_done;
} waiting_t;

static void on_waited(void *arg, const http_answer_t *answer)
{
    waiting_t *self = arg;
    self->is_done = true;
    if (answer->err)
        self->err = *answer->err;
    self->result.status = answer->status;
    self->result.size = answer->size;
    self->result.body = xcalloc(1, answer->size + 1);
    memcpy(self->result.body, answer->body, answer->size);
    ev_stop(self->http->ev);
}

int http_call(http_t *self, const http_request_t *request, http_result_t *result, err_t *err)
{
    waiting_t waiting = {.http = self};
    int id = http_send(self, request, on_waited, &waiting);
    ev_run(self->ev);
    if (!waiting.is_done) {
        http_cancel(self, id);
        return err_set(err, ERR_STATE, "interrupted while waiting for '%s'", request->url);
    }
    if (waiting.err.code) {
        free(waiting.result.body);
        return err_set(err, waiting.err.code, "%s", waiting.err.text);
    }
    *result = waiting.result;
    return 0;
}
