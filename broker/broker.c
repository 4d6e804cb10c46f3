/* The life of the broker: defaults, keys, sockets. */
#include "broker/internal.h"

#include "base/auto.h"
#include "base/mem.h"
#include "bus/keys.h"

#include <assert.h>
#include <czmq.h>
#include <sys/random.h>
#include <sys/stat.h>

enum { MESSAGE_HARD_LIMIT = 64 << 20, SUBSCRIPTION_HARD_LIMIT = 1024, REQUESTS_QUEUE = 8192 };

/* ---- configuration -------------------------------------------------------------------------- */

static int64_t or_default(int64_t value, int64_t fallback)
{
    return value ? value : fallback;
}

static void fill_defaults(broker_config_t *config)
{
    config->ping_ms = or_default(config->ping_ms, 1000);
    config->silence_ms = or_default(config->silence_ms, 5000);
    config->absent_ms = or_default(config->absent_ms, 2000);
    config->expired_ms = or_default(config->expired_ms, 60000);
    config->cache_ms = or_default(config->cache_ms, 60000);
    config->events_queue = (int)or_default(config->events_queue, 16384);
    const struct {
        size_t *value;
        size_t fallback;
    } sizes[] = {
        {&config->request_limit, 16 << 20},
        {&config->agent_request_limit, 1 << 20},
        {&config->event_limit, 1 << 20},
        {&config->service_count_limit, 4096},
        {&config->service_bytes_limit, 64 << 20},
        {&config->worker_limit, 1024},
        {&config->caller_limit, 4096},
        {&config->agent_caller_limit, 16},
        {&config->cache_count, 1024},
        {&config->cache_bytes, 8 << 20},
        {&config->topic_limit, 65536},
    };
    for (size_t i = 0; i < ARRAY_SIZE(sizes); i++)
        *sizes[i].value = *sizes[i].value ? *sizes[i].value : sizes[i].fallback;
}

static void take_config(broker_t *self, const broker_config_t *config)
{
    self->config = *config;
    fill_defaults(&self->config);
    const char **strings[] = {&self->config.requests, &self->config.publish, &self->config.events,
        &self->config.agents, &self->config.agent_events, &self->config.listen, &self->config.keys};
    for (size_t i = 0; i < ARRAY_SIZE(strings); i++) {
        self->strings[i] = *strings[i] ? xstrdup(*strings[i]) : NULL;
        *strings[i] = self->strings[i];
    }
}

/* ---- sockets -------------------------------------------------------------------------------- */

static void set_option(void *socket, int option, int value)
{
    int rc = zmq_setsockopt(socket, option, &value, sizeof(value));
    assert(rc == 0);
    (void)rc;
}

static void set_limit(void *socket, int64_t most)
{
    int rc = zmq_setsockopt(socket, ZMQ_MAXMSGSIZE, &most, sizeof(most));
    assert(rc == 0);
    (void)rc;
}

static void make_sockets(broker_t *self)
{
    self->requests_sock = zsock_new(ZMQ_ROUTER);
    self->publish_sock = zsock_new(ZMQ_XSUB);
    self->events_sock = zsock_new(ZMQ_XPUB);
    self->requests = zsock_resolve(self->requests_sock);
    self->publish = zsock_resolve(self->publish_sock);
    self->events = zsock_resolve(self->events_sock);

    set_option(self->requests, ZMQ_ROUTER_MANDATORY, 1);
    set_option(self->requests, ZMQ_SNDHWM, REQUESTS_QUEUE);
    set_option(self->requests, ZMQ_RCVHWM, REQUESTS_QUEUE);
    set_limit(self->requests, MESSAGE_HARD_LIMIT);
    set_option(self->publish, ZMQ_RCVHWM, self->config.events_queue);
    set_limit(self->publish, (int64_t)self->config.event_limit);
    set_option(self->events, ZMQ_XPUB_MANUAL, 1);
    set_option(self->events, ZMQ_SNDHWM, self->config.events_queue);
    set_limit(self->events, SUBSCRIPTION_HARD_LIMIT);
    void *const sockets[] = {self->requests, self->publish, self->events};
    for (size_t i = 0; i < ARRAY_SIZE(sockets); i++)
        set_option(sockets[i], ZMQ_LINGER, 0);
}

/* A socket file keeps the mode it was made with, whatever the umask says later. */
static int bind_local(void *socket, const char *endpoint, err_t *err)
{
    mode_t old = umask(0177);
    int rc = zmq_bind(socket, endpoint);
    umask(old);
    if (rc < 0)
        return err_set(err, ERR_IO, "cannot bind '%s': %s", endpoint, zmq_strerror(zmq_errno()));
    return 0;
}

