/* The requests socket: takes frames in, finds out who sent them, and sends frames out. */
#include "broker/internal.h"

#include <errno.h>
#include <string.h>

enum { FRAME_LIMIT = 3 }; /* routing id and two more */

typedef struct frames {
    zmq_msg_t part[FRAME_LIMIT];
    size_t count; /* FRAME_LIMIT + 1 when there were more, which are thrown away */
} frames_t;

static uint64_t routing_of(zmq_msg_t *id)
{
    uint64_t routing = 0;
    memcpy(&routing, zmq_msg_data(id), ROUTING_SIZE);
    return routing;
}

/* Programs cannot choose a routing id: a chosen one could belong to another key a moment later. */
static bool is_routing_id(zmq_msg_t *id)
{
    return zmq_msg_size(id) == ROUTING_SIZE && *(const char *)zmq_msg_data(id) == '\0';
}

/* False when there is nothing more to read. */
static bool receive(broker_t *self, frames_t *frames)
{
    if (zmq_msg_recv(&frames->part[0], self->requests, ZMQ_DONTWAIT) < 0)
        return false;
    frames->count = 1;
    bool has_more = zmq_msg_more(&frames->part[0]);
    while (has_more) {
        zmq_msg_t *part = &frames->part[frames->count < FRAME_LIMIT ? frames->count : 2];
        if (zmq_msg_recv(part, self->requests, ZMQ_DONTWAIT) < 0)
            return false;
        frames->count += frames->count <= FRAME_LIMIT ? 1 : 0;
        has_more = zmq_msg_more(part);
    }
    return true;
}

/* A connection without a key can only have come by a socket file; anything else is nobody. */
const char *router_user_id(const broker_t *self, zmq_msg_t *message)
{
    if (!self->has_keys)
        return NULL;
    const char *user_id = zmq_msg_gets(message, "User-Id");
    if (user_id)
        return user_id;
    const char *address = zmq_msg_gets(message, "Peer-Address");
    bool is_file = !address || strncmp(address, "localhost:", 10) == 0; /* ":uid:gid:pid" follows */
    return is_file ? NULL : "none:";
}

/* Whether this is still the connection that the peer was known by. With a key every message has a
 * User-Id, so a message without one is of whoever was without one before. */
static bool is_same_connection(const broker_t *self, const peer_t *peer, zmq_msg_t *head)
{
    if (!self->has_keys)
        return true;
    const char *user_id = zmq_msg_gets(head, "User-Id");
    bool has_key = peer->principal->role != BUS_ROLE_LOCAL;
    return user_id ? strcmp(peer->principal->user_id, user_id) == 0 : !has_key;
}

static peer_t *sender(broker_t *self, zmq_msg_t *id, zmq_msg_t *head)
{
    uint64_t routing = routing_of(id);
    peer_t *peer = registry_find_peer(&self->registry, routing);
    if (peer && !is_same_connection(self, peer, head)) {
        control_lose(self, peer, "lost its connection to another");
        peer = NULL;
    }
    if (!peer) {
        const char *user_id = router_user_id(self, head); /* the routing id itself has none */
        peer = registry_add_peer(&self->registry, routing, roles_use(&self->roles, user_id));
    }
    peer->heard_at = self->now;
    peer->is_full = false;
    return peer;
}

static void malformed(broker_t *self)
{
    self->counts.malformed++;
}

static void on_request(broker_t *self, peer_t *peer, zmq_msg_t *target, zmq_msg_t *envelope)
{
    envelope_peek_t peek;
    int rc = envelope_peek(zmq_msg_data(envelope), zmq_msg_size(envelope), &peek);
    if (rc < 0 || peek.kind != ENVELOPE_REQUEST || !peek.id_size
        || peek.id_size > FLIGHT_ID_LIMIT) {
        malformed(self);
        return;
    }
    self->counts.requests++;
    if (zmq_msg_size(target) == 6 && memcmp(zmq_msg_data(target), "broker", 6) == 0)
        control_request(self, peer, &peek);
    else
        intake_request(self, peer, target, envelope, &peek);
}

static void on_frames(broker_t *self, frames_t *frames)
{
    zmq_msg_t *head = &frames->part[1];
    if (frames->count < 2 || !is_routing_id(&frames->part[0])) {
        malformed(self);
        return;
    }
    peer_t *peer = sender(self, &frames->part[0], head);
    if (frames->count == 2 && zmq_msg_size(head) == 0)
        control_invite(self, peer);
    else if (frames->count != FRAME_LIMIT || zmq_msg_size(head) == 0)
        malformed(self);
    else if (*(const char *)zmq_msg_data(head) == '\0')
        dispatch_answer(self, peer, head, &frames->part[2]);
    else
        on_request(self, peer, head, &frames->part[2]);
}

bool router_drain(void *arg)
{
    broker_t *self = arg;
    bool has_more = true;
    self->now = ev_now(self->ev);
    frames_t frames;
    for (size_t i = 0; i < FRAME_LIMIT; i++)
        zmq_msg_init(&frames.part[i]);
    for (int i = 0; i < DRAIN_COUNT && (has_more = receive(self, &frames)); i++)
        on_frames(self, &frames);
    for (size_t i = 0; i < FRAME_LIMIT; i++)
        zmq_msg_close(&frames.part[i]);
    dispatch_bury(self);
    dispatch_arm(self);
    return has_more;
}

int router_address(broker_t *self, uint64_t routing)
{
    return zmq_send(self->requests, &routing, ROUTING_SIZE, ZMQ_SNDMORE | ZMQ_DONTWAIT) < 0 ? -1
                                                                                            : 0;
}

/* Once the routing id is taken, so is the rest; or the connection ends, and the rest is lost with
 * it. Either way a message that was not sent is still ours. */
void router_deliver(broker_t *self, zmq_msg_t *head, zmq_msg_t *body)
{
    if (head && zmq_msg_send(head, self->requests, ZMQ_SNDMORE) < 0)
        zmq_msg_close(head);
    if (zmq_msg_send(body, self->requests, 0) < 0)
        zmq_msg_close(body);
}

void router_reply(broker_t *self, uint64_t routing, zmq_msg_t *body)
{
    if (router_address(self, routing) < 0) {
        zmq_msg_close(body);
        self->counts.undeliverable++;
        return;
    }
    router_deliver(self, NULL, body);
}
