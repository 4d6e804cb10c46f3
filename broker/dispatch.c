/* Flights from beginning to end: accepted, given to a worker, answered, moved, expired. */
#include "broker/internal.h"

#include "base/auto.h"
#include "base/mem.h"

#include <assert.h>
#include <errno.h>

/* ---- ends ---------------------------------------------------------------------------------- */

static peer_t *caller_of(broker_t *self, const flight_t *flight)
{
    peer_t *caller = registry_find_peer(&self->registry, flight->caller_routing);
    return caller && caller->caller == flight->caller ? caller : NULL;
}

/* Takes the flight out of its worker's or service's list. */
static void unlink_flight(flight_t *flight)
{
    if (flight->state == FLIGHT_WAITING) {
        TAILQ_REMOVE(&flight->service->waiting, flight, in_list);
    } else {
        TAILQ_REMOVE(&flight->worker->work, flight, in_list);
        flight->worker->work_count--;
    }
}

/* The caller has its answer, or none is coming: what was counted for it is given back. */
static void release(broker_t *self, flight_t *flight)
{
    service_t *service = flight->service;
    peer_t *caller = caller_of(self, flight);
    if (caller && caller->asked_count)
        caller->asked_count--;
    service->live_count--;
    service->live_bytes -= flight->size;
}

/* Ends a flight that is in no list, with *reply for the cache. */
static void end(broker_t *self, flight_t *flight, zmq_msg_t *reply)
{
    service_t *service = flight->service;
    roles_end_use(&self->roles, TAKE(flight->principal));
    flights_end(self->flights, flight, reply, self->now);
    if (service)
        registry_release(&self->registry, service);
}

static void fail(broker_t *self, flight_t *flight, const err_t *err, int64_t retry_after_ms)
{
    answer_error(self, flight->caller_routing, flight->id, flight->id_size, err, retry_after_ms);
    release(self, flight);
    end(self, flight, NULL);
}

/* ---- to a worker --------------------------------------------------------------------------- */

static void make_route(const flight_t *flight, zmq_msg_t *route)
{
    const principal_t *caller = flight->principal;
    size_t name_size = strlen(caller->name);
    uint64_t token = flight_token(flight);
    if (zmq_msg_init_size(route, ROUTE_SIZE + 1 + name_size) < 0)
        mem_check(NULL);
    char *at = zmq_msg_data(route);
    at[0] = '\0';
    memcpy(at + 1, &token, sizeof(token));
    at[ROUTE_SIZE] = roles_letter(caller->role);
    memcpy(at + ROUTE_SIZE + 1, caller->name, name_size);
}

/* 0, or -1: it cannot take it. The envelope stays in the flight while it may be needed again. */
static int send_to_worker(broker_t *self, flight_t *flight, peer_t *worker)
{
    if (router_address(self, worker->routing) < 0) {
        worker->is_full = true;
        worker->is_lost = errno == EHOSTUNREACH;
        self->has_lost_peers |= worker->is_lost;
        return -1;
    }
    zmq_msg_t route;
    zmq_msg_t envelope;
    make_route(flight, &route);
    zmq_msg_init(&envelope);
    if (flight->is_idempotent)
        zmq_msg_copy(&envelope, &flight->envelope);
    else
        zmq_msg_move(&envelope, &flight->envelope);
    router_deliver(self, &route, &envelope);
    return 0;
}

/* Gives a flight that is in no list to a worker, if one can take it. */
static bool assign(broker_t *self, flight_t *flight)
{
    for (;;) {
        peer_t *worker = service_pick(flight->service, flight->instance, self->config.worker_limit);
        if (!worker)
            return false;
        if (send_to_worker(self, flight, worker) < 0)
            continue; /* it is marked now, and will not be picked again */
        flight->state = FLIGHT_ASSIGNED;
        flight->attempts++;
        flight->worker = worker;
        TAILQ_INSERT_TAIL(&worker->work, flight, in_list);
        worker->work_count++;
        if (flight->due != flight->deadline)
            flights_set_timer(self->flights, flight, flight->deadline);
        return true;
    }
}

