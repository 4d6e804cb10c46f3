/* Virtual nodes, named and described as those of a small kind cluster. */
#include "services/cluster/env/kubelet/internal.h"

#include "base/auto.h"
#include "base/mem.h"
#include "services/cluster/env/object.h"

#include <string.h>
#include <sys/sysinfo.h>
#include <sys/utsname.h>

enum { PODS_PER_NODE = 110 };

static char s_names[NODE_LIMIT][32];
static char s_addresses[NODE_LIMIT][16];

/* kind-control-plane, kind-worker, kind-worker2, …; written once, before anybody asks. */
static void name_nodes(int count)
{
    for (int i = 0; i < count; i++) {
        if (i == 0)
            snprintf(s_names[i], sizeof(s_names[i]), "kind-control-plane");
        else if (i == 1)
            snprintf(s_names[i], sizeof(s_names[i]), "kind-worker");
        else
            snprintf(s_names[i], sizeof(s_names[i]), "kind-worker%d", i);
        snprintf(s_addresses[i], sizeof(s_addresses[i]), "172.18.0.%d", i + 2);
    }
}

const char *nodes_name(int index)
{
    return s_names[index];
}

const char *nodes_address(int index)
{
    return s_addresses[index];
}

int nodes_index(const kubelet_t *self, const char *name)
{
    for (int i = 0; i < self->node_count; i++) {
        if (strcmp(s_names[i], name) == 0)
            return i;
    }
    return -1;
}

/* Every node has the whole machine, as the nodes of kind do. */
static json_t *capacity(void)
{
    struct sysinfo info;
    sysinfo(&info);
    AUTO_FREE char *memory =
        xasprintf("%lluKi", (unsigned long long)info.totalram * info.mem_unit / 1024);
    AUTO_FREE char *cpu = xasprintf("%d", get_nprocs());
    AUTO_FREE char *pods = xasprintf("%d", PODS_PER_NODE);
    return json_pack("{s:s, s:s, s:s, s:s}", "cpu", cpu, "ephemeral-storage", "100Gi", "memory",
        memory, "pods", pods);
}

static void add_condition(json_t *conditions, const char *type, const char *status,
    const char *reason, const char *message)
{
    json_array_append_new(
        conditions, json_pack("{s:s, s:s, s:o, s:o, s:s, s:s}", "type", type, "status", status,
                        "lastHeartbeatTime", object_time_now(), "lastTransitionTime",
                        object_time_now(), "reason", reason, "message", message));
}

static json_t *conditions(void)
{
    json_t *all = json_array();
    add_condition(all, "MemoryPressure", "False", "KubeletHasSufficientMemory",
        "kubelet has sufficient memory available");
    add_condition(
        all, "DiskPressure", "False", "KubeletHasNoDiskPressure", "kubelet has no disk pressure");
    add_condition(all, "PIDPressure", "False", "KubeletHasSufficientPID",
        "kubelet has sufficient PID available");
    add_condition(all, "Ready", "True", "KubeletReady", "kubelet is posting ready status");
    return all;
}

static json_t *node_info(void)
{
    struct utsname host;
    uname(&host);
    return json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s}", "architecture",
        strcmp(host.machine, "aarch64") == 0 ? "arm64" : "amd64", "bootID", "",
        "containerRuntimeVersion", "containerd://1.7.15", "kernelVersion", host.release,
        "kubeProxyVersion", "v1.30.0", "kubeletVersion", "v1.30.0", "machineID", "",
        "operatingSystem", "linux", "osImage", "Debian GNU/Linux 12 (bookworm)", "systemUUID", "");
}

static json_t *labels(int index)
{
    json_t *labels = json_pack("{s:s, s:s, s:s, s:s, s:s}", "beta.kubernetes.io/arch", "amd64",
        "beta.kubernetes.io/os", "linux", "kubernetes.io/arch", "amd64", "kubernetes.io/hostname",
        s_names[index], "kubernetes.io/os", "linux");
    if (index == 0)
        json_object_set_new(labels, "node-role.kubernetes.io/control-plane", json_string(""));
    return labels;
}

/* With workers beside it the control plane is theirs to leave alone. */
static void set_taint(json_t *node, int index, int count)
{
    if (index == 0 && count > 1)
        object_set(node, "spec.taints",
            json_pack("[{s:s, s:s}]", "key", "node-role.kubernetes.io/control-plane", "effect",
                "NoSchedule"));
}

