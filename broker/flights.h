/* flights - the requests under way, and the answers given lately.
 *
 * A flight begins when a request is accepted and moves
 *
 *     waiting -> assigned -> answered -> (forgotten)
 *
 * back to waiting when its worker dies and the request may be done again, and to expired when its
 * deadline passes while a worker holds it: the worker is still busy with it, and counts as such,
 * until it answers, dies, or a grace has passed. An answered flight is the reply cache. Knows
 * nothing of sockets. */
#ifndef BROKER_FLIGHTS_H
#define BROKER_FLIGHTS_H

#include "broker/map.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>
#include <zmq.h>

enum { FLIGHT_ID_LIMIT = 64 };

typedef enum {
    FLIGHT_FREE,
    FLIGHT_WAITING,
    FLIGHT_ASSIGNED,
    FLIGHT_EXPIRED,
    FLIGHT_ANSWERED
} flight_state_t;

typedef struct flight {
    flight_state_t state;
    uint32_t index;
    uint32_t generation; /* of the place; a token of an older one is late */
    uint8_t attempts;
    bool is_idempotent;
    bool has_envelope;
    uint8_t id_size;
    char id[FLIGHT_ID_LIMIT];
    uint64_t key;                /* of caller and id */
    uint64_t caller;             /* who asks: stays the same over reconnects */
    uint64_t caller_routing;     /* the connection to answer to */
    struct principal *principal; /* of the caller; a use of it; NULL once answered */
    struct service *service;     /* borrowed; NULL once expired */
    struct peer *worker;         /* borrowed; while assigned or expired */
    char *instance;              /* the one instance asked for, or NULL */
    int64_t started;
    int64_t deadline;
    int64_t due; /* when the timer rings: the deadline or something earlier */
    size_t size; /* of the envelope */
    zmq_msg_t envelope;
    char *reply;       /* kept from one use of the place to the next */
    size_t reply_size; /* 0: none */
    size_t reply_capacity;
    TAILQ_ENTRY(flight) in_list;  /* of its service (waiting), worker, or the cache */
    TAILQ_ENTRY(flight) in_wheel; /* while due is set */
} flight_t;

TAILQ_HEAD(flight_list, flight);
typedef struct flight_list flight_list_t;

typedef struct flights flights_t;

typedef struct flights_config {
    size_t cache_count; /* replies kept at most */
    size_t cache_bytes;
    int64_t cache_ms; /* and for so long */
} flights_config_t;

flights_t *flights_new(const flights_config_t *config, uint64_t seed);
void flights_destroy(flights_t **self_p);

/* The flight with this id of this caller, or NULL. */
flight_t *flights_find(flights_t *self, uint64_t caller, const char *id, size_t id_size);

/* A new flight in state waiting, in no list. id_size is at most FLIGHT_ID_LIMIT. */
flight_t *flights_add(flights_t *self, uint64_t caller, const char *id, size_t id_size);

/* Rings at `due` (the loop's ms); replaces an earlier setting. 0: never. */
void flights_set_timer(flights_t *self, flight_t *flight, int64_t due);

/* What a worker must quote to answer, and back; NULL if that flight has ended. */
uint64_t flight_token(const flight_t *flight);
flight_t *flights_by_token(flights_t *self, uint64_t token);

/* Ends a flight that is in no list: keeps *reply (copied) for duplicates, or forgets it (NULL). */
void flights_end(flights_t *self, flight_t *flight, zmq_msg_t *reply, int64_t now);

/* Drops replies that are too old. */
void flights_trim(flights_t *self, int64_t now);

/* Takes the next flight whose timer has rung by now, its timer unset, or NULL. */
flight_t *flights_next_due(flights_t *self, int64_t now);

/* Whether any timer is set. */
bool flights_has_timers(const flights_t *self);

size_t flights_cached(const flights_t *self);
size_t flights_live(const flights_t *self);

enum { FLIGHTS_TICK_MS = 16 };

#endif