/* What was bound before keeps its options, so only what is bound from now on has CURVE. */
static void demand_keys(void *socket, const char *domain, const keys_pair_t *pair)
{
    set_option(socket, ZMQ_CURVE_SERVER, 1);
    zmq_setsockopt(socket, ZMQ_CURVE_SECRETKEY, pair->secret_text, KEY_TEXT_SIZE);
    zmq_setsockopt(socket, ZMQ_ZAP_DOMAIN, domain, strlen(domain));
}

static int bind_tcp(
    void *socket, const char *endpoint, const char *domain, const keys_pair_t *pair, err_t *err)
{
    demand_keys(socket, domain, pair);
    if (zmq_bind(socket, endpoint) < 0)
        return err_set(err, ERR_IO, "cannot bind '%s': %s", endpoint, zmq_strerror(zmq_errno()));
    return 0;
}

static int bind_all_local(broker_t *self, err_t *err)
{
    int rc = bind_local(self->requests, self->config.requests, err);
    if (rc == 0)
        rc = bind_local(self->publish, self->config.publish, err);
    if (rc == 0)
        rc = bind_local(self->events, self->config.events, err);
    self->endpoints[WAY_LOCAL].publish = xstrdup(self->config.publish);
    self->endpoints[WAY_LOCAL].events = xstrdup(self->config.events);
    return rc;
}

/* The key lies beside the sockets, where those who can reach them find it. */
static int bind_all_agents(broker_t *self, err_t *err)
{
    const char *path = self->config.agents + strlen("ipc://");
    AUTO_FREE char *folder = xstrndup(path, (size_t)(strrchr(path, '/') - path));
    keys_pair_t pair;
    int rc = keys_ensure_local(folder, &pair, err);
    if (rc < 0)
        return rc;
    demand_keys(self->requests, ZAP_DOMAIN_AGENTS, &pair);
    demand_keys(self->events, ZAP_DOMAIN_AGENTS, &pair);
    rc = bind_local(self->requests, self->config.agents, err);
    if (rc == 0)
        rc = bind_local(self->events, self->config.agent_events, err);
    self->endpoints[WAY_AGENT].publish = xstrdup("");
    self->endpoints[WAY_AGENT].events = xstrdup(self->config.agent_events);
    return rc;
}

/* tcp://HOST:PORT -> tcp://HOST:PORT+offset, but port 0 stays. */
static char *endpoint_after(const char *listen, int offset)
{
    const char *colon = strrchr(listen, ':');
    long port = strtol(colon + 1, NULL, 10);
    return xasprintf("%.*s:%ld", (int)(colon - listen), listen, port ? port + offset : 0);
}

static char *bound_endpoint(void *socket, const char *listen)
{
    char text[256] = "";
    size_t size = sizeof(text);
    zmq_getsockopt(socket, ZMQ_LAST_ENDPOINT, text, &size);
    const char *port = strrchr(text, ':');
    bool is_any = strstr(listen, "//*:") || strstr(listen, "//0.0.0.0:");
    return is_any ? xasprintf("tcp://*%s", port) : xstrdup(text);
}

static int bind_all_tcp(broker_t *self, err_t *err)
{
    const struct {
        void *socket;
        const char *domain;
    } sockets[] = {{self->requests, ZAP_DOMAIN_REQUESTS}, {self->publish, ZAP_DOMAIN_PUBLISH},
        {self->events, ZAP_DOMAIN_EVENTS}};
    keys_pair_t pair;
    char *bound[ARRAY_SIZE(sockets)] = {0};
    int rc = keys_load(self->config.keys, "broker", &pair, err);
    for (size_t i = 0; rc == 0 && i < ARRAY_SIZE(sockets); i++) {
        AUTO_FREE char *endpoint = endpoint_after(self->config.listen, (int)i);
        rc = bind_tcp(sockets[i].socket, endpoint, sockets[i].domain, &pair, err);
        bound[i] = rc == 0 ? bound_endpoint(sockets[i].socket, self->config.listen) : NULL;
    }
    if (rc == 0)
        self->port = (int)strtol(strrchr(bound[0], ':') + 1, NULL, 10);
    free(bound[0]);
    self->endpoints[WAY_TCP].publish = bound[1];
    self->endpoints[WAY_TCP].events = bound[2];
    return rc;
}

/* Over inproc there are no connections to lose. */
static void watch_connections(broker_t *self)
{
    if (strncmp(self->config.requests, "inproc:", 7) == 0 && !self->has_keys)
        return;
    AUTO_FREE char *endpoint = xasprintf("inproc://broker-monitor-%s", self->run);
    int rc = zmq_socket_monitor(self->requests, endpoint, ZMQ_EVENT_DISCONNECTED);
    assert(rc == 0);
    (void)rc;
    self->monitor_sock = zsock_new(ZMQ_PAIR);
    zsock_connect(self->monitor_sock, "%s", endpoint);
    inlet_open(&self->monitor_inlet, self->ev, zsock_resolve(self->monitor_sock),
        control_drain_disconnects, self);
}

