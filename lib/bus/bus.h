/* bus - a program's connection to the broker: requests, replies, events.
 *
 * Everything happens on the thread of the loop that the bus was made on; callbacks come from that
 * loop, never from within the call that asked for them. The bus finds the broker whenever it is
 * there, before or after itself, and finds it again when it was away:
 *   - a request in flight is sent again to the same broker (which answers a duplicate once), and to
 *     a new broker if its type is idempotent; otherwise it fails at once with `unavailable`;
 *   - services are registered, topics subscribed, grants given and states published again.
 * Every request ends: with a reply, an error, or `timeout`. */
#ifndef BUS_BUS_H
#define BUS_BUS_H

#include "base/err.h"
#include "base/ev.h"
#include "proto/codec.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct bus bus_t;

/* Who is calling, as the broker saw it. BUS_ROLE_LOCAL came by a socket file, and so holds the
 * rights of service and operator both. */
typedef enum {
    BUS_ROLE_NONE,
    BUS_ROLE_LOCAL,
    BUS_ROLE_SERVICE,
    BUS_ROLE_OPERATOR,
    BUS_ROLE_AGENT
} bus_role_t;

/* "local", "service", "operator", "agent" or "none". */
const char *bus_role_name(bus_role_t role);

typedef struct bus_config {
    const char *name;     /* what the program is, such as "injector"; part of `source` */
    const char *instance; /* which one, such as "node-a"; NULL: a random one */
    const char *endpoint; /* the broker's requests endpoint; NULL: ipc in the run directory */
    const char *keys;     /* keys folder, needed for tcp; NULL: <state>/keys */
    const char *role; /* which key of the folder: "service", "operator", "agent"; NULL: service */
    const struct keys_pair *pair; /* copied; for an endpoint ".../agents"; NULL: a new one */
} bus_config_t;

/* An endpoint "ipc://FOLDER/agents" is where local agents come in: with the rights of an agent, and
 * a key of their own that needs no folder. FOLDER is that of a broker that has been started.
 *
 * Connects in the background; fails only on a malformed endpoint or an unreadable key. Strings are
 * copied. */
bus_t *bus_new(ev_t *ev, const bus_config_t *config, err_t *err);

/* Unanswered incoming requests fail at their callers; own ones are forgotten without callback. */
void bus_destroy(bus_t **self_p);

/* Whether the broker has welcomed us and been heard of lately. */
bool bus_is_connected(const bus_t *self);

/* "name@instance". */
const char *bus_source(const bus_t *self);

/* As whom grants must name us at an endpoint ".../agents"; "" at any other. */
const char *bus_principal(const bus_t *self);

/* ---- asking ------------------------------------------------------------------------------- */

typedef struct bus_call {
    const char *target;       /* "injector", or one instance: "cluster@node-a" */
    const codec_type_t *type; /* of the request */
    const void *message;      /* struct of that type, encoded at once */
    int64_t timeout_ms;       /* 0: BUS_TIMEOUT_MS */
    const char *session;      /* goes into the envelope; NULL: none */
    const char *trace;        /* W3C traceparent; NULL: none */
} bus_call_t;

enum { BUS_TIMEOUT_MS = 10000 };

typedef struct bus_reply {
    const err_t *err;         /* NULL if it went well; else all below but retry_after_ms is unset */
    int64_t retry_after_ms;   /* with ERR_OVERLOADED */
    const codec_type_t *type; /* of the reply */
    const void *message;      /* decoded, the bus's, for the time of the callback */
} bus_reply_t;

typedef void(bus_reply_fn)(void *arg, const bus_reply_t *reply);

/* Calls on_reply exactly once, unless cancelled. Returns an id, never 0, for bus_cancel(). */
int bus_request(bus_t *self, const bus_call_t *call, bus_reply_fn *on_reply, void *arg);

/* Forgets a request; ids of answered or forgotten requests, and 0, are ignored. */
void bus_cancel(bus_t *self, int id);

/* Runs the loop until the answer is there: for programs that have nothing else to do, and tests;
 * never from a handler. The reply must be of type `expected`; *reply_p is for codec_free(). Returns
 * 0 or the negative code of what the callee or the broker said; ERR_STATE if the loop was stopped.
 */
int bus_call(
    bus_t *self, const bus_call_t *call, const codec_type_t *expected, void **reply_p, err_t *err);

/* ---- serving ------------------------------------------------------------------------------ */

