#include "tests/support/bus_world.h"

#include "base/auto.h"
#include "base/mem.h"
#include "proto/envelope.h"

#include <unistd.h>

static const codec_field_t echo_fields[] = {CODEC_FIELD(echo_t, CODEC_STR, text, "What to say")};

const codec_type_t echo_type = {
    .name = "test.echo", .size = sizeof(echo_t), .fields = echo_fields, .field_count = 1};

/* ---- world --------------------------------------------------------------------------------- */

/* An inproc name is not free again at once, so each broker has names of its own. */
static void start_broker(bus_world_t *self)
{
    self->broker = broker_new(self->ev, &self->config, NULL);
    assert_non_null(self->broker);
}

int bus_world_set_up(void **state)
{
    static int serial;
    bus_world_t *self = xcalloc(1, sizeof(*self));
    self->ev = ev_sim_new();
    serial++;
    snprintf(self->requests, sizeof(self->requests), "inproc://requests-%d", serial);
    snprintf(self->publish, sizeof(self->publish), "inproc://publish-%d", serial);
    snprintf(self->events, sizeof(self->events), "inproc://events-%d", serial);
    self->config = (broker_config_t){
        .requests = self->requests, .publish = self->publish, .events = self->events};
    start_broker(self);
    *state = self;
    return 0;
}

void bus_world_settle(void)
{
    usleep(50000); /* ZeroMQ's own thread does it, and tells nobody when */
}

void bus_world_stop_broker(bus_world_t *self)
{
    broker_destroy(&self->broker);
    bus_world_settle();
}

void bus_world_restart_broker(bus_world_t *self)
{
    bus_world_stop_broker(self);
    start_broker(self);
}

int bus_world_tear_down(void **state)
{
    bus_world_t *self = *state;
    broker_destroy(&self->broker);
    ev_destroy(&self->ev);
    free(self);
    return 0;
}

bus_t *bus_world_program(bus_world_t *self, const char *name, const char *instance)
{
    bus_t *bus = bus_new(self->ev,
        &(bus_config_t){.name = name, .instance = instance, .endpoint = self->requests}, NULL);
    assert_non_null(bus);
    return bus;
}

/* ---- asking -------------------------------------------------------------------------------- */

static void on_reply(void *arg, const bus_reply_t *reply)
{
    outcome_t *outcome = arg;
    outcome->count++;
    outcome->code = reply->err ? reply->err->code : ERR_NONE;
    outcome->retry_after_ms = reply->retry_after_ms;
    if (reply->err)
        snprintf(outcome->text, sizeof(outcome->text), "%s", reply->err->text);
    else if (reply->type == &broker_last_type)
        snprintf(outcome->echo, sizeof(outcome->echo), "%s",
            ((const broker_last_t *)reply->message)->prefix);
}

int ask_echo(
    bus_t *bus, const char *target, const char *text, int64_t timeout_ms, outcome_t *outcome)
{
    bus_call_t call = {
        .target = target, .type = &echo_type, .message = &(echo_t){text}, .timeout_ms = timeout_ms};
    return bus_request(bus, &call, on_reply, outcome);
}

int ask_idempotent(
    bus_t *bus, const char *target, const char *text, int64_t timeout_ms, outcome_t *outcome)
{
    bus_call_t call = {.target = target,
        .type = &broker_last_type,
        .message = &(broker_last_t){text},
        .timeout_ms = timeout_ms};
    return bus_request(bus, &call, on_reply, outcome);
}

/* ---- worker -------------------------------------------------------------------------------- */

void worker_answer(worker_t *self, size_t i)
{
    AUTO_FREE char *text = xasprintf("%s by %s", self->texts[i], bus_source(self->bus));
    bus_reply(&self->held[i], &broker_last_type, &(broker_last_t){text});
}