/* Puts a flight in line; is_first: before the others, since it was there before them. */
static void wait_in_line(broker_t *self, flight_t *flight, bool is_first)
{
    flight->state = FLIGHT_WAITING;
    flight->worker = NULL;
    if (is_first)
        TAILQ_INSERT_HEAD(&flight->service->waiting, flight, in_list);
    else
        TAILQ_INSERT_TAIL(&flight->service->waiting, flight, in_list);
    bool is_offered = service_has(flight->service, flight->instance);
    int64_t patience = self->now + self->config.absent_ms;
    flights_set_timer(self->flights, flight,
        is_offered || flight->deadline < patience ? flight->deadline : patience);
}

void dispatch_begin(broker_t *self, flight_t *flight)
{
    bool is_turn = TAILQ_EMPTY(&flight->service->waiting) || flight->instance;
    if (!is_turn || flight->deadline <= self->now || !assign(self, flight))
        wait_in_line(self, flight, false);
}

void dispatch_waiting(broker_t *self, service_t *service)
{
    for (flight_t *flight = TAILQ_FIRST(&service->waiting), *next = NULL; flight; flight = next) {
        next = TAILQ_NEXT(flight, in_list);
        TAILQ_REMOVE(&service->waiting, flight, in_list);
        if (assign(self, flight))
            continue;
        if (next)
            TAILQ_INSERT_BEFORE(next, flight, in_list);
        else
            TAILQ_INSERT_TAIL(&service->waiting, flight, in_list);
        if (!flight->instance)
            return; /* nobody is free for the others either */
    }
}

void dispatch_offered(broker_t *self, service_t *service)
{
    dispatch_waiting(self, service);
    flight_t *flight;
    TAILQ_FOREACH(flight, &service->waiting, in_list)
    {
        if (flight->due != flight->deadline && service_has(service, flight->instance))
            flights_set_timer(self->flights, flight, flight->deadline);
    }
}

/* ---- from a worker ------------------------------------------------------------------------- */

static void note_latency(broker_t *self, service_t *service, const flight_t *flight)
{
    service->answered_count++;
    service->mean_ms += ((double)(self->now - flight->started) - service->mean_ms) / 16;
}

static void answer_flight(broker_t *self, flight_t *flight, zmq_msg_t *envelope)
{
    service_t *service = flight->service;
    if (zmq_msg_size(envelope) > self->config.request_limit) {
        err_t err;
        self->counts.oversized++;
        err_set(&err, ERR_LIMIT, "the answer of %zu bytes is too large", zmq_msg_size(envelope));
        fail(self, flight, &err, 0);
        return;
    }
    uint64_t routing = flight->caller_routing;
    note_latency(self, service, flight);
    release(self, flight);
    end(self, flight, envelope);
    self->counts.replies++;
    zmq_msg_t reply;
    zmq_msg_init(&reply);
    zmq_msg_move(&reply, envelope);
    router_reply(self, routing, &reply);
}

static flight_t *flight_of_route(broker_t *self, zmq_msg_t *route)
{
    uint64_t token;
    if (zmq_msg_size(route) < ROUTE_SIZE)
        return NULL;
    memcpy(&token, (const char *)zmq_msg_data(route) + 1, sizeof(token));
    return flights_by_token(self->flights, token);
}

void dispatch_answer(broker_t *self, peer_t *worker, zmq_msg_t *route, zmq_msg_t *envelope)
{
    flight_t *flight = flight_of_route(self, route);
    if (!flight || flight->worker != worker || flight->state == FLIGHT_WAITING) {
        self->counts.late_replies++;
        return;
    }
    envelope_peek_t peek;
    bool is_reply = envelope_peek(zmq_msg_data(envelope), zmq_msg_size(envelope), &peek) == 0
                    && peek.kind == ENVELOPE_REPLY && peek.corr_size == flight->id_size
                    && memcmp(peek.corr, flight->id, flight->id_size) == 0;
    service_t *service = flight->service;
    unlink_flight(flight);
    if (!service) { /* expired; now the worker is free for whatever waits for it */
        self->counts.late_replies++;
        end(self, flight, NULL);
        for (size_t i = 0; i < worker->service_count; i++)
            dispatch_waiting(self, worker->services[i]);
        return;
    }
    bool has_waiting = !TAILQ_EMPTY(&service->waiting);
    if (is_reply) {
        answer_flight(self, flight, envelope);
    } else {
        err_t err;
        self->counts.malformed++;
        err_set(&err, ERR_IO, "'%s' sent a malformed answer", service->name);
        fail(self, flight, &err, 0);
    }
    if (has_waiting)
        dispatch_waiting(self, service);
}

