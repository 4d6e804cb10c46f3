/* What is asked of the broker itself: who is there, who may what, what was said last. */
#include "broker/internal.h"

#include "base/auto.h"
#include "base/log.h"
#include "base/mem.h"

#include <assert.h>
#include <czmq.h>
#include <endian.h>

enum { SERVICES_PER_PEER = 64, UNKNOWN_PATIENCE_MS = 60000, PROBE_COUNT = 3, PROBE_MS = 25 };

typedef struct question {
    peer_t *peer;
    const envelope_peek_t *peek;
} question_t;

static void answer(
    broker_t *self, const question_t *question, const codec_type_t *type, const void *message)
{
    answer_message(
        self, question->peer->routing, question->peek->id, question->peek->id_size, type, message);
}

static void answer_ok(broker_t *self, const question_t *question)
{
    answer(self, question, &ok_type, &(ok_t){});
}

static void refuse(broker_t *self, const question_t *question, err_code_t code, const char *text)
{
    err_t err;
    err_set(&err, code, "%s", text);
    self->counts.forbidden += code == ERR_FORBIDDEN ? 1 : 0;
    answer_error(
        self, question->peer->routing, question->peek->id, question->peek->id_size, &err, 0);
}

/* ---- coming and going ----------------------------------------------------------------------- */

static bool is_name(const char *name)
{
    size_t length = strlen(name);
    return length && length <= REGISTRY_NAME_LIMIT && !strpbrk(name, "@ \t\r\n\"=");
}

static bool check_hello(const peer_t *peer, const broker_hello_t *hello, err_t *err)
{
    if (!is_name(hello->name) || !is_name(hello->instance))
        return err_set(err, ERR_INVALID, "a name must have 1 to 64 characters, without '@'"), false;
    if (hello->services.count > SERVICES_PER_PEER)
        return err_set(err, ERR_LIMIT, "more than %d services", SERVICES_PER_PEER), false;
    for (size_t i = 0; i < hello->services.count; i++) {
        if (!is_name(hello->services.items[i]) || strcmp(hello->services.items[i], "broker") == 0)
            return err_set(err, ERR_INVALID, "'%s' cannot be the name of a service",
                       hello->services.items[i]),
                   false;
    }
    bus_role_t role = peer->principal->role;
    if (hello->services.count && role != BUS_ROLE_LOCAL && role != BUS_ROLE_SERVICE)
        return err_set(err, ERR_FORBIDDEN, "role '%s' may not offer services", bus_role_name(role)),
               false;
    return true;
}

/* The same program over reconnects: its key and what it calls itself, which ends in a random part.
 * Two with one key that use the same name could at most see each other's replies. */
static uint64_t caller_number(const broker_t *self, const char *user_id, const char *source)
{
    uint64_t by_key = map_hash(self->seed, user_id, strlen(user_id));
    return map_hash(by_key, source, strlen(source));
}

static void adopt(broker_t *self, peer_t *peer, const broker_hello_t *hello)
{
    bool is_new = !peer->is_known;
    snprintf(peer->name, sizeof(peer->name), "%s", hello->name);
    snprintf(peer->instance, sizeof(peer->instance), "%s", hello->instance);
    char source[2 * REGISTRY_NAME_LIMIT + 2];
    snprintf(source, sizeof(source), "%s@%s", hello->name, hello->instance);
    if (is_new)
        peer->caller = caller_number(self, peer->principal->user_id, source);
    peer->is_known = true;
    registry_offer(&self->registry, peer, hello->services.items, hello->services.count);
    if (is_new)
        log_info("peer.joined", "source=%s role=%s services=%zu", source,
            bus_role_name(peer->principal->role), hello->services.count);
    for (size_t i = 0; i < peer->service_count; i++)
        dispatch_offered(self, peer->services[i]);
}

static way_t way_of(const principal_t *principal)
{
    if (principal->role == BUS_ROLE_LOCAL)
        return WAY_LOCAL;
    return principal->is_keyed_locally ? WAY_AGENT : WAY_TCP;
}

static void on_hello(broker_t *self, const question_t *question, const void *message)
{
    const broker_hello_t *hello = message;
    err_t err;
    if (!check_hello(question->peer, hello, &err)) {
        refuse(self, question, err.code, err.text);
        return;
    }
    bus_role_t role = question->peer->principal->role;
    way_t way = way_of(question->peer->principal);
    bool may_publish = role == BUS_ROLE_LOCAL || role == BUS_ROLE_SERVICE;
    broker_welcome_t welcome = {
        .broker = self->run,
        .publish = may_publish ? self->endpoints[way].publish : "",
        .events = self->endpoints[way].events,
        .ping_ms = self->config.ping_ms,
        .silence_ms = self->config.silence_ms,
        .request_limit = (int64_t)self->config.request_limit,
        .event_limit = (int64_t)self->config.event_limit,
    };
    /* The welcome first: no request comes before it, nor after it for a service given up. */
    answer(self, question, &broker_welcome_type, &welcome);
    adopt(self, question->peer, hello);
}

