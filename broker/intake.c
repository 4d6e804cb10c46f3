/* Requests come in: who asks for what, may they, is there room, did they ask before. */
#include "broker/internal.h"

#include "base/mem.h"

enum { RETRY_LEAST_MS = 50, RETRY_MOST_MS = 5000 };

typedef struct target {
    const char *service;
    size_t service_size;
    const char *instance; /* NULL: any */
    size_t instance_size;
} target_t;

static bool parse_target(zmq_msg_t *message, target_t *target)
{
    const char *text = zmq_msg_data(message);
    size_t size = zmq_msg_size(message);
    const char *at = memchr(text, '@', size);
    *target = (target_t){.service = text, .service_size = at ? (size_t)(at - text) : size};
    if (at) {
        target->instance = at + 1;
        target->instance_size = size - target->service_size - 1;
    }
    return target->service_size && target->service_size <= REGISTRY_NAME_LIMIT
           && target->instance_size <= REGISTRY_NAME_LIMIT && (!at || target->instance_size)
           && !memchr(text, '\0', size);
}

/* By whose rights is this asked? 0, or the code of the refusal. */
static int check_rights(const peer_t *caller, zmq_msg_t *target, const envelope_peek_t *peek,
    const codec_type_t *type, err_t *err)
{
    bus_role_t role = caller->principal->role;
    if (!principal_may_reach(caller->principal, zmq_msg_data(target), zmq_msg_size(target)))
        return err_set(err, ERR_FORBIDDEN, "no grant to call '%.*s'", (int)zmq_msg_size(target),
            (const char *)zmq_msg_data(target));
    bool may_send = type ? roles_may_send(role, type) : role != BUS_ROLE_AGENT;
    if (!may_send)
        return err_set(err, ERR_FORBIDDEN, "role '%s' may not send '%.*s'", bus_role_name(role),
            (int)peek->type_size, peek->type);
    return 0;
}

static int check_limits(
    broker_t *self, const peer_t *caller, const service_t *service, size_t size, err_t *err)
{
    const broker_config_t *limits = &self->config;
    bool is_agent = caller->principal->role == BUS_ROLE_AGENT;
    if (size > (is_agent ? limits->agent_request_limit : limits->request_limit)) {
        self->counts.oversized++;
        return err_set(err, ERR_LIMIT, "a request of %zu bytes is too large", size);
    }
    if (caller->asked_count >= (is_agent ? limits->agent_caller_limit : limits->caller_limit))
        return err_set(err, ERR_OVERLOADED, "the caller has %zu requests under way already",
            caller->asked_count);
    if (service
        && (service->live_count >= limits->service_count_limit
            || service->live_bytes + size > limits->service_bytes_limit))
        return err_set(err, ERR_OVERLOADED, "'%s' has %zu requests under way already",
            service->name, service->live_count);
    if (!service && self->registry.service_count >= SERVICE_LIMIT)
        return err_set(err, ERR_OVERLOADED, "too many services are asked for");
    return 0;
}

static int64_t retry_after(const service_t *service)
{
    double wait = service ? service->mean_ms : 0;
    if (wait < RETRY_LEAST_MS)
        return RETRY_LEAST_MS;
    return wait > RETRY_MOST_MS ? RETRY_MOST_MS : (int64_t)wait;
}

/* Both by the sender's clock, so that only their difference counts. */
int64_t intake_budget(const envelope_peek_t *peek)
{
    if (!peek->deadline)
        return EXPIRY_DEFAULT_MS;
    int64_t left;
    if (__builtin_sub_overflow(peek->deadline, peek->time, &left))
        return 0;
    return left > EXPIRY_LIMIT_MS ? EXPIRY_LIMIT_MS : left;
}

/* The same request again: its first answer goes to where it is asked from now. */
static void answer_duplicate(broker_t *self, peer_t *caller, flight_t *flight)
{
    if (flight->state == FLIGHT_ANSWERED) {
        zmq_msg_t reply;
        if (zmq_msg_init_size(&reply, flight->reply_size) < 0)
            mem_check(NULL);
        memcpy(zmq_msg_data(&reply), flight->reply, flight->reply_size);
        self->counts.duplicates_cached++;
        router_reply(self, caller->routing, &reply);
        return;
    }
    self->counts.duplicates_joined++;
    if (flight->state == FLIGHT_EXPIRED) {
        err_t err;
        err_set(&err, ERR_TIMEOUT, "the deadline of this request has passed");
        answer_error(self, caller->routing, flight->id, flight->id_size, &err, 0);
    } else if (flight->caller_routing != caller->routing) {
        flight->caller_routing = caller->routing;
        caller->asked_count++;
    }
}

static void refuse(broker_t *self, peer_t *caller, const envelope_peek_t *peek, const err_t *err,
    const service_t *service)
{
    self->counts.forbidden += err->code == ERR_FORBIDDEN ? 1 : 0;
    self->counts.overloaded += err->code == ERR_OVERLOADED ? 1 : 0;
    int64_t retry_ms = err->code == ERR_OVERLOADED ? retry_after(service) : 0;
    answer_error(self, caller->routing, peek->id, peek->id_size, err, retry_ms);
}

static flight_t *begin(broker_t *self, peer_t *caller, const target_t *target, zmq_msg_t *envelope,
    const envelope_peek_t *peek)
{
    flight_t *flight = flights_add(self->flights, caller->caller, peek->id, peek->id_size);
    flight->service = registry_service(&self->registry, target->service, target->service_size);
    flight->instance = target->instance ? xstrndup(target->instance, target->instance_size) : NULL;
    flight->caller_routing = caller->routing;
    flight->principal = caller->principal;
    roles_use_again(flight->principal);
    flight->started = self->now;
    flight->deadline = self->now + intake_budget(peek);
    flight->size = zmq_msg_size(envelope);
    zmq_msg_init(&flight->envelope);
    zmq_msg_move(&flight->envelope, envelope);
    flight->has_envelope = true;
    flight->service->live_count++;
    flight->service->live_bytes += flight->size;
    caller->asked_count++;
    return flight;
}

void intake_request(broker_t *self, peer_t *caller, zmq_msg_t *target_frame, zmq_msg_t *envelope,
    const envelope_peek_t *peek)
{
    err_t err;
    target_t target;
    if (!parse_target(target_frame, &target)) {
        self->counts.malformed++;
        err_set(&err, ERR_INVALID, "malformed target");
        refuse(self, caller, peek, &err, NULL);
        return;
    }
    const codec_type_t *type = codec_find(peek->type, peek->type_size);
    service_t *service =
        registry_find_service(&self->registry, target.service, target.service_size);
    if (check_rights(caller, target_frame, peek, type, &err) < 0) {
        refuse(self, caller, peek, &err, service);
        return;
    }
    flight_t *earlier = flights_find(self->flights, caller->caller, peek->id, peek->id_size);
    if (earlier) {
        answer_duplicate(self, caller, earlier);
        return;
    }
    if (check_limits(self, caller, service, zmq_msg_size(envelope), &err) < 0) {
        refuse(self, caller, peek, &err, service);
        return;
    }
    flight_t *flight = begin(self, caller, &target, envelope, peek);
    flight->is_idempotent = type && type->is_idempotent;
    dispatch_begin(self, flight);
}