static int check_listen(const broker_t *self, err_t *err)
{
    if (!self->config.keys || strncmp(self->config.listen, "tcp://", 6) != 0
        || !strrchr(self->config.listen + 6, ':'))
        return err_set(err, ERR_INVALID, "'%s' is not tcp://HOST:PORT", self->config.listen);
    return keys_ensure(self->config.keys, err);
}

/* Whatever asks for keys. */
static int open_guarded(broker_t *self, err_t *err)
{
    int rc = self->config.listen ? check_listen(self, err) : 0;
    if (rc < 0)
        return rc;
    self->zap = zap_new(self->ev, self->config.listen ? self->config.keys : NULL, err);
    if (!self->zap)
        return -(int)err->code;
    self->has_keys = true;
    if (self->config.agents)
        rc = bind_all_agents(self, err);
    return rc == 0 && self->config.listen ? bind_all_tcp(self, err) : rc;
}

/* ---- life ----------------------------------------------------------------------------------- */

static void start(broker_t *self)
{
    answer_encode(self, ENVELOPE_EVENT, NULL, &broker_welcome_type,
        &(broker_welcome_t){.broker = self->run, .publish = "", .events = ""}, &self->invitation);
    answer_encode(self, ENVELOPE_EVENT, NULL, &ok_type, &(ok_t){}, &self->probe);
    watch_connections(self);
    zmq_send(self->publish, "\1", 1, 0); /* every event, of whoever publishes */
    inlet_open(&self->requests_inlet, self->ev, self->requests, router_drain, self);
    inlet_open(&self->publish_inlet, self->ev, self->publish, events_drain_published, self);
    inlet_open(
        &self->subscriptions_inlet, self->ev, self->events, events_drain_subscriptions, self);
    self->sweep_timer = ev_after(self->ev, self->config.ping_ms / 2, control_sweep, self);
    report_register(self);
}

broker_t *broker_new(ev_t *ev, const broker_config_t *config, err_t *err)
{
    err_t unread;
    err = err ? err : &unread;
    AUTO(broker_destroy) broker_t *self = xcalloc(1, sizeof(*self));
    self->ev = ev;
    take_config(self, config);
    if (getrandom(&self->seed, sizeof(self->seed), 0) != sizeof(self->seed))
        abort();
    snprintf(self->run, sizeof(self->run), "%016llx",
        (unsigned long long)map_hash(self->seed, "run", 3));
    roles_init(&self->roles, self->seed);
    registry_init(&self->registry, self->seed);
    TAILQ_INIT(&self->watches);
    self->flights = flights_new(&(flights_config_t){self->config.cache_count,
                                    self->config.cache_bytes, self->config.cache_ms},
        self->seed);
    self->topics = topics_new((uint16_t)self->seed, self->config.topic_limit, self->seed);
    self->metrics = metrics_new();
    make_sockets(self);
    if (bind_all_local(self, err) < 0)
        return NULL;
    if ((self->config.agents || self->config.listen) && open_guarded(self, err) < 0)
        return NULL;
    start(self);
    return TAKE(self);
}

static void end_readers(broker_t *self)
{
    inlet_close(&self->requests_inlet);
    inlet_close(&self->publish_inlet);
    inlet_close(&self->subscriptions_inlet);
    inlet_close(&self->monitor_inlet);
    if (self->monitor_sock) {
        zmq_socket_monitor(self->requests, NULL, 0);
        zsock_destroy(&self->monitor_sock);
    }
    ev_cancel(self->ev, self->sweep_timer);
    ev_cancel(self->ev, self->tick_timer);
    ev_cancel(self->ev, self->probe_timer);
}

void broker_destroy(broker_t **self_p)
{
    broker_t *self = *self_p;
    if (!self)
        return;
    end_readers(self);
    zsock_destroy(&self->requests_sock);
    zsock_destroy(&self->publish_sock);
    zsock_destroy(&self->events_sock);
    zap_destroy(&self->zap);
    watches_done(self);
    registry_done(&self->registry);
    flights_destroy(&self->flights);
    topics_destroy(&self->topics);
    roles_done(&self->roles);
    metrics_destroy(&self->metrics);
    zmq_msg_close(&self->invitation);
    zmq_msg_close(&self->probe);
    for (size_t i = 0; i < ARRAY_SIZE(self->strings); i++)
        free(self->strings[i]);
    for (size_t i = 0; i < ARRAY_SIZE(self->endpoints); i++) {
        free(self->endpoints[i].publish);
        free(self->endpoints[i].events);
    }
    free(self);
    *self_p = NULL;
}

metrics_t *broker_metrics(broker_t *self)
{
    return self->metrics;
}

int broker_port(const broker_t *self)
{
    return self->port;
}