static void keep(worker_t *self, bus_request_t *request, const char *text)
{
    assert_true(self->count < ARRAY_SIZE(self->held));
    size_t i = self->count++;
    self->held[i] = request;
    snprintf(self->texts[i], sizeof(self->texts[i]), "%s", text);
    if (self->is_quick)
        worker_answer(self, i);
}

static void on_echo(void *arg, bus_request_t *request, const void *message)
{
    keep(arg, request, ((const echo_t *)message)->text);
}

static void on_idempotent(void *arg, bus_request_t *request, const void *message)
{
    keep(arg, request, ((const broker_last_t *)message)->prefix);
}

worker_t *worker_new(bus_world_t *world, const char *service, const char *instance)
{
    static const bus_handler_t handlers[] = {
        {&echo_type, on_echo}, {&broker_last_type, on_idempotent}};
    worker_t *self = xcalloc(1, sizeof(*self));
    self->bus = bus_world_program(world, service, instance);
    bus_serve(self->bus, service, handlers, ARRAY_SIZE(handlers), self);
    return self;
}

void worker_destroy(worker_t **self_p)
{
    worker_t *self = *self_p;
    if (!self)
        return;
    bus_destroy(&self->bus);
    for (size_t i = 0; i < self->count; i++) {
        if (self->held[i])
            bus_fail(&self->held[i], ERR_STATE, "the test is over");
    }
    free(self);
    *self_p = NULL;
}

/* ---- raw ----------------------------------------------------------------------------------- */

zsock_t *raw_new(const bus_world_t *world)
{
    zsock_t *self = zsock_new(ZMQ_DEALER);
    assert_int_equal(zsock_connect(self, "%s", world->requests), 0);
    return self;
}

void raw_ask(zsock_t *self, const char *target, const char *id, const codec_type_t *type,
    const void *message)
{
    AUTO_FREE char *body = NULL;
    AUTO_FREE char *bytes = NULL;
    size_t size = 0;
    assert_int_equal(codec_encode(type, message, &body, &size, NULL), 0);
    envelope_t envelope = {.kind = ENVELOPE_REQUEST,
        .id = id,
        .type = type->name,
        .source = "raw@1",
        .time = 1000,
        .deadline = 11000,
        .body = body,
        .body_size = size};
    envelope_encode(&envelope, &bytes, &size);
    zstr_sendm(self, target);
    zmq_send(zsock_resolve(self), bytes, size, 0);
}

void raw_serve(bus_world_t *world, zsock_t *self, const char *service, const char *instance)
{
    char *services[] = {(char *)service};
    broker_hello_t hello = {
        .name = service, .instance = instance, .services = {.items = services, .count = 1}};
    raw_ask(self, "broker", "hello", &broker_hello_type, &hello);
    ev_sim_run_for(world->ev, 1);
    assert_string_equal(raw_type(raw_receive(self)), "broker.welcome");
}

static bool is_noise(zmsg_t *message)
{
    AUTO(envelope_free) envelope_t *envelope = NULL;
    zframe_t *last = zmsg_last(message);
    return envelope_decode(zframe_data(last), zframe_size(last), &envelope, NULL) == 0
           && envelope->kind == ENVELOPE_EVENT;
}

zmsg_t *raw_receive(zsock_t *self)
{
    while (zsock_events(self) & ZMQ_POLLIN) {
        zmsg_t *message = zmsg_recv(self);
        if (!is_noise(message))
            return message;
        zmsg_destroy(&message);
    }
    return NULL;
}

const char *raw_type(zmsg_t *message)
{
    static char type[64];
    AUTO(zmsg_destroy) zmsg_t *owned = message;
    AUTO(envelope_free) envelope_t *envelope = NULL;
    if (!owned)
        return "nothing";
    zframe_t *last = zmsg_last(owned);
    assert_int_equal(envelope_decode(zframe_data(last), zframe_size(last), &envelope, NULL), 0);
    snprintf(type, sizeof(type), "%s", envelope->type);
    return type;
}
