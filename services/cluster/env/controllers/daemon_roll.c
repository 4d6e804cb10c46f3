/* How a DaemonSet's pods look, and how new ones take the places of old ones. */
#include "services/cluster/env/controllers/daemon.h"

#include "base/auto.h"
#include "base/mem.h"
#include "services/cluster/env/controllers/pods.h"
#include "services/cluster/env/object.h"
#include "services/cluster/env/quantity.h"

/* ---- pods --------------------------------------------------------------------------------- */

static bool has_toleration(const json_t *tolerations, const json_t *wanted)
{
    size_t i = 0;
    json_t *toleration = NULL;
    json_array_foreach(tolerations, i, toleration)
    {
        if (json_equal(toleration, wanted))
            return true;
    }
    return false;
}

/* Daemons stay where others are driven away. */
static json_t *tolerations_of(const json_t *spec)
{
    static const struct {
        const char *key;
        const char *effect;
        bool is_for_host_network;
    } added[] = {
        {"node.kubernetes.io/not-ready", "NoExecute", false},
        {"node.kubernetes.io/unreachable", "NoExecute", false},
        {"node.kubernetes.io/disk-pressure", "NoSchedule", false},
        {"node.kubernetes.io/memory-pressure", "NoSchedule", false},
        {"node.kubernetes.io/pid-pressure", "NoSchedule", false},
        {"node.kubernetes.io/unschedulable", "NoSchedule", false},
        {"node.kubernetes.io/network-unavailable", "NoSchedule", true},
    };
    json_t *own = json_object_get(spec, "tolerations");
    json_t *tolerations = own ? json_copy(own) : json_array();
    for (size_t i = 0; i < ARRAY_SIZE(added); i++) {
        json_auto_t *toleration = json_pack("{s:s, s:s, s:s}", "key", added[i].key, "operator",
            "Exists", "effect", added[i].effect);
        bool is_wanted = !added[i].is_for_host_network || object_is_true(spec, "hostNetwork");
        if (is_wanted && !has_toleration(tolerations, toleration))
            json_array_append(tolerations, toleration);
    }
    return tolerations;
}

/* The scheduler binds the pod, but to this node only: each term of its affinity asks for it. */
static void bind_to(json_t *spec, const char *node)
{
    json_t *own = json_object_get(spec, "affinity");
    json_t *affinity = own ? json_deep_copy(own) : json_object();
    json_t *field =
        json_pack("[{s:s, s:s, s:[s]}]", "key", "metadata.name", "operator", "In", "values", node);
    json_t *terms = object_at(
        affinity, "nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms");
    size_t i = 0;
    json_t *term = NULL;
    json_array_foreach(terms, i, term)
    {
        json_object_set(term, "matchFields", field);
    }
    if (!json_array_size(terms))
        object_set(affinity,
            "nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms",
            json_pack("[{s:O}]", "matchFields", field));
    json_decref(field);
    json_object_set_new(spec, "affinity", affinity);
}

json_t *daemon_pod(const daemon_t *self, const char *node)
{
    const json_t *template = object_at(self->set, "spec.template");
    const char *hash = object_label(self->revision, "controller-revision-hash");
    const char *generation =
        object_annotation(self->set, "deprecated.daemonset.template.generation");
    json_t *pod = pod_from_template(self->set, template);
    json_t *labels = object_at(template, "metadata.labels");
    labels = labels ? json_copy(labels) : json_object();
    json_object_set_new(labels, "controller-revision-hash", json_string(hash ? hash : ""));
    if (generation)
        json_object_set_new(labels, "pod-template-generation", json_string(generation));
    json_object_set_new(json_object_get(pod, "metadata"), "labels", labels);
    json_t *spec = json_copy(json_object_get(template, "spec"));
    bind_to(spec, node);
    json_object_set_new(spec, "tolerations", tolerations_of(spec));
    json_object_set_new(pod, "spec", spec);
    return pod;
}

bool daemon_is_updated(const daemon_t *self, const json_t *pod)
{
    const char *wanted = object_label(self->revision, "controller-revision-hash");
    const char *has = object_label(pod, "controller-revision-hash");
    return wanted && has && strcmp(wanted, has) == 0;
}

