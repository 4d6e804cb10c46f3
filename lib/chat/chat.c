#include "chat/chat.h"

#include "base/auto.h"
#include "base/mem.h"
#include "http/http.h"

enum {
    TIMEOUT_MS = 300000,
    BACKOFF_MS = 1000,
    BACKOFF_MOST_MS = 30000,
    TRIES = 5,
    LIMIT = 4 << 20
};

struct chat {
    ev_t *ev;
    http_t *http;
    char *model;
    int64_t timeout_ms;
    int64_t backoff_ms;
    int tries;
};

static int64_t or_default(int64_t value, int64_t otherwise)
{
    return value > 0 ? value : otherwise;
}

chat_t *chat_new(ev_t *ev, const chat_config_t *config, err_t *err)
{
    AUTO(chat_destroy) chat_t *self = xcalloc(1, sizeof(*self));
    size_t length = strlen(config->base_url);
    AUTO_FREE char *base = xstrndup(
        config->base_url, length && config->base_url[length - 1] == '/' ? length - 1 : length);
    self->ev = ev;
    self->model = xstrdup(config->model);
    self->timeout_ms = or_default(config->timeout_ms, TIMEOUT_MS);
    self->backoff_ms = or_default(config->backoff_ms, BACKOFF_MS);
    self->tries = (int)or_default(config->tries, TRIES);
    self->http = http_new(ev, &(http_config_t){.base_url = base, .token = config->key}, err);
    return self->http ? TAKE(self) : NULL;
}

void chat_destroy(chat_t **self_p)
{
    chat_t *self = TAKE(*self_p);
    if (!self)
        return;
    http_destroy(&self->http);
    free(self->model);
    free(self);
}

/* ---- waiting ------------------------------------------------------------------------------- */

typedef struct pause {
    ev_t *ev;
    bool is_over;
} pause_t;

static void on_pause_over(void *arg)
{
    pause_t *self = arg;
    self->is_over = true;
    ev_stop(self->ev);
}

/* False if the loop was stopped for another reason. */
static bool wait_for(chat_t *self, int64_t span_ms)
{
    pause_t pause = {.ev = self->ev};
    int timer = ev_after(self->ev, span_ms, on_pause_over, &pause);
    ev_run(self->ev);
    ev_cancel(self->ev, timer);
    return pause.is_over;
}

/* ---- asking -------------------------------------------------------------------------------- */

static char *make_body(const chat_t *self, const json_t *messages, const json_t *tools)
{
    json_auto_t *body = json_pack("{s:s, s:O, s:b, s:{s:b}}", "model", self->model, "messages",
        messages, "stream", 1, "stream_options", "include_usage", 1);
    if (json_array_size(tools))
        json_object_set(body, "tools", (json_t *)tools);
    return mem_check(json_dumps(body, JSON_COMPACT));
}

/* What the endpoint says of its refusal, or the beginning of what it sent. */
static int refuse(const http_result_t *result, err_t *err)
{
    json_auto_t *body = json_loadb(result->body, result->size, 0, NULL);
    const json_t *error = json_object_get(body, "error");
    const char *text = json_string_value(json_object_get(error, "message"));
    err_code_t code = result->status == 401 || result->status == 403 ? ERR_FORBIDDEN
                      : result->status == 429                        ? ERR_OVERLOADED
                      : result->status >= 500                        ? ERR_UNAVAILABLE
                                                                     : ERR_INVALID;
    return err_set(err, code, "the model's endpoint answers %d: %.180s", result->status,
        text ? text : result->body);
}

static int ask_once(const chat_t *self, const char *body, chat_reply_t *reply, err_t *err)
{
    http_result_t result = {0};
    http_request_t request = {.url = "/chat/completions",
        .accept = "text/event-stream, application/json",
        .body = body,
        .body_size = strlen(body),
        .timeout_ms = self->timeout_ms,
        .limit = LIMIT};
    int rc = http_call(self->http, &request, &result, err);
    if (rc == 0)
        rc = result.status == 200 ? chat_parse(result.body, result.size, reply, err)
                                  : refuse(&result, err);
    free(result.body);
    return rc;
}

static bool may_pass(int rc)
{
    return rc == -ERR_OVERLOADED || rc == -ERR_UNAVAILABLE || rc == -ERR_TIMEOUT || rc == -ERR_IO;
}

int chat_ask(
    chat_t *self, const json_t *messages, const json_t *tools, chat_reply_t *reply, err_t *err)
{
    AUTO_FREE char *body = make_body(self, messages, tools);
    int64_t pause_ms = self->backoff_ms;
    err_t why = {0}; /* of the last try */
    int rc = ask_once(self, body, reply, &why);
    for (int i = 1; i < self->tries && may_pass(rc); i++) {
        if (!wait_for(self, pause_ms))
            return err_set(err, ERR_STATE, "interrupted");
        pause_ms = pause_ms * 2 < BACKOFF_MOST_MS ? pause_ms * 2 : BACKOFF_MOST_MS;
        rc = ask_once(self, body, reply, &why);
    }
    return rc < 0 ? err_set(err, why.code, "%s", why.text) : 0;
}