static json_t *make_node(int index)
{
    AUTO_FREE char *range = xasprintf("10.244.%d.0/24", index);
    return json_pack("{s:{s:s, s:o}, s:{s:s, s:[s]}, s:{s:o, s:o, s:o, s:o, s:[{s:s, s:s}, "
                     "{s:s, s:s}], s:{s:{s:i}}}}",
        "metadata", "name", s_names[index], "labels", labels(index), "spec", "podCIDR", range,
        "podCIDRs", range, "status", "capacity", capacity(), "allocatable", capacity(),
        "conditions", conditions(), "nodeInfo", node_info(), "addresses", "type", "InternalIP",
        "address", s_addresses[index], "type", "Hostname", "address", s_names[index],
        "daemonEndpoints", "kubeletEndpoint", "Port", 10250);
}

/* ---- heartbeats -------------------------------------------------------------------------------
 */

enum { HEARTBEAT_MS = 10000, LEASE_SECONDS = 40, STATUS_EVERY = 30 };

static const char lease_namespace[] = "kube-node-lease";

static void create_lease(store_t *store, int index)
{
    const json_t *node = store_get(store, kind_find("Node"), NULL, s_names[index]);
    (void)store_create(store, kind_find("Lease"),
        json_pack("{s:{s:s, s:s, s:[{s:s, s:s, s:s, s:s}]}, s:{s:s, s:i, s:o}}", "metadata", "name",
            s_names[index], "namespace", lease_namespace, "ownerReferences", "apiVersion", "v1",
            "kind", "Node", "name", s_names[index], "uid", object_uid(node), "spec",
            "holderIdentity", s_names[index], "leaseDurationSeconds", LEASE_SECONDS, "renewTime",
            object_micro_time_now()),
        NULL, NULL); /* a fresh store */
}

static void renew_lease(store_t *store, int index)
{
    const kind_t *kind = kind_find("Lease");
    const json_t *lease = store_get(store, kind, lease_namespace, s_names[index]);
    if (!lease) {
        create_lease(store, index);
        return;
    }
    json_t *copy = object_copy(lease, "spec");
    object_set(copy, "spec.renewTime", object_micro_time_now());
    (void)store_update(store, kind, copy, STORE_ALL, NULL); /* it is there */
}

/* A condition that says the same keeps its transition time. */
static json_t *conditions_after(const json_t *node)
{
    json_t *next = conditions();
    size_t i;
    json_t *condition;
    json_array_foreach(next, i, condition)
    {
        const json_t *before = object_condition(node, object_string(condition, "type"));
        if (before
            && strcmp(object_string(before, "status"), object_string(condition, "status")) == 0)
            json_object_set(
                condition, "lastTransitionTime", json_object_get(before, "lastTransitionTime"));
    }
    return next;
}

/* Now and then, as the real one, and at once when somebody has given the node up. */
static void post_status(store_t *store, int index, bool is_due)
{
    const kind_t *kind = kind_find("Node");
    const json_t *node = store_get(store, kind, NULL, s_names[index]);
    const json_t *ready = object_condition(node, "Ready");
    if (!node || (!is_due && strcmp(object_string(ready, "status"), "True") == 0))
        return;
    json_t *copy = object_copy(node, "status");
    object_set(copy, "status.conditions", conditions_after(node));
    (void)store_update(store, kind, copy, STORE_STATUS, NULL); /* it is there */
}

static void on_heartbeat(void *arg)
{
    kubelet_t *self = arg;
    self->heartbeat_timer = ev_after(self->context.ev, HEARTBEAT_MS, on_heartbeat, self);
    self->heartbeats++;
    for (int i = 0; i < self->node_count; i++) {
        if (self->is_stopped[i])
            continue;
        renew_lease(self->context.store, i);
        post_status(self->context.store, i, self->heartbeats % STATUS_EVERY == 0);
    }
}

void nodes_beat(kubelet_t *self)
{
    ev_cancel(self->context.ev, self->heartbeat_timer);
    on_heartbeat(self);
}

void nodes_begin(kubelet_t *self)
{
    store_t *store = self->context.store;
    name_nodes(self->node_count);
    for (int i = 0; i < self->node_count; i++) {
        json_t *node = make_node(i);
        set_taint(node, i, self->node_count);
        (void)store_create(store, kind_find("Node"), node, NULL, NULL); /* a fresh store */
        create_lease(store, i);
    }
    self->heartbeat_timer = ev_after(self->context.ev, HEARTBEAT_MS, on_heartbeat, self);
}

void nodes_end(kubelet_t *self)
{
    ev_cancel(self->context.ev, self->heartbeat_timer);
}
