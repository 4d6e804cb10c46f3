/* internal - what the parts of the broker share. Private to broker/. */
#ifndef BROKER_INTERNAL_H
#define BROKER_INTERNAL_H

#include "broker/broker.h"
#include "broker/flights.h"
#include "broker/inlet.h"
#include "broker/registry.h"
#include "broker/roles.h"
#include "broker/topics.h"
#include "broker/zap.h"
#include "proto/envelope.h"
#include "proto/messages.h"

enum {
    DRAIN_COUNT = 256, /* messages taken from a socket per wake, so that none starves the others */
    ROUTING_SIZE = 5,  /* of the routing ids that ZeroMQ makes: a zero byte and a number */
    ROUTE_SIZE = 9,    /* of what a worker must quote: a zero byte and a token */
    ATTEMPT_LIMIT = 3, /* workers that may die on one request */
    SERVICE_LIMIT = 4096,
    EXPIRY_DEFAULT_MS = 60000,
    EXPIRY_LIMIT_MS = 3600000,
    RUN_SIZE = 17,
};

/* How a program came in: by the socket files of its owner, those for agents, or TCP. */
typedef enum { WAY_LOCAL, WAY_AGENT, WAY_TCP, WAY_COUNT } way_t;

typedef struct broker_counts {
    uint64_t requests, replies, errors;
    uint64_t timeouts, unavailable, overloaded, forbidden, malformed, oversized;
    uint64_t retried, late_replies, duplicates_joined, duplicates_cached, undeliverable;
    uint64_t peers_lost;
    uint64_t events, event_bytes, events_invalid, subscriptions, subscriptions_refused;
    uint64_t subscribers_ended;
} broker_counts_t;

struct broker {
    ev_t *ev; /* borrowed */
    broker_config_t config;
    char *strings[7]; /* what config points to */
    uint64_t seed;
    char run[RUN_SIZE]; /* names this run of the broker */
    int64_t now;        /* the loop's time when the present handler began */
    bool has_keys;      /* some come by CURVE, and must be told from those who do not */

    zsock_t *requests_sock;
    zsock_t *publish_sock;
    zsock_t *events_sock;
    zsock_t *monitor_sock; /* tells of lost connections; NULL over inproc */
    void *requests;        /* the same, as libzmq knows them */
    void *publish;
    void *events;
    inlet_t requests_inlet;
    inlet_t publish_inlet;
    inlet_t subscriptions_inlet;
    inlet_t monitor_inlet;
    int port;

    zap_t *zap;
    roles_t roles;
    registry_t registry;
    flights_t *flights;
    topics_t *topics;
    metrics_t *metrics;
    broker_counts_t counts;

    struct {
        char *publish; /* where to publish and to subscribe, as told to programs */
        char *events;
    } endpoints[WAY_COUNT];
    zmq_msg_t invitation; /* to say hello; encoded once */
    zmq_msg_t probe;      /* what makes a lost connection show */
    bool has_lost_peers;  /* some in the registry are to be removed */
    TAILQ_HEAD(, watch) watches;
    int sweep_timer;
    int tick_timer;
    int probe_timer;
    int probes_left;
};

/* ---- router.c: requests and replies --------------------------------------------------------- */

/* Reads requests and replies; for an inlet. */
bool router_drain(void *arg);

/* The User-Id of the connection a message came by; NULL: a local one. Never of a routing id frame.
 */
const char *router_user_id(const broker_t *self, zmq_msg_t *message);

/* Begins a message to a peer, which must be followed by router_deliver(). Returns 0 or -1 with
 * errno: EHOSTUNREACH: the peer is gone; EAGAIN: it does not read. */
int router_address(broker_t *self, uint64_t routing);

/* Sends the rest: [head][body] or, if head is NULL, [body]. Takes both. */
void router_deliver(broker_t *self, zmq_msg_t *head, zmq_msg_t *body);

/* Sends [body] to a peer that may be gone; takes it. */
void router_reply(broker_t *self, uint64_t routing, zmq_msg_t *body);

/* ---- intake.c: requests come in ------------------------------------------------------------- */

/* Accepts a request, and takes the envelope, or answers why not. */
void intake_request(broker_t *self, peer_t *caller, zmq_msg_t *target, zmq_msg_t *envelope,
    const envelope_peek_t *peek);

/* For how long from now on an answer is wanted. */
int64_t intake_budget(const envelope_peek_t *peek);

/* ---- dispatch.c: flights from beginning to end ---------------------------------------------- */

/* Gives a new flight, which is in no list yet, to a worker, or lets it wait in line. */
void dispatch_begin(broker_t *self, flight_t *flight);

/* Passes a worker's answer on; takes the envelope. */
void dispatch_answer(broker_t *self, peer_t *worker, zmq_msg_t *route, zmq_msg_t *envelope);

/* Hands waiting requests of a service to workers that can take them. */
void dispatch_waiting(broker_t *self, service_t *service);

/* The same when somebody new offers it, so that the rest waits for as long as it takes. */
void dispatch_offered(broker_t *self, service_t *service);

/* Ends or moves the work of a peer that will not answer any more. */
void dispatch_orphans(broker_t *self, peer_t *worker, const char *why);

/* Sees to it that deadlines are met from now on. */
void dispatch_arm(broker_t *self);

/* Removes the peers that turned out to be gone. */
void dispatch_bury(broker_t *self);

/* ---- answer.c: what the broker says itself ------------------------------------------------- */

/* All send a reply to the request with this id at that peer. */
void answer_error(broker_t *self, uint64_t routing, const char *id, size_t id_size,
    const err_t *err, int64_t retry_after_ms);
void answer_message(broker_t *self, uint64_t routing, const char *id, size_t id_size,
    const codec_type_t *type, const void *message);

/* Encodes an envelope from the broker with that kind, correlation (or NULL) and body into *frame.
 */
void answer_encode(broker_t *self, envelope_kind_t kind, const char *corr, const codec_type_t *type,
    const void *message, zmq_msg_t *frame);

/* ---- control.c: what is asked of the broker itself ------------------------------------------ */

/* Handles a request with target `broker`. */
void control_request(broker_t *self, peer_t *peer, const envelope_peek_t *peek);

/* Asks a peer to say hello. */
void control_invite(broker_t *self, peer_t *peer);

/* A peer is gone: its work ends or moves, and it is removed. */
void control_lose(broker_t *self, peer_t *peer, const char *why);

/* Every so often: who is silent is gone. */
void control_sweep(void *arg);

/* Connections were lost: finds out whose; for an inlet. */
bool control_drain_disconnects(void *arg);

/* ---- watches.c: who waits for the end of whom ------------------------------------------------ */

/* Answers the question of a peer when no connection of a caller is left. */
void watches_begin(
    broker_t *self, const peer_t *asker, const envelope_peek_t *peek, uint64_t caller);

/* Whether anybody waits for its end. */
bool watches_has(const broker_t *self, uint64_t caller);

/* A peer is leaving or lost: answers who waited for it, and forgets what it waited for. */
void watches_note_end(broker_t *self, const peer_t *peer, const char *how);

/* Ends those whose deadline has passed. */
void watches_sweep(broker_t *self);
void watches_done(broker_t *self);

/* ---- events.c ------------------------------------------------------------------------------- */

/* For inlets. */
bool events_drain_published(void *arg);
bool events_drain_subscriptions(void *arg);

/* ---- report.c ------------------------------------------------------------------------------- */

void report_register(broker_t *self);
json_t *report_status(broker_t *self);

#endif
