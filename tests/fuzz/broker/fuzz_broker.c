/* Drives a broker's three sockets with what the input says: a sequence of steps, each one byte of
 * what to do, one byte of length, and so many bytes. Whatever comes, the broker must go on serving:
 * at the end it still answers a ping. */
#include "base/auto.h"
#include "base/log.h"
#include "broker/broker.h"
#include "proto/envelope.h"
#include "proto/messages.h"

#include <assert.h>
#include <czmq.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

typedef struct world {
    ev_t *ev;
    broker_t *broker;
    zsock_t *client;
    zsock_t *worker;
    zsock_t *publisher;
    zsock_t *subscriber;
    char route[64];
    size_t route_size;
} world_t;

static zsock_t *dial(int type, const char *endpoint)
{
    zsock_t *sock = zsock_new(type);
    int rc = zsock_connect(sock, "%s", endpoint);
    assert(rc == 0);
    (void)rc;
    return sock;
}

static void send_request(zsock_t *sock, const char *target, const char *id, const char *type,
    const void *body, size_t body_size)
{
    AUTO_FREE char *bytes = NULL;
    size_t size = 0;
    envelope_t envelope = {.kind = ENVELOPE_REQUEST,
        .id = id,
        .type = type,
        .source = "fuzz@1",
        .time = 1,
        .deadline = 1001,
        .body = body,
        .body_size = body_size};
    envelope_encode(&envelope, &bytes, &size);
    zmq_send(zsock_resolve(sock), target, strlen(target), ZMQ_SNDMORE);
    zmq_send(zsock_resolve(sock), bytes, size, 0);
}

static void register_worker(world_t *self)
{
    char *services[] = {(char *)"s"};
    broker_hello_t hello = {
        .name = "s", .instance = "1", .services = {.items = services, .count = 1}};
    AUTO_FREE char *body = NULL;
    size_t size = 0;
    codec_encode(&broker_hello_type, &hello, &body, &size, NULL);
    send_request(self->worker, "broker", "hello", broker_hello_type.name, body, size);
    ev_sim_run_for(self->ev, 1);
}

static world_t *world_new(void)
{
    world_t *self = calloc(1, sizeof(*self));
    broker_config_t config = {.requests = "inproc://fuzz-requests",
        .publish = "inproc://fuzz-publish",
        .events = "inproc://fuzz-events",
        .service_count_limit = 8,
        .topic_limit = 8,
        .cache_count = 8};
    log_set_level(LOG_LEVEL_ERROR);
    self->ev = ev_sim_new();
    self->broker = broker_new(self->ev, &config, NULL);
    self->client = dial(ZMQ_DEALER, config.requests);
    self->worker = dial(ZMQ_DEALER, config.requests);
    self->publisher = dial(ZMQ_XPUB, config.publish);
    self->subscriber = dial(ZMQ_XSUB, config.events);
    return self;
}

/* Reads what the broker sent to the worker, to know the route of the last request. */
static void note_route(world_t *self)
{
    while (zsock_events(self->worker) & ZMQ_POLLIN) {
        AUTO(zmsg_destroy) zmsg_t *message = zmsg_recv(self->worker);
        zframe_t *first = zmsg_first(message);
        if (zmsg_size(message) != 2 || zframe_size(first) > sizeof(self->route))
            continue;
        self->route_size = zframe_size(first);
        memcpy(self->route, zframe_data(first), self->route_size);
    }
}

static size_t drain(zsock_t *sock)
{
    size_t count = 0;
    for (; zsock_events(sock) & ZMQ_POLLIN; count++) {
        zmsg_t *message = zmsg_recv(sock);
        zmsg_destroy(&message);
    }
    return count;
}

/* As many frames as the bytes have parts between 0xff. */
static void send_frames(zsock_t *sock, const uint8_t *bytes, size_t size)
{
    for (;;) {
        const uint8_t *end = memchr(bytes, 0xff, size);
        size_t part = end ? (size_t)(end - bytes) : size;
        zmq_send(zsock_resolve(sock), bytes, part, end ? ZMQ_SNDMORE : 0);
        if (!end)
            return;
        bytes += part + 1;
        size -= part + 1;
    }
}

static void send_answer(world_t *self, const uint8_t *bytes, size_t size)
{
    zmq_send(zsock_resolve(self->worker), self->route, self->route_size, ZMQ_SNDMORE);
    zmq_send(zsock_resolve(self->worker), bytes, size, 0);
}

/* A request whose id, type and target are one byte each, so that they meet again. */
static void send_short_request(world_t *self, const uint8_t *bytes, size_t size)
{
    static const char *const types[] = {"x", "broker.last", "broker.grant", "broker.hello",
        "broker.bye", "broker.status", "session.act", "env.list"};
    static const char *const targets[] = {"s", "s@1", "s@2", "t", "broker", "@", "s@", "broker"};
    if (size < 3)
        return;
    const char id[] = {(char)('a' + bytes[0] % 4), '\0'};
    send_request(self->client, targets[bytes[1] % ARRAY_SIZE(targets)], id,
        types[bytes[2] % ARRAY_SIZE(types)], size > 3 ? bytes + 3 : NULL, size - 3);
}

static void step(world_t *self, uint8_t what, const uint8_t *bytes, size_t size)
{
    switch (what % 8) {
    case 0:
        send_frames(self->client, bytes, size);
        break;
    case 1:
        send_short_request(self, bytes, size);
        break;
    case 2:
        send_answer(self, bytes, size);
        break;
    case 3:
        send_frames(self->publisher, bytes, size);
        break;
    case 4:
        zmq_send(zsock_resolve(self->subscriber), bytes, size, 0);
        break;
    case 5:
        send_frames(self->worker, bytes, size);
        break;
    case 6:
        ev_sim_run_for(self->ev, size ? bytes[0] * 32 : 1);
        break;
    default:
        register_worker(self);
        break;
    }
    ev_sim_run_for(self->ev, 1);
    note_route(self);
}

static void expect_alive(world_t *self)
{
    drain(self->client);
    drain(self->subscriber);
    drain(self->publisher);
    send_request(self->client, "broker", "alive", "broker.ping", NULL, 0);
    ev_sim_run_for(self->ev, 1);
    size_t answers = drain(self->client);
    assert(answers > 0);
    (void)answers;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static world_t *world;
    if (!world)
        world = world_new();
    register_worker(world);
    while (size >= 2) {
        size_t length = data[1] < size - 2 ? data[1] : size - 2;
        step(world, data[0], data + 2, length);
        data += 2 + length;
        size -= 2 + length;
    }
    expect_alive(world);
    return 0;
}
