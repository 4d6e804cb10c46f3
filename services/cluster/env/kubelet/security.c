#include "services/cluster/env/kubelet/security.h"

#include "base/auto.h"
#include "services/cluster/env/object.h"

#include <linux/capability.h>
#include <string.h>

/* Containers share the machine's kernel, and as root its user namespace: what would let one out of
 * its own namespaces (SYS_ADMIN, SYS_MODULE, DAC_READ_SEARCH, MKNOD and the like) is known by name
 * and never given. */
static const struct capability {
    const char *name;
    int number;
    bool may_be_added;
} capabilities[] = {
    {"AUDIT_CONTROL", CAP_AUDIT_CONTROL, false},
    {"AUDIT_READ", CAP_AUDIT_READ, false},
    {"AUDIT_WRITE", CAP_AUDIT_WRITE, true},
    {"BLOCK_SUSPEND", CAP_BLOCK_SUSPEND, false},
    {"BPF", CAP_BPF, false},
    {"CHECKPOINT_RESTORE", CAP_CHECKPOINT_RESTORE, false},
    {"CHOWN", CAP_CHOWN, true},
    {"DAC_OVERRIDE", CAP_DAC_OVERRIDE, true},
    {"DAC_READ_SEARCH", CAP_DAC_READ_SEARCH, false},
    {"FOWNER", CAP_FOWNER, true},
    {"FSETID", CAP_FSETID, true},
    {"IPC_LOCK", CAP_IPC_LOCK, true},
    {"IPC_OWNER", CAP_IPC_OWNER, true},
    {"KILL", CAP_KILL, true},
    {"LEASE", CAP_LEASE, true},
    {"LINUX_IMMUTABLE", CAP_LINUX_IMMUTABLE, false},
    {"MAC_ADMIN", CAP_MAC_ADMIN, false},
    {"MAC_OVERRIDE", CAP_MAC_OVERRIDE, false},
    {"MKNOD", CAP_MKNOD, false},
    {"NET_ADMIN", CAP_NET_ADMIN, true},
    {"NET_BIND_SERVICE", CAP_NET_BIND_SERVICE, true},
    {"NET_BROADCAST", CAP_NET_BROADCAST, true},
    {"NET_RAW", CAP_NET_RAW, true},
    {"PERFMON", CAP_PERFMON, false},
    {"SETFCAP", CAP_SETFCAP, true},
    {"SETGID", CAP_SETGID, true},
    {"SETPCAP", CAP_SETPCAP, true},
    {"SETUID", CAP_SETUID, true},
    {"SYSLOG", CAP_SYSLOG, false},
    {"SYS_ADMIN", CAP_SYS_ADMIN, false},
    {"SYS_BOOT", CAP_SYS_BOOT, false},
    {"SYS_CHROOT", CAP_SYS_CHROOT, true},
    {"SYS_MODULE", CAP_SYS_MODULE, false},
    {"SYS_NICE", CAP_SYS_NICE, false},
    {"SYS_PACCT", CAP_SYS_PACCT, false},
    {"SYS_PTRACE", CAP_SYS_PTRACE, true},
    {"SYS_RAWIO", CAP_SYS_RAWIO, false},
    {"SYS_RESOURCE", CAP_SYS_RESOURCE, false},
    {"SYS_TIME", CAP_SYS_TIME, false},
    {"SYS_TTY_CONFIG", CAP_SYS_TTY_CONFIG, false},
    {"WAKE_ALARM", CAP_WAKE_ALARM, false},
};

/* ---- capabilities -----------------------------------------------------------------------------
 */

static uint64_t addable(void)
{
    uint64_t mask = 0;
    for (size_t i = 0; i < ARRAY_SIZE(capabilities); i++)
        mask |= capabilities[i].may_be_added ? 1ULL << capabilities[i].number : 0;
    return mask;
}

static const struct capability *find(const char *name)
{
    for (size_t i = 0; i < ARRAY_SIZE(capabilities); i++) {
        if (strcmp(capabilities[i].name, name) == 0)
            return &capabilities[i];
    }
    return NULL;
}

/* The mask of a list of names, "ALL" among them. */
static int mask_of(const json_t *names, uint64_t *mask_p, err_t *err)
{
    size_t i;
    json_t *entry;
    uint64_t mask = 0;
    json_array_foreach(names, i, entry)
    {
        const char *name = json_string_value(entry) ? json_string_value(entry) : "";
        const struct capability *capability = find(name);
        if (strcmp(name, "ALL") == 0)
            mask = ~0ULL;
        else if (capability)
            mask |= 1ULL << capability->number;
        else
            return err_set(err, ERR_INVALID, "unknown capability \"CAP_%s\"", name);
    }
    *mask_p = mask;
    return 0;
}

/* As containerd does: all or none first, then what is named, the drops last. */
static int choose_capabilities(uint64_t *chosen_p, const json_t *context, err_t *err)
{
    uint64_t add = 0;
    uint64_t drop = 0;
    if (mask_of(object_at(context, "capabilities.add"), &add, err) < 0
        || mask_of(object_at(context, "capabilities.drop"), &drop, err) < 0)
        return -(int)err->code;
    bool is_privileged = object_is_true(context, "privileged");
    uint64_t first = is_privileged ? addable() : drop == ~0ULL ? 0 : spawn_default_capabilities();
    drop = drop == ~0ULL ? 0 : drop;
    *chosen_p = (first | (add & addable())) & ~drop;
    return 0;
}

/* ---- users ------------------------------------------------------------------------------------
 */

/* A container's own word counts before its pod's. */
static const json_t *setting(const json_t *pod, const json_t *container, const char *name)
{
    const json_t *own = json_object_get(object_at(container, "securityContext"), name);
    return own ? own : json_object_get(object_at(pod, "spec.securityContext"), name);
}

static int check_user(
    const security_t *self, const json_t *pod, const json_t *container, err_t *err)
{
    if (!json_is_true(setting(pod, container, "runAsNonRoot")) || self->process.uid != 0)
        return 0;
    return err_set(err, ERR_INVALID, "%s (pod: \"%s_%s(%s)\", container: %s)",
        setting(pod, container, "runAsUser")
            ? "container's runAsUser breaks non-root policy"
            : "container has runAsNonRoot and image will run as root",
        object_name(pod), object_namespace(pod), object_uid(pod), object_string(container, "name"));
}

static void add_group(security_t *self, const json_t *group)
{
    if (json_is_integer(group) && self->process.group_count < SECURITY_GROUP_LIMIT)
        self->groups[self->process.group_count++] = (gid_t)json_integer_value(group);
}

int security_init(security_t *self, const json_t *pod, const json_t *container, err_t *err)
{
    const json_t *context = object_at(container, "securityContext");
    const json_t *shared = object_at(pod, "spec.securityContext");
    size_t i;
    json_t *group;
    *self = (security_t){
        .process = {.uid = (uid_t)json_integer_value(setting(pod, container, "runAsUser")),
            .gid = (gid_t)json_integer_value(setting(pod, container, "runAsGroup")),
            .groups = self->groups,
            .has_no_new_privileges =
                json_is_false(json_object_get(context, "allowPrivilegeEscalation"))},
        .is_root_read_only = object_is_true(context, "readOnlyRootFilesystem"),
    };
    json_array_foreach(json_object_get(shared, "supplementalGroups"), i, group)
        add_group(self, group);
    add_group(self, json_object_get(shared, "fsGroup"));
    int rc = check_user(self, pod, container, err);
    return rc < 0 ? rc : choose_capabilities(&self->process.capabilities, context, err);
}
