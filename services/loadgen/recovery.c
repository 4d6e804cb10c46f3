#include "services/loadgen/recovery.h"

#include "base/auto.h"
#include "base/log.h"
#include "base/mem.h"
#include "kube/kube.h"
#include "proto/messages.h"
#include "services/loadgen/pod.h"

enum { CALL_TIMEOUT_MS = 5000 };

/* One environment that is being asked. */
typedef struct probe {
    struct recovery *owner; /* borrowed */
    char *env;
    int call;
    kube_t *kube;
    struct probe *next;
} probe_t;

struct recovery {
    ev_t *ev; /* both borrowed */
    bus_t *bus;
    recovery_found_fn *on_found;
    void *arg;
    int call;
    probe_t *probes;
};

static void on_pods(void *arg, const kube_answer_t *answer)
{
    const probe_t *probe = arg;
    size_t i = 0;
    json_t *pod = NULL;
    json_array_foreach(json_object_get(answer->object, "items"), i, pod)
    {
        const char *name =
            json_string_value(json_object_get(json_object_get(pod, "metadata"), "name"));
        if (!name || pod_is_over(pod))
            continue;
        AUTO_FREE char *id = xasprintf("%s/%s", probe->env, name);
        probe->owner->on_found(probe->owner->arg, id);
    }
}

static void on_env(void *arg, const bus_reply_t *reply)
{
    probe_t *probe = arg;
    probe->call = 0;
    const env_info_t *info = reply->err ? NULL : reply->message;
    if (!info || !info->server)
        return;
    kube_config_t config = {.server = info->server, .token = info->token, .ca_pem = info->ca};
    probe->kube = kube_new(probe->owner->ev, &config, NULL);
    if (probe->kube)
        kube_send(probe->kube, kube_list(KUBE("Pod", POD_NAMESPACE, NULL), POD_LABELS, NULL),
            on_pods, probe);
}

static void ask(recovery_t *self, const char *env)
{
    probe_t *probe = xcalloc(1, sizeof(*probe));
    probe->owner = self;
    probe->env = xstrdup(env);
    probe->next = self->probes;
    self->probes = probe;
    env_get_t message = {.env = env};
    bus_call_t call = {.target = "cluster",
        .type = &env_get_type,
        .message = &message,
        .timeout_ms = CALL_TIMEOUT_MS};
    probe->call = bus_request(self->bus, &call, on_env, probe);
}

static void on_listing(void *arg, const bus_reply_t *reply)
{
    recovery_t *self = arg;
    self->call = 0;
    if (reply->err) {
        log_debug("recovery.skipped", "reason=\"%s\"", reply->err->text);
        return;
    }
    const env_listing_t *listing = reply->message;
    size_t i = 0;
    json_t *env = NULL;
    json_array_foreach(listing->envs, i, env)
    {
        const char *id = json_string_value(json_object_get(env, "env"));
        const char *state = json_string_value(json_object_get(env, "state"));
        if (id && state && strcmp(state, "ready") == 0)
            ask(self, id);
    }
}

recovery_t *recovery_new(ev_t *ev, bus_t *bus, recovery_found_fn *on_found, void *arg)
{
    recovery_t *self = xcalloc(1, sizeof(*self));
    self->ev = ev;
    self->bus = bus;
    self->on_found = on_found;
    self->arg = arg;
    bus_call_t call = {.target = "cluster",
        .type = &env_list_type,
        .message = &(env_list_t){},
        .timeout_ms = CALL_TIMEOUT_MS};
    self->call = bus_request(bus, &call, on_listing, self);
    return self;
}

void recovery_destroy(recovery_t **self_p)
{
    recovery_t *self = *self_p;
    if (!self)
        return;
    bus_cancel(self->bus, self->call);
    for (probe_t *probe = self->probes, *next = NULL; probe; probe = next) {
        next = probe->next;
        bus_cancel(self->bus, probe->call);
        kube_destroy(&probe->kube);
        free(probe->env);
        free(probe);
    }
    free(self);
    *self_p = NULL;
}