/* A request that came in. Exactly one of bus_reply() and bus_fail() must end it, now or later. */
typedef struct bus_request bus_request_t;

/* message is decoded and valid during the call only. The handler owns the request. */
typedef void(bus_handler_fn)(void *arg, bus_request_t *request, const void *message);

typedef struct bus_handler {
    const codec_type_t *type;
    bus_handler_fn *handle;
} bus_handler_t;

/* Offers a service under a name; the table stays the caller's, and must outlive the bus. A request
 * of another type, or with a body that does not decode, is answered by the bus with `invalid`. */
void bus_serve(
    bus_t *self, const char *service, const bus_handler_t *handlers, size_t count, void *arg);

void bus_reply(bus_request_t **request_p, const codec_type_t *type, const void *message);
void bus_fail(bus_request_t **request_p, err_code_t code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* As bus_fail() with the code and text of *err. */
void bus_fail_err(bus_request_t **request_p, const err_t *err);

/* Refuses for now: ERR_OVERLOADED with the time after which to try again. */
void bus_refuse(bus_request_t **request_p, int64_t retry_after_ms, const char *why);

/* The caller's role and key name (empty for a local caller), as the broker vouches for them. */
bus_role_t bus_request_role(const bus_request_t *self);
const char *bus_request_principal(const bus_request_t *self);

/* Milliseconds until the caller stops waiting; negative if it has. */
int64_t bus_request_time_left(const bus_request_t *self);

/* From the envelope; NULL if absent. */
const char *bus_request_session(const bus_request_t *self);
const char *bus_request_trace(const bus_request_t *self);
const char *bus_request_source(const bus_request_t *self);

/* Incoming requests not yet answered. */
size_t bus_pending(const bus_t *self);

/* Asks the broker for no more requests, then calls on_drained once those here are answered, or
 * timeout_ms have passed. */
void bus_drain(bus_t *self, int64_t timeout_ms, void (*on_drained)(void *arg), void *arg);

/* ---- events ------------------------------------------------------------------------------- */

typedef struct bus_event {
    const char *topic;
    const codec_type_t *type;
    const void *message; /* decoded, the bus's, for the time of the callback */
    const char *source;
    const char *session; /* or NULL */
    const char *trace;   /* or NULL */
    int64_t time_ms;     /* when it was published, by the publisher's clock */
    uint64_t number;     /* of this event among those of its topic, given by the broker */
    uint64_t lost;       /* events of this topic lost just before this one */
    bool is_last_value;  /* served from the broker's store, not just published */
} bus_event_t;

typedef void(bus_event_fn)(void *arg, const bus_event_t *event);

/* Publishes, or queues while there is no broker: up to BUS_QUEUE_LIMIT events, then the oldest are
 * dropped and counted. The last event of each state topic is published again to a new broker.
 * Returns 0, or -ERR_OVERLOADED when something had to be dropped, -ERR_LIMIT when too big. */
int bus_publish(bus_t *self, const char *topic, const codec_type_t *type, const void *message);

/* As above, with session and trace (either may be NULL) in the envelope. */
int bus_publish_in(bus_t *self, const char *topic, const codec_type_t *type, const void *message,
    const char *session, const char *trace);

enum { BUS_QUEUE_LIMIT = 4096 };

/* Calls on_event for every event whose topic begins with prefix; first the last values of state
 * topics, in the order they were published. Events that do not decode are counted and dropped.
 * Returns an id, never 0, for bus_unsubscribe(). */
int bus_subscribe(bus_t *self, const char *prefix, bus_event_fn *on_event, void *arg);
void bus_unsubscribe(bus_t *self, int id);

/* ---- grants (services only) --------------------------------------------------------------- */

/* Lets an agent's key subscribe to topics beginning with topic_prefix and call target (each may be
 * NULL), until revoked. Remembered, and told again to a new broker. */
void bus_grant(bus_t *self, const char *principal, const char *topic_prefix, const char *target);
void bus_revoke(bus_t *self, const char *principal, const char *topic_prefix, const char *target);

/* ---- what happened ------------------------------------------------------------------------ */

typedef struct bus_counts {
    uint64_t requests_sent, requests_resent, replies, timeouts;
    uint64_t requests_served, requests_refused;
    uint64_t events_published, events_dropped, events_received, events_lost, events_undecodable;
    uint64_t connects;
} bus_counts_t;

const bus_counts_t *bus_counts(const bus_t *self);

#endif
