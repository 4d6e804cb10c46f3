/* bus_internal - what the parts of the bus library share. Private to lib/bus. */
#ifndef BUS_BUS_INTERNAL_H
#define BUS_BUS_INTERNAL_H

#include "bus/bus.h"
#include "bus/keys.h"
#include "proto/envelope.h"
#include "proto/messages.h"

#include <sys/queue.h>

/* A request of ours that has no answer yet. */
typedef struct ask {
    bus_t *bus; /* borrowed */
    int id;
    char wire_id[40];
    const codec_type_t *type;
    char *target;
    char *session; /* or NULL */
    char *trace;   /* or NULL */
    char *body;
    size_t body_size;
    int64_t deadline; /* by the loop's clock */
    int timer;
    bool is_sent;
    bool is_own;      /* asked by the bus itself: not counted, never resent */
    bool is_given_up; /* to be failed */
    void **message_p; /* whoever takes the decoded reply over; or NULL */
    bus_reply_fn *on_reply;
    void *arg;
    TAILQ_ENTRY(ask) in_asks;
} ask_t;

/* A request of somebody else that we have not answered yet. */
struct bus_request {
    bus_t *bus; /* borrowed; NULL once the bus is gone */
    char route[9];
    bus_role_t role;
    char *principal;
    envelope_t *envelope;
    int64_t deadline;    /* by the loop's clock */
    uint64_t connection; /* on which it came */
    TAILQ_ENTRY(bus_request) in_requests;
};

typedef struct offer {
    char *service;
    const bus_handler_t *handlers;
    size_t handler_count;
    void *arg;
    TAILQ_ENTRY(offer) in_offers;
} offer_t;

typedef struct subscription {
    bus_t *bus; /* borrowed */
    int id;
    char *prefix;
    bus_event_fn *on_event;
    void *arg;
    zhashx_t *numbers;   /* owns uint64_t *: the last number seen, by topic */
    int ask_id;          /* for the last values; 0: none under way */
    char sync_topic[40]; /* "": confirmed */
    bool is_ended;       /* freed when no event is being delivered */
    TAILQ_ENTRY(subscription) in_subscriptions;
} subscription_t;

typedef struct queued_event {
    char *frame;
    size_t size;
    TAILQ_ENTRY(queued_event) in_queue;
} queued_event_t;

typedef struct grant_entry {
    char *principal;
    char *topic;  /* or NULL */
    char *target; /* or NULL */
    TAILQ_ENTRY(grant_entry) in_grants;
} grant_entry_t;

struct bus {
    ev_t *ev; /* borrowed */
    char *name;
    char *instance;
    char *source;
    char *endpoint;
    bool is_curve;
    keys_pair_t pair;
    char principal[KEY_NAME_LIMIT + 1]; /* at the local agents' socket; "" at any other */
    char server_key[KEY_TEXT_SIZE];

    zsock_t *requests;
    zsock_t *publish; /* NULL until welcomed once; so is events */
    zsock_t *events;
    char *publish_endpoint;
    char *events_endpoint;
    uint64_t connection;   /* counts the sockets made for requests, and invitations */
    char *broker;          /* which run of it; NULL: never welcomed */
    bool is_welcome;       /* the present connection is registered */
    err_t refusal;         /* why the broker did not welcome us, if it did not */
    bool has_started_over; /* the broker fell silent: old connections may be dead and not know it */
    int hello_ask;         /* 0: none under way */
    int64_t heard_at;
    int64_t ping_ms;
    int64_t silence_ms;
    size_t event_limit;
    int ping_timer;

    uint64_t wire_seed;
    int last_id;
    TAILQ_HEAD(, ask) asks; /* in order of asking */
    TAILQ_HEAD(, bus_request) pending;
    TAILQ_HEAD(, offer) offers;
    TAILQ_HEAD(, subscription) subscriptions;
    TAILQ_HEAD(, grant_entry) grants;
    TAILQ_HEAD(, queued_event) queue;
    size_t pending_count;
    size_t queue_count;
    size_t publish_ready; /* brokers that take our events: 0 or 1 */
    zhashx_t *states;     /* owns queued_event_t *: last of each state topic we published */
    bool has_published;   /* to this or an earlier broker */
    int delivering;       /* depth of event callbacks */

    bool is_draining;
    int drain_timer;
    void (*on_drained)(void *arg);
    void *drain_arg;
    bus_counts_t counts;
};

/* ---- ask.c --------------------------------------------------------------------------------- */

/* As bus_request(), for the bus's own questions to the broker. */
int ask_broker(bus_t *self, const codec_type_t *type, const void *message, int64_t timeout_ms,
    bus_reply_fn *on_reply, void *arg);

/* A reply came in. */
void ask_on_reply(bus_t *self, const envelope_t *envelope);

/* We are registered: sends what was not sent, and again what was; to a new broker only what may be
 * done twice. */
void ask_on_welcome(bus_t *self, bool is_new_broker);
void ask_forget_all(bus_t *self);

/* ---- serve.c ------------------------------------------------------------------------------- */

void serve_on_request(bus_t *self, const void *route, size_t route_size, envelope_t **envelope_p);
void serve_forget_all(bus_t *self);
void serve_note_drained(bus_t *self);

/* ---- publish.c ----------------------------------------------------------------------------- */

void publish_init(bus_t *self);
void publish_open(bus_t *self, const char *endpoint);
void publish_close(bus_t *self);
void publish_done(bus_t *self);

/* Sends what is queued, if it can be. */
void publish_flush(bus_t *self);

/* ---- subscribe.c --------------------------------------------------------------------------- */

void subscribe_init(bus_t *self);
void subscribe_open(bus_t *self, const char *endpoint);
void subscribe_on_welcome(bus_t *self);
void subscribe_close(bus_t *self);
void subscribe_done(bus_t *self);

/* ---- grants.c ------------------------------------------------------------------------------ */

/* Tells the broker all that an agent's key has from us, or that of every key. */
void grants_tell(bus_t *self, const char *principal);
void grants_tell_all(bus_t *self);
void grants_forget_all(bus_t *self);

/* ---- connection.c -------------------------------------------------------------------------- */

/* Makes a socket with our options and keys, connected; NULL for a malformed endpoint. */
zsock_t *connection_socket(bus_t *self, int type, const char *endpoint);
int connection_open(bus_t *self, err_t *err);
void connection_close(bus_t *self);

/* Tells the broker what we offer, also when that changes. */
void connection_hello(bus_t *self);

/* Sends [head][bytes]. 0, or -1: there is no connection. */
int connection_send(
    bus_t *self, const void *head, size_t head_size, const void *bytes, size_t size);

#endif