/* ---- deadlines ----------------------------------------------------------------------------- */

static void expire_waiting(broker_t *self, flight_t *flight)
{
    err_t err;
    const char *service = flight->service->name;
    unlink_flight(flight);
    if (self->now >= flight->deadline) {
        self->counts.timeouts++;
        err_set(&err, ERR_TIMEOUT, "'%s' was not free in time", service);
    } else {
        self->counts.unavailable++;
        err_set(&err, ERR_UNAVAILABLE, "no '%s%s%s' is connected", service,
            flight->instance ? "@" : "", flight->instance ? flight->instance : "");
    }
    fail(self, flight, &err, 0);
}

/* The worker is still busy with it, so it keeps it, but nobody waits for it. */
static void expire_assigned(broker_t *self, flight_t *flight)
{
    err_t err;
    self->counts.timeouts++;
    err_set(&err, ERR_TIMEOUT, "'%s' did not answer in time", flight->service->name);
    answer_error(self, flight->caller_routing, flight->id, flight->id_size, &err, 0);
    release(self, flight);
    registry_release(&self->registry, flight->service);
    flight->service = NULL;
    flight->state = FLIGHT_EXPIRED;
    flights_set_timer(self->flights, flight, self->now + self->config.expired_ms);
}

static void on_due(broker_t *self, flight_t *flight)
{
    if (flight->state == FLIGHT_WAITING) {
        expire_waiting(self, flight);
    } else if (flight->state == FLIGHT_ASSIGNED) {
        expire_assigned(self, flight);
    } else {
        unlink_flight(flight);
        end(self, flight, NULL);
    }
}

static void on_tick(void *arg)
{
    broker_t *self = arg;
    self->tick_timer = 0;
    self->now = ev_now(self->ev);
    for (flight_t *flight; (flight = flights_next_due(self->flights, self->now));)
        on_due(self, flight);
    dispatch_bury(self);
    dispatch_arm(self);
    inlet_drain(&self->requests_inlet);
}

void dispatch_arm(broker_t *self)
{
    if (!self->tick_timer && flights_has_timers(self->flights))
        self->tick_timer = ev_after(self->ev, FLIGHTS_TICK_MS, on_tick, self);
}

/* ---- the dead ------------------------------------------------------------------------------ */

static bool may_be_done_again(const broker_t *self, const flight_t *flight)
{
    return flight->is_idempotent && flight->attempts < ATTEMPT_LIMIT
           && flight->deadline > self->now;
}

void dispatch_orphans(broker_t *self, peer_t *worker, const char *why)
{
    while (!TAILQ_EMPTY(&worker->work)) {
        flight_t *flight = TAILQ_LAST(&worker->work, flight_list);
        unlink_flight(flight);
        if (flight->state == FLIGHT_EXPIRED) {
            end(self, flight, NULL);
        } else if (may_be_done_again(self, flight)) {
            self->counts.retried++;
            wait_in_line(self, flight, true);
        } else {
            err_t err;
            self->counts.unavailable++;
            err_set(&err, ERR_UNAVAILABLE, "'%s@%s' %s while working on it", flight->service->name,
                worker->instance, why);
            fail(self, flight, &err, 0);
        }
    }
}

static peer_t *next_lost(const broker_t *self)
{
    peer_t *peer;
    TAILQ_FOREACH(peer, &self->registry.peers, in_peers)
    {
        if (peer->is_lost)
            return peer;
    }
    return NULL;
}

void dispatch_bury(broker_t *self)
{
    while (self->has_lost_peers) {
        peer_t *peer = next_lost(self);
        if (peer)
            control_lose(self, peer, "went away");
        else
            self->has_lost_peers = false;
    }
}