int64_t daemon_wait(const daemon_t *self, const json_t *pod)
{
    return availability_wait(
        self->availability, pod, object_integer(self->set, "spec.minReadySeconds", 0));
}

/* ---- one node ----------------------------------------------------------------------------- */

json_t *daemon_best_pod(const daemon_node_t *node)
{
    json_t *best = NULL;
    size_t i = 0;
    json_t *pod = NULL;
    json_array_foreach(node->pods, i, pod) /* the oldest first */
    {
        if (!best || (!pod_is_ready(best) && pod_is_ready(pod)))
            best = pod;
    }
    return best;
}

/* The pod of a node with the present template, or with an older one, that is not going; NULL if
 * there is none. */
static json_t *pod_of(const daemon_t *self, const daemon_node_t *node, bool is_updated)
{
    size_t i = 0;
    json_t *pod = NULL;
    json_array_foreach(node->pods, i, pod)
    {
        if (!object_is_deleted(pod) && daemon_is_updated(self, pod) == is_updated)
            return pod;
    }
    return NULL;
}

void daemon_drop_doubles(daemon_t *self, const daemon_node_t *node)
{
    const json_t *old = pod_of(self, node, false);
    const json_t *new = pod_of(self, node, true);
    size_t i = 0;
    json_t *pod = NULL;
    json_array_foreach(node->pods, i, pod)
    {
        if (pod != old && pod != new &&pod_is_active(pod))
            daemon_delete(self, pod);
    }
}

/* ---- rolling ------------------------------------------------------------------------------ */

/* A number, or a share of the nodes that want a pod, rounded up. */
static int64_t share(const daemon_t *self, const char *path)
{
    const json_t *value = object_at(self->set, path);
    const char *text = json_string_value(value);
    int64_t wanted = 0;
    for (size_t i = 0; i < self->count; i++)
        wanted += self->nodes[i].should_run;
    if (!text)
        return json_integer_value(value);
    return (wanted * strtol(text, NULL, 10) + 99) / 100;
}

/* Old pods go where nothing is lost, and then up to `room` that are available. */
static void replace(daemon_t *self)
{
    int64_t room = share(self, "spec.updateStrategy.rollingUpdate.maxUnavailable");
    for (size_t i = 0; i < self->count; i++) {
        const json_t *pod = daemon_best_pod(&self->nodes[i]);
        room -= self->nodes[i].should_run
                && (!pod || object_is_deleted(pod) || daemon_wait(self, pod) != 0);
    }
    for (size_t i = 0; i < self->count; i++) {
        const json_t *old = pod_of(self, &self->nodes[i], false);
        bool is_lossless = old && daemon_wait(self, old) != 0;
        if (!old || (room <= 0 && !is_lossless))
            continue;
        room -= !is_lossless;
        daemon_delete(self, old);
    }
}

/* New pods beside old ones; an old one goes when its new one is available, or when it is of no use
 * anyway. */
static void surge(daemon_t *self)
{
    int64_t room = share(self, "spec.updateStrategy.rollingUpdate.maxSurge");
    for (size_t i = 0; i < self->count; i++)
        room -= pod_of(self, &self->nodes[i], false) && pod_of(self, &self->nodes[i], true);
    for (size_t i = 0; i < self->count; i++) {
        const daemon_node_t *node = &self->nodes[i];
        const json_t *old = pod_of(self, node, false);
        const json_t *new = pod_of(self, node, true);
        if (!old)
            continue;
        bool is_replaced = new &&daemon_wait(self, new) == 0;
        bool is_useless = !new &&daemon_wait(self, old) != 0;
        if (is_replaced || is_useless) {
            daemon_delete(self, old);
        } else if (!new &&room > 0) {
            room--;
            daemon_create(self, node);
        }
    }
}

void daemon_roll(daemon_t *self)
{
    if (strcmp(object_string(self->set, "spec.updateStrategy.type"), "RollingUpdate") != 0)
        return;
    if (share(self, "spec.updateStrategy.rollingUpdate.maxSurge") > 0)
        surge(self);
    else
        replace(self);
}
