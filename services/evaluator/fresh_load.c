#include "services/evaluator/fresh_load.h"

#include "base/auto.h"
#include "base/mem.h"

enum { CALL_MS = 15 * 1000, AGAIN_MS = 500 };

struct fresh_load {
    ev_t *ev;
    bus_t *bus;
    char *env;
    const json_t *load; /* what to send; inside problem */
    json_t *problem;
    fresh_load_fn *on_done;
    void *arg;
    char *id; /* NULL: it does not run */
    int call;
    int timer;
    err_t trouble;
};

static void start(void *arg);
static void stop(void *arg);

static void ask(
    fresh_load_t *self, const codec_type_t *type, const void *message, bus_reply_fn *on_reply)
{
    bus_call_t call = {
        .target = "loadgen", .type = type, .message = message, .timeout_ms = CALL_MS};
    self->timer = 0;
    self->call = bus_request(self->bus, &call, on_reply, self);
}

static bool is_answered(fresh_load_t *self, const bus_reply_t *reply, ev_timer_fn *again)
{
    self->call = 0;
    self->trouble = reply->err ? *reply->err : (err_t){0};
    if (reply->err)
        self->timer = ev_after(self->ev, AGAIN_MS, again, self);
    return !reply->err;
}

static void on_stopped(void *arg, const bus_reply_t *reply)
{
    fresh_load_t *self = arg;
    if (is_answered(self, reply, stop))
        self->on_done(self->arg, reply->message);
}

static void stop(void *arg)
{
    fresh_load_t *self = arg;
    ask(self, &load_stop_type, &(load_stop_t){self->id}, on_stopped);
}

static void on_started(void *arg, const bus_reply_t *reply)
{
    fresh_load_t *self = arg;
    if (!is_answered(self, reply, start))
        return;
    int64_t span_ms =
        json_integer_value(json_object_get(json_object_get(self->problem, "expected"), "load_ms"));
    self->id = xstrdup(((const load_started_t *)reply->message)->load);
    self->timer = ev_after(self->ev, span_ms, stop, self);
}

static void start(void *arg)
{
    fresh_load_t *self = arg;
    const json_t *load = self->load;
    load_start_t message = {.env = self->env,
        .url = json_string_value(json_object_get(load, "url")),
        .mix = json_string_value(json_object_get(load, "mix")),
        .rate = (double)json_integer_value(json_object_get(load, "rate")),
        .distribution = json_string_value(json_object_get(load, "distribution")),
        .connections = json_integer_value(json_object_get(load, "connections")),
        .seed = 1};
    ask(self, &load_start_type, &message, on_started);
}

fresh_load_t *fresh_load_new(
    ev_t *ev, bus_t *bus, const char *env, const json_t *problem, fresh_load_fn *on_done, void *arg)
{
    fresh_load_t *self = xcalloc(1, sizeof(*self));
    self->ev = ev;
    self->bus = bus;
    self->env = xstrdup(env);
    self->problem = json_deep_copy(problem);
    self->load = json_object_get(self->problem, "load");
    self->on_done = on_done;
    self->arg = arg;
    start(self);
    return self;
}

void fresh_load_destroy(fresh_load_t **self_p)
{
    fresh_load_t *self = TAKE(*self_p);
    if (!self)
        return;
    bus_cancel(self->bus, self->call);
    ev_cancel(self->ev, self->timer);
    json_decref(self->problem);
    free(self->env);
    free(self->id);
    free(self);
}

const err_t *fresh_load_trouble(const fresh_load_t *self)
{
    return self->trouble.code ? &self->trouble : NULL;
}