static void on_ping(broker_t *self, const question_t *question, const void *message)
{
    (void)message;
    if (question->peer->is_known)
        answer_ok(self, question);
    else
        refuse(self, question, ERR_NOT_FOUND, "say hello first");
}

static void on_bye(broker_t *self, const question_t *question, const void *message)
{
    (void)message;
    answer_ok(self, question);
    if (question->peer->is_known)
        log_info("peer.left", "source=%s@%s", question->peer->name, question->peer->instance);
    dispatch_orphans(self, question->peer, "left");
    question->peer->is_leaving = true;
    watches_note_end(self, question->peer, "left");
    registry_offer(&self->registry, question->peer, NULL, 0);
}

void control_invite(broker_t *self, peer_t *peer)
{
    if (router_address(self, peer->routing) < 0)
        return; /* gone again */
    zmq_msg_t copy;
    zmq_msg_init(&copy);
    zmq_msg_copy(&copy, &self->invitation);
    router_deliver(self, NULL, &copy);
}

void control_lose(broker_t *self, peer_t *peer, const char *why)
{
    if (peer->is_known && !peer->is_leaving) {
        self->counts.peers_lost++;
        log_warn("peer.lost", "source=%s@%s work=%zu reason=\"%s\"", peer->name, peer->instance,
            peer->work_count, why);
    }
    bool is_closed = peer->is_lost; /* it was found out by a message that could not be sent */
    peer->is_lost = true;
    dispatch_orphans(self, peer, why);
    watches_note_end(self, peer, is_closed ? "closed" : "silent");
    principal_t *principal = peer->principal;
    registry_remove_peer(&self->registry, peer);
    roles_end_use(&self->roles, principal);
    service_t *service;
    service_t *next = NULL;
    for (service = TAILQ_FIRST(&self->registry.services); service; service = next) {
        next = TAILQ_NEXT(service, in_services);
        dispatch_waiting(self, service);
    }
}

/* ---- who is still there --------------------------------------------------------------------- */

static bool is_silent(const broker_t *self, const peer_t *peer)
{
    int64_t silence = self->now - peer->heard_at;
    if (peer->is_leaving)
        return silence > self->config.ping_ms;
    if (!peer->is_known)
        return silence > UNKNOWN_PATIENCE_MS && !peer->asked_count;
    return silence > self->config.silence_ms;
}

void control_sweep(void *arg)
{
    broker_t *self = arg;
    self->now = ev_now(self->ev);
    self->sweep_timer = ev_after(self->ev, self->config.ping_ms / 2, control_sweep, self);
    peer_t *next = NULL;
    for (peer_t *peer = TAILQ_FIRST(&self->registry.peers); peer; peer = next) {
        next = TAILQ_NEXT(peer, in_peers);
        peer->is_full = false;
        if (is_silent(self, peer))
            control_lose(self, peer, "fell silent");
    }
    service_t *service;
    TAILQ_FOREACH(service, &self->registry.services, in_services)
    dispatch_waiting(self, service);
    flights_trim(self->flights, self->now);
    watches_sweep(self);
    dispatch_bury(self);
    dispatch_arm(self);
    inlet_drain(&self->requests_inlet);
}

/* A connection has ended, and libzmq does not say whose; sending finds out. The socket may not have
 * heard of it when we do, so more than once. */
static void probe(void *arg)
{
    broker_t *self = arg;
    self->now = ev_now(self->ev);
    self->probe_timer = 0;
    peer_t *peer;
    TAILQ_FOREACH(peer, &self->registry.peers, in_peers)
    {
        if (!peer->work_count && !peer->service_count && !watches_has(self, peer->caller))
            continue;
        if (router_address(self, peer->routing) == 0) {
            zmq_msg_t copy;
            zmq_msg_init(&copy);
            zmq_msg_copy(&copy, &self->probe);
            router_deliver(self, NULL, &copy);
        } else if (errno == EHOSTUNREACH) {
            peer->is_lost = self->has_lost_peers = true;
        }
    }
    dispatch_bury(self);
    dispatch_arm(self);
    if (--self->probes_left > 0)
        self->probe_timer = ev_after(self->ev, PROBE_MS, probe, self);
    inlet_drain(&self->requests_inlet);
}

