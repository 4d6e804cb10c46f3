/* Operations: a request under way, with what its answer is turned into. */
#include "kube/kube_internal.h"

#include "base/auto.h"
#include "base/mem.h"
#include "http/http.h"

typedef struct operation {
    struct operation *next;
    kube_t *kube;
    int id;
    int http_id;
    kube_request_t *request;
    kube_data_fn *on_data; /* NULL: the body is collected */
    kube_line_fn *on_line;
    kube_done_fn *on_done; /* may be NULL */
    void *arg;
    bool is_splitting; /* split() is on the stack */
    bool is_ended;
    char *tail; /* of the stream: the line begun, or the start of an error */
    size_t tail_size;
} operation_t;

struct kube {
    ev_t *ev;     /* borrowed, or own_ev */
    ev_t *own_ev; /* NULL on the caller's loop */
    http_t *http;
    operation_t *operations;
    int last_id;
};

enum { TAIL_LIMIT = 1 << 20 };

ev_t *kube_ev(kube_t *self)
{
    return self->ev;
}

/* ---- answers ------------------------------------------------------------------------------ */

static err_code_t code_of(int status, const char *reason)
{
    switch (status) {
    case 400:
    case 415:
    case 422:
        return ERR_INVALID;
    case 401:
    case 403:
        return ERR_FORBIDDEN;
    case 404:
        return ERR_NOT_FOUND;
    case 409:
        return strcmp(reason, "AlreadyExists") == 0 ? ERR_EXISTS : ERR_STATE;
    case 410:
        return ERR_STATE;
    case 429:
        return ERR_OVERLOADED;
    case 502:
    case 503:
        return ERR_UNAVAILABLE;
    case 504:
        return ERR_TIMEOUT;
    default:
        return ERR_IO;
    }
}

static const char *string_in(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    return text ? text : "";
}

static void refusal(const http_answer_t *http, err_t *err)
{
    json_auto_t *status = json_loadb(http->body, http->size, 0, NULL);
    err_code_t code = code_of(http->status, string_in(status, "reason"));
    const char *message = string_in(status, "message");
    if (*message)
        (void)err_set(err, code, "%s", message);
    else
        (void)err_set(err, code, "HTTP status %d: %.*s", http->status,
            (int)strcspn(http->body, "\r\n"), http->body);
}

static void operation_free(operation_t *self)
{
    self->is_ended = true;
    if (self->is_splitting)
        return; /* split() frees it on its way out */
    kube_request_destroy(&self->request);
    free(self->tail);
    free(self);
}

static void operation_unlink(operation_t *self)
{
    operation_t **at = &self->kube->operations;
    while (*at != self)
        at = &(*at)->next;
    *at = self->next;
}

/* Tells the owner and forgets the operation; the kube may be gone afterwards. */
static void conclude(operation_t *self, const kube_answer_t *answer)
{
    operation_unlink(self);
    if (self->on_done)
        self->on_done(self->arg, answer);
    operation_free(self);
}

static void launch(operation_t *self);

static bool is_stream(const operation_t *self)
{
    return self->on_data || self->on_line;
}

static void on_http_done(void *arg, const http_answer_t *http)
{
    operation_t *self = arg;
    err_t err = {0};
    kube_answer_t answer = {.status = http->status, .text = http->body, .size = http->size};
    http_answer_t whole = *http;
    if (http->status >= 400 && self->tail) {
        whole.body = self->tail;
        whole.size = self->tail_size;
    } else if (self->on_line && self->tail_size) {
        self->on_line(self->arg, self->tail);
    }
    if (http->err)
        err = *http->err;
    else if (http->status >= 400)
        refusal(&whole, &err);
    if (err.code == ERR_EXISTS && self->request->instead) {
        kube_request_t *instead = TAKE(self->request->instead);
        kube_request_destroy(&self->request);
        self->request = instead;
        launch(self);
        return;
    }
    json_auto_t *object = NULL;
    if (!err.code && !is_stream(self) && !self->request->is_text) {
        object = json_loadb(http->body, http->size, 0, NULL);
        if (!object && !self->request->is_raw)
            (void)err_set(&err, ERR_IO, "the answer to '%s' is not JSON", self->request->path);
    }
    answer.object = object;
    answer.err = err.code ? &err : NULL;
    conclude(self, &answer);
}

static void keep_tail(operation_t *self, const char *bytes, size_t size)
{
    if (self->tail_size + size > TAIL_LIMIT)
        return;
    self->tail = mem_check(realloc(self->tail, self->tail_size + size + 1));
    memcpy(self->tail + self->tail_size, bytes, size);
    self->tail_size += size;
    self->tail[self->tail_size] = '\0';
}

static void split(operation_t *self, const char *bytes, size_t size)
{
    self->is_splitting = true;
    while (!self->is_ended && size) {
        const char *end = memchr(bytes, '\n', size);
        size_t length = end ? (size_t)(end - bytes) : size;
        keep_tail(self, bytes, length);
        if (!end)
            break;
        size -= length + 1;
        bytes += length + 1;
        AUTO_FREE char *line = TAKE(self->tail);
        self->tail_size = 0;
        self->on_line(self->arg, line ? line : "");
    }
    self->is_splitting = false;
    if (self->is_ended)
        operation_free(self);
}

static void on_http_data(void *arg, int status, const char *bytes, size_t size)
{
    operation_t *self = arg;
    if (status >= 400)
        keep_tail(self, bytes, size);
    else if (self->on_line)
        split(self, bytes, size);
    else
        self->on_data(self->arg, bytes, size);
}

