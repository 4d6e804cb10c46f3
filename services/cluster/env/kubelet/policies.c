#include "services/cluster/env/kubelet/policies.h"

#include "base/auto.h"
#include "base/log.h"
#include "base/mem.h"
#include "services/cluster/env/kubelet/policy_rules.h"
#include "services/cluster/env/object.h"
#include "services/cluster/runtime/ruleset.h"

#include <arpa/inet.h>
#include <string.h>

struct policies {
    ev_t *ev;       /* borrowed */
    store_t *store; /* borrowed */
    ruleset_t *ruleset;
    store_watch_t *policy_watch;
    store_watch_t *pod_watch;
    store_watch_t *namespace_watch;
    int timer;      /* the rules are to be made anew */
    char *in_force; /* or NULL: no policy has been seen yet */
};

/* ---- peers ------------------------------------------------------------------------------------
 */

typedef struct gathering {
    store_t *store;
    policy_peer_t *peers;
    size_t count;
} gathering_t;

static void add_peer(gathering_t *self, policy_peer_t peer)
{
    const json_t *home = store_get(self->store, kind_find("Namespace"), NULL, peer.namespace);
    peer.namespace_labels = object_at(home, "metadata.labels");
    self->peers = mem_check(reallocarray(self->peers, self->count + 1, sizeof(peer)));
    self->peers[self->count++] = peer;
}

static bool is_over(const json_t *pod)
{
    const char *phase = object_string(pod, "status.phase");
    return strcmp(phase, "Succeeded") == 0 || strcmp(phase, "Failed") == 0;
}

static void gather_pod(void *arg, json_t *pod)
{
    struct in_addr address;
    if (is_over(pod) || inet_pton(AF_INET, object_string(pod, "status.podIP"), &address) != 1)
        return;
    add_peer(arg, (policy_peer_t){.address = address,
                      .namespace = object_namespace(pod),
                      .labels = object_at(pod, "metadata.labels"),
                      .containers = object_at(pod, "spec.containers")});
}

static void gather_policy(void *arg, json_t *policy)
{
    json_array_append(arg, policy);
}

/* ---- rules ------------------------------------------------------------------------------------
 */

/* The cluster's name server is no pod here, but policies know it as one. */
static json_t *name_server(void)
{
    return json_pack("{s:{s:s}, s:[{s:[{s:s, s:s, s:i}, {s:s, s:s, s:i}]}]}", "labels", "k8s-app",
        "kube-dns", "containers", "ports", "name", "dns", "protocol", "UDP", "containerPort", 53,
        "name", "dns-tcp", "protocol", "TCP", "containerPort", 53);
}

static char *make_text(policies_t *self, const json_t *policies)
{
    json_auto_t *dns = name_server();
    gathering_t gathering = {.store = self->store};
    store_each(self->store, kind_find("Pod"), NULL, gather_pod, &gathering);
    add_peer(&gathering, (policy_peer_t){.address = {inet_addr("10.96.0.10")},
                             .namespace = "kube-system",
                             .labels = json_object_get(dns, "labels"),
                             .containers = json_object_get(dns, "containers")});
    char *text = policy_rules_text(policies, gathering.peers, gathering.count);
    free(gathering.peers);
    return text;
}

static void on_due(void *arg)
{
    policies_t *self = arg;
    json_auto_t *policies = json_array();
    err_t err = {0};
    self->timer = 0;
    store_each(self->store, kind_find("NetworkPolicy"), NULL, gather_policy, policies);
    if (!json_array_size(policies) && !self->in_force)
        return;
    AUTO_FREE char *text = make_text(self, policies);
    if (self->in_force && strcmp(text, self->in_force) == 0)
        return;
    if (ruleset_run(self->ruleset, text, &err) < 0) {
        log_warn("policy.refused", "error=\"%s\"", err.text);
        return;
    }
    free(self->in_force);
    self->in_force = TAKE(text);
}

/* Many changes in one turn of the loop make one set of rules. */
static void want_rules(policies_t *self)
{
    if (!self->timer)
        self->timer = ev_after(self->ev, 0, on_due, self);
}

/* ---- changes ----------------------------------------------------------------------------------
 */

static void on_change(
    void *arg, store_change_t change, const kind_t *kind, json_t *object, json_t *old)
{
    (void)change, (void)kind, (void)object, (void)old;
    want_rules(arg);
}

static bool is_same(const json_t *object, const json_t *old, const char *path)
{
    const json_t *now = object_at(object, path);
    const json_t *before = object_at(old, path);
    return now == before || json_equal(now, before);
}

static void on_pod(
    void *arg, store_change_t change, const kind_t *kind, json_t *object, json_t *old)
{
    (void)kind;
    if (change == STORE_MODIFIED && old && is_over(object) == is_over(old)
        && is_same(object, old, "status.podIP") && is_same(object, old, "metadata.labels"))
        return;
    want_rules(arg);
}

/* ---- life cycle -------------------------------------------------------------------------------
 */

policies_t *policies_new(ev_t *ev, store_t *store, err_t *err)
{
    AUTO(policies_destroy) policies_t *self = xcalloc(1, sizeof(*self));
    *self = (policies_t){.ev = ev, .store = store, .ruleset = ruleset_new(err)};
    if (!self->ruleset)
        return NULL;
    self->policy_watch = store_watch(store, kind_find("NetworkPolicy"), on_change, self);
    self->namespace_watch = store_watch(store, kind_find("Namespace"), on_change, self);
    self->pod_watch = store_watch(store, kind_find("Pod"), on_pod, self);
    want_rules(self);
    return TAKE(self);
}

void policies_destroy(policies_t **self_p)
{
    policies_t *self = *self_p;
    if (!self)
        return;
    ev_cancel(self->ev, self->timer);
    store_watch_end(&self->policy_watch);
    store_watch_end(&self->namespace_watch);
    store_watch_end(&self->pod_watch);
    ruleset_destroy(&self->ruleset);
    free(self->in_force);
    free(self);
    *self_p = NULL;
}