bool control_drain_disconnects(void *arg)
{
    broker_t *self = arg;
    zmq_msg_t frame; /* tells an address, which no peer has for itself */
    zmq_msg_init(&frame);
    bool is_any = false;
    while (zmq_msg_recv(&frame, zsock_resolve(self->monitor_sock), ZMQ_DONTWAIT) >= 0)
        is_any = true;
    zmq_msg_close(&frame);
    if (!is_any)
        return false;
    self->probes_left = PROBE_COUNT;
    if (!self->probe_timer)
        self->probe_timer = ev_after(self->ev, 0, probe, self);
    return false;
}

static void on_watch(broker_t *self, const question_t *question, const void *message)
{
    const broker_watch_t *watch = message;
    bool is_local = strcmp(watch->role, bus_role_name(BUS_ROLE_LOCAL)) == 0;
    AUTO_FREE char *user_id =
        is_local ? xstrdup("") : xasprintf("%s:%s", watch->role, watch->principal);
    watches_begin(
        self, question->peer, question->peek, caller_number(self, user_id, watch->source));
}

/* ---- grants, last values, status ------------------------------------------------------------ */

static void on_grant(broker_t *self, const question_t *question, const void *message)
{
    const broker_grant_t *grant = message;
    self->counts.subscribers_ended +=
        roles_grant(&self->roles, grant->principal, question->peer->caller, grant->topics.items,
            grant->topics.count, grant->targets.items, grant->targets.count);
    answer_ok(self, question);
}

typedef struct collection {
    char *bytes;
    size_t size;
    FILE *out;
} collection_t;

static void collect(void *arg, const void *event, size_t size)
{
    collection_t *collection = arg;
    uint32_t length = htobe32((uint32_t)size);
    fwrite(&length, sizeof(length), 1, collection->out);
    fwrite(event, size, 1, collection->out);
}

static void on_last(broker_t *self, const question_t *question, const void *message)
{
    const broker_last_t *last = message;
    if (!principal_may_hear(question->peer->principal, last->prefix, strlen(last->prefix))) {
        self->counts.subscriptions_refused++;
        refuse(self, question, ERR_FORBIDDEN, "no grant to subscribe to this prefix");
        return;
    }
    collection_t collection = {0};
    collection.out = mem_check(open_memstream(&collection.bytes, &collection.size));
    topics_each_last(self->topics, last->prefix, collect, &collection);
    fclose(collection.out);
    broker_values_t values = {.events = {.bytes = collection.bytes, .size = collection.size}};
    answer(self, question, &broker_values_type, &values);
    free(collection.bytes);
}

static void on_status(broker_t *self, const question_t *question, const void *message)
{
    (void)message;
    json_t *report = report_status(self);
    answer(self, question, &broker_report_type, &(broker_report_t){.report = report});
    json_decref(report);
}

/* ---- which is which ------------------------------------------------------------------------- */

static const struct {
    const codec_type_t *type;
    void (*handle)(broker_t *self, const question_t *question, const void *message);
} handlers[] = {
    {&broker_bye_type, on_bye},
    {&broker_grant_type, on_grant},
    {&broker_hello_type, on_hello},
    {&broker_last_type, on_last},
    {&broker_ping_type, on_ping},
    {&broker_status_type, on_status},
    {&broker_watch_type, on_watch},
};

static bool is_type(const envelope_peek_t *peek, const codec_type_t *type)
{
    return strlen(type->name) == peek->type_size
           && memcmp(type->name, peek->type, peek->type_size) == 0;
}

static void handle(broker_t *self, size_t i, const question_t *question)
{
    err_t err;
    void *message = NULL;
    if (!roles_may_send(question->peer->principal->role, handlers[i].type)) {
        refuse(self, question, ERR_FORBIDDEN, "not open to this role");
        return;
    }
    if (codec_decode(
            handlers[i].type, question->peek->body, question->peek->body_size, &message, &err)
        < 0) {
        refuse(self, question, err.code, err.text);
        return;
    }
    handlers[i].handle(self, question, message);
    codec_free(handlers[i].type, message);
}

void control_request(broker_t *self, peer_t *peer, const envelope_peek_t *peek)
{
    question_t question = {.peer = peer, .peek = peek};
    for (size_t i = 0; i < ARRAY_SIZE(handlers); i++) {
        if (is_type(peek, handlers[i].type)) {
            handle(self, i, &question);
            return;
        }
    }
    refuse(self, &question, ERR_NOT_FOUND, "the broker does not answer this type");
}