static void on_failed(void *arg)
{
    operation_t *self = arg;
    conclude(self, &(kube_answer_t){.err = &self->request->err, .text = ""});
}

/* ---- asking ------------------------------------------------------------------------------- */

static void launch(operation_t *self)
{
    const kube_request_t *request = self->request;
    int64_t timeout_ms = request->timeout_ms;
    if (!timeout_ms && (is_stream(self) || request->is_unending))
        timeout_ms = -1;
    http_request_t http = {
        .method = request->method,
        .url = request->path,
        .content_type = request->content_type,
        .accept = request->is_text || request->is_raw ? NULL : "application/json",
        .body = request->body,
        .body_size = request->body ? strlen(request->body) : 0,
        .timeout_ms = timeout_ms,
    };
    self->http_id = http_stream(
        self->kube->http, &http, is_stream(self) ? on_http_data : NULL, on_http_done, self);
}

static operation_t *operation_new(
    kube_t *self, kube_request_t *request, kube_done_fn *on_done, void *arg)
{
    operation_t *operation = xcalloc(1, sizeof(*operation));
    operation->kube = self;
    operation->id = ++self->last_id;
    operation->request = request;
    operation->on_done = on_done;
    operation->arg = arg;
    operation->next = self->operations;
    self->operations = operation;
    return operation;
}

static int start(operation_t *self)
{
    if (self->request->err.code)
        self->http_id = -ev_after(self->kube->ev, 0, on_failed, self);
    else
        launch(self);
    return self->id;
}

int kube_stream(
    kube_t *self, kube_request_t *request, kube_data_fn *on_data, kube_done_fn *on_done, void *arg)
{
    operation_t *operation = operation_new(self, request, on_done, arg);
    operation->on_data = on_data;
    return start(operation);
}

int kube_follow(
    kube_t *self, const kube_log_t *log, kube_line_fn *on_line, kube_done_fn *on_done, void *arg)
{
    kube_log_t following = *log;
    following.is_following = true;
    operation_t *operation = operation_new(self, kube_read_log(&following), on_done, arg);
    operation->on_line = on_line;
    return start(operation);
}

int kube_send(kube_t *self, kube_request_t *request, kube_done_fn *on_done, void *arg)
{
    return start(operation_new(self, request, on_done, arg));
}

static void withdraw(operation_t *self)
{
    if (self->http_id < 0)
        ev_cancel(self->kube->ev, -self->http_id);
    else
        http_cancel(self->kube->http, self->http_id);
    operation_unlink(self);
    operation_free(self);
}

void kube_cancel(kube_t *self, int id)
{
    for (operation_t *operation = self->operations; operation; operation = operation->next) {
        if (operation->id == id) {
            withdraw(operation);
            return;
        }
    }
}

/* ---- synchronous -------------------------------------------------------------------------- */

typedef struct waiting {
    ev_t *ev;
    json_t *object;
    char *text;
    err_t err;
    bool is_done;
} waiting_t;

static void on_waited(void *arg, const kube_answer_t *answer)
{
    waiting_t *self = arg;
    self->is_done = true;
    self->object = json_incref(answer->object);
    self->text = xstrndup(answer->text, answer->size);
    if (answer->err)
        self->err = *answer->err;
    ev_stop(self->ev);
}

static int wait_for(kube_t *self, kube_request_t *request, waiting_t *waiting, err_t *err)
{
    waiting->ev = self->ev;
    int id = kube_send(self, request, on_waited, waiting);
    ev_run(self->ev);
    if (!waiting->is_done) {
        kube_cancel(self, id);
        return err_set(err, ERR_STATE, "interrupted while waiting for the API server");
    }
    return waiting->err.code ? err_set(err, waiting->err.code, "%s", waiting->err.text) : 0;
}

int kube_call(kube_t *self, kube_request_t *request, json_t **object_p, err_t *err)
{
    waiting_t waiting = {0};
    int rc = wait_for(self, request, &waiting, err);
    free(waiting.text);
    if (rc == 0 && object_p)
        *object_p = TAKE(waiting.object);
    json_decref(waiting.object);
    return rc;
}

int kube_call_text(kube_t *self, kube_request_t *request, char **text_p, err_t *err)
{
    waiting_t waiting = {0};
    int rc = wait_for(self, request, &waiting, err);
    json_decref(waiting.object);
    if (rc == 0)
        *text_p = TAKE(waiting.text);
    free(waiting.text);
    return rc;
}

/* ---- life cycle --------------------------------------------------------------------------- */

kube_t *kube_new(ev_t *ev, const kube_config_t *config, err_t *err)
{
    AUTO(kube_destroy) kube_t *self = xcalloc(1, sizeof(*self));
    self->own_ev = ev ? NULL : ev_new();
    self->ev = ev ? ev : self->own_ev;
    self->http = http_new(self->ev,
        &(http_config_t){
            .base_url = config->server, .token = config->token, .ca_pem = config->ca_pem},
        err);
    return self->http ? TAKE(self) : NULL;
}

void kube_destroy(kube_t **self_p)
{
    kube_t *self = *self_p;
    *self_p = NULL;
    if (!self)
        return;
    while (self->operations)
        withdraw(self->operations);
    http_destroy(&self->http);
    if (self->own_ev)
        ev_destroy(&self->own_ev);
    free(self);
}
