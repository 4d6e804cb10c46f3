#include "bus/bus_internal.h"

#include "base/auto.h"
#include "base/mem.h"
#include "base/paths.h"

#include <sys/random.h>

enum { PING_MS = 1000, SILENCE_MS = 5000, EVENT_LIMIT = 1 << 20 };

static uint64_t random_number(void)
{
    uint64_t number;
    if (getrandom(&number, sizeof(number), 0) != sizeof(number))
        abort();
    return number;
}

static int take_endpoint(bus_t *self, const bus_config_t *config, err_t *err)
{
    if (config->endpoint) {
        self->endpoint = xstrdup(config->endpoint);
        return 0;
    }
    AUTO_FREE char *run_dir = paths_run_dir(err);
    if (!run_dir)
        return -(int)err->code;
    self->endpoint = xasprintf("ipc://%s/requests", run_dir);
    return 0;
}

static bool is_for_local_agents(const char *endpoint)
{
    const char *name = strrchr(endpoint, '/');
    return strncmp(endpoint, "ipc://", 6) == 0 && strcmp(name, "/agents") == 0;
}

/* The broker's key lies beside its socket. */
static int take_local_key(bus_t *self, const keys_pair_t *pair, err_t *err)
{
    uint8_t key[KEY_SIZE];
    const char *path = self->endpoint + strlen("ipc://");
    AUTO_FREE char *folder = xstrndup(path, (size_t)(strrchr(path, '/') - path));
    int rc = 0;
    if (pair)
        self->pair = *pair;
    else
        rc = keys_make(&self->pair, err);
    if (rc < 0)
        return rc;
    if (!zmq_z85_decode(key, self->pair.public_text))
        return err_set(err, ERR_INVALID, "the pair has no public key of 40 characters");
    keys_local_name(key, self->principal);
    return keys_load_public(folder, "broker", self->server_key, err);
}

static int take_keys(bus_t *self, const bus_config_t *config, err_t *err)
{
    bool is_local = is_for_local_agents(self->endpoint);
    self->is_curve = is_local || strncmp(self->endpoint, "tcp://", 6) == 0;
    if (is_local)
        return take_local_key(self, config->pair, err);
    if (!self->is_curve)
        return 0;
    AUTO_FREE char *state_dir = config->keys ? NULL : paths_state_dir(err);
    if (!config->keys && !state_dir)
        return -(int)err->code;
    AUTO_FREE char *folder = config->keys ? xstrdup(config->keys) : xasprintf("%s/keys", state_dir);
    int rc = keys_load(folder, config->role ? config->role : "service", &self->pair, err);
    return rc < 0 ? rc : keys_load_public(folder, "broker", self->server_key, err);
}

bus_t *bus_new(ev_t *ev, const bus_config_t *config, err_t *err)
{
    err_t unread;
    err = err ? err : &unread;
    AUTO(bus_destroy) bus_t *self = xcalloc(1, sizeof(*self));
    self->ev = ev;
    self->wire_seed = random_number();
    self->name = xstrdup(config->name);
    self->instance = config->instance ? xstrdup(config->instance)
                                      : xasprintf("%08x", (unsigned)(random_number() & UINT32_MAX));
    self->source = xasprintf("%s@%s", self->name, self->instance);
    self->ping_ms = PING_MS;
    self->silence_ms = SILENCE_MS;
    self->event_limit = EVENT_LIMIT;
    TAILQ_INIT(&self->asks);
    TAILQ_INIT(&self->pending);
    TAILQ_INIT(&self->offers);
    TAILQ_INIT(&self->grants);
    publish_init(self);
    subscribe_init(self);
    if (take_endpoint(self, config, err) < 0 || take_keys(self, config, err) < 0
        || connection_open(self, err) < 0)
        return NULL;
    return TAKE(self);
}

void bus_destroy(bus_t **self_p)
{
    bus_t *self = *self_p;
    if (!self)
        return;
    connection_close(self);
    publish_done(self);
    subscribe_done(self);
    ask_forget_all(self);
    serve_forget_all(self);
    grants_forget_all(self);
    ev_cancel(self->ev, self->drain_timer);
    free(self->name);
    free(self->instance);
    free(self->source);
    free(self->endpoint);
    free(self->broker);
    free(self->publish_endpoint);
    free(self->events_endpoint);
    free(self);
    *self_p = NULL;
}

bool bus_is_connected(const bus_t *self)
{
    return self->is_welcome && ev_now(self->ev) - self->heard_at <= self->silence_ms;
}

const char *bus_source(const bus_t *self)
{
    return self->source;
}

const char *bus_role_name(bus_role_t role)
{
    static const char *const names[] = {
        [BUS_ROLE_NONE] = "none",
        [BUS_ROLE_LOCAL] = "local",
        [BUS_ROLE_SERVICE] = "service",
        [BUS_ROLE_OPERATOR] = "operator",
        [BUS_ROLE_AGENT] = "agent",
    };
    return role < ARRAY_SIZE(names) ? names[role] : names[BUS_ROLE_NONE];
}

const char *bus_principal(const bus_t *self)
{
    return self->principal;
}

const bus_counts_t *bus_counts(const bus_t *self)
{
    return &self->counts;
}
