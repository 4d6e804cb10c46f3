/* The checks of k8s.io/pod-security-admission/policy, with its words, and which level has which. */
#include "services/cluster/env/admission/pod_security_checks.h"

#include "services/cluster/env/admission/pod_security_internal.h"
#include "services/cluster/env/object.h"

#include "base/auto.h"
#include "base/mem.h"

#include <string.h>

/* ---- phrases ------------------------------------------------------------------------------- */

char *names_quoted(const json_t *names)
{
    char *text = NULL;
    size_t size = 0;
    size_t i;
    json_t *name;
    FILE *out = mem_check(open_memstream(&text, &size));
    json_array_foreach(names, i, name)
        fprintf(out, "%s\"%s\"", i ? ", " : "", json_string_value(name));
    fclose(out);
    return text;
}

/* The members of a set in order: an array of strings. */
static json_t *members(const json_t *set)
{
    size_t count;
    AUTO_FREE const char **keys = object_sorted_keys(set, &count);
    json_t *names = json_array();
    for (size_t i = 0; i < count; i++)
        json_array_append_new(names, json_string(keys[i]));
    return names;
}

char *set_quoted(const json_t *set)
{
    json_auto_t *names = members(set);
    return names_quoted(names);
}

void set_put(json_t *set, const char *member)
{
    if (set)
        json_object_set_new(set, member, json_true());
}

const char *plural_of(const json_t *names)
{
    return json_array_size(names) == 1 ? "" : "s";
}

/* ---- of the pod ---------------------------------------------------------------------------- */

static finding_t check_host_namespaces(const json_t *pod, int minor)
{
    static const char *const fields[] = {"hostIPC", "hostNetwork", "hostPID"};
    AUTO_FREE char *text = xstrdup("");
    (void)minor;
    for (size_t i = 0; i < ARRAY_SIZE(fields); i++) {
        if (!json_is_true(json_object_get(json_object_get(pod, "spec"), fields[i])))
            continue;
        char *longer = xasprintf("%s%s%s=true", text, *text ? ", " : "", fields[i]);
        free(text);
        text = longer;
    }
    return *text ? (finding_t){"host namespaces", TAKE(text)} : (finding_t){0};
}

static finding_t check_host_paths(const json_t *pod, int minor)
{
    json_auto_t *names = json_array();
    size_t i;
    json_t *volume;
    (void)minor;
    json_array_foreach(object_at(pod, "spec.volumes"), i, volume)
    {
        if (json_is_object(json_object_get(volume, "hostPath")))
            json_array_append_new(names, json_string(object_string(volume, "name")));
    }
    AUTO_FREE char *text = names_quoted(names);
    return *text ? (finding_t){"hostPath volumes", xasprintf("volume%s %s", plural_of(names), text)}
                 : (finding_t){0};
}

static const char *volume_type(json_t *volume)
{
    const char *key;
    json_t *value;
    json_object_foreach(volume, key, value)
    {
        if (strcmp(key, "name") != 0)
            return key;
    }
    return "unknown";
}

static finding_t check_volume_types(const json_t *pod, int minor)
{
    static const char allowed[] =
        " configMap csi downwardAPI emptyDir ephemeral persistentVolumeClaim projected secret ";
    json_auto_t *names = json_array();
    json_auto_t *types = json_object();
    size_t i;
    json_t *volume;
    (void)minor;
    json_array_foreach(object_at(pod, "spec.volumes"), i, volume)
    {
        AUTO_FREE char *word = xasprintf(" %s ", volume_type(volume));
        if (strstr(allowed, word))
            continue;
        json_array_append_new(names, json_string(object_string(volume, "name")));
        set_put(types, volume_type(volume));
    }
    AUTO_FREE char *text = names_quoted(names);
    AUTO_FREE char *bad = set_quoted(types);
    if (!*text)
        return (finding_t){0};
    return (finding_t){"restricted volume types",
        xasprintf("volume%s %s use%s restricted volume type%s %s", plural_of(names), text,
            json_array_size(names) == 1 ? "s" : "", json_object_size(types) == 1 ? "" : "s", bad)};
}

static bool has_host_port(const json_t *container, json_t *ports)
{
    bool is_found = false;
    size_t i;
    json_t *port;
    json_array_foreach(json_object_get(container, "ports"), i, port)
    {
        int64_t number = object_integer(port, "hostPort", 0);
        AUTO_FREE char *text = xasprintf("%lld", (long long)number);
        if (number)
            set_put(ports, text);
        is_found = is_found || number;
    }
    return is_found;
}

static finding_t check_host_ports(const json_t *pod, int minor)
{
    static const char *const lists[] = {"spec.initContainers", "spec.containers"};
    json_auto_t *names = json_array();
    json_auto_t *ports = json_object();
    (void)minor;
    for (size_t i = 0; i < ARRAY_SIZE(lists); i++) {
        size_t j;
        json_t *container;
        json_array_foreach(object_at(pod, lists[i]), j, container)
        {
            if (has_host_port(container, ports))
                json_array_append_new(names, json_string(object_string(container, "name")));
        }
    }
    size_t count;
    AUTO_FREE const char **numbers = object_sorted_keys(ports, &count);
    AUTO_FREE char *text = names_quoted(names);
    AUTO_FREE char *detail = xasprintf("container%s %s use%s hostPort%s", plural_of(names), text,
        json_array_size(names) == 1 ? "s" : "", count == 1 ? "" : "s");
    for (size_t i = 0; i < count; i++) {
        char *longer = xasprintf("%s%s %s", detail, i ? "," : "", numbers[i]);
        free(detail);
        detail = longer;
    }
    return count ? (finding_t){"hostPort", TAKE(detail)} : (finding_t){0};
}

static finding_t check_sysctls(const json_t *pod, int minor)
{
    static const struct {
        const char *name;
        int since;
    } allowed[] = {{"kernel.shm_rmid_forced", 0}, {"net.ipv4.ip_local_port_range", 0},
        {"net.ipv4.tcp_syncookies", 0}, {"net.ipv4.ping_group_range", 0},
        {"net.ipv4.ip_unprivileged_port_start", 0}, {"net.ipv4.ip_local_reserved_ports", 27},
        {"net.ipv4.tcp_keepalive_time", 29}, {"net.ipv4.tcp_fin_timeout", 29},
        {"net.ipv4.tcp_keepalive_intvl", 29}, {"net.ipv4.tcp_keepalive_probes", 29}};
    AUTO_FREE char *text = xstrdup("");
    size_t i;
    json_t *sysctl;
    json_array_foreach(object_at(pod, "spec.securityContext.sysctls"), i, sysctl)
    {
        bool is_allowed = false;
        for (size_t j = 0; j < ARRAY_SIZE(allowed); j++)
            is_allowed = is_allowed
                         || (minor >= allowed[j].since
                             && strcmp(object_string(sysctl, "name"), allowed[j].name) == 0);
        if (is_allowed)
            continue;
        char *longer = xasprintf("%s%s%s", text, *text ? ", " : "", object_string(sysctl, "name"));
        free(text);
        text = longer;
    }
    return *text ? (finding_t){"forbidden sysctls", TAKE(text)} : (finding_t){0};
}

/* ---- the standards ------------------------------------------------------------------------- */

/* In the order in which findings are told. */
static const struct check {
    security_level_t level;
    bool is_overlapped; /* a stricter check takes its place in restricted */
    int since;          /* the minor version from which on it holds */
    finding_t (*check)(const json_t *pod, int minor);
} checks[] = {
    {LEVEL_BASELINE, false, 0, check_app_armor},
    {LEVEL_BASELINE, false, 0, check_host_namespaces},
    {LEVEL_BASELINE, false, 0, check_host_ports},
    {LEVEL_BASELINE, false, 0, check_privileged},
    {LEVEL_BASELINE, false, 0, check_proc_mount},
    {LEVEL_BASELINE, false, 0, check_se_linux},
    {LEVEL_BASELINE, false, 0, check_sysctls},
    {LEVEL_BASELINE, true, 0, check_capabilities_baseline},
    {LEVEL_BASELINE, true, 0, check_host_paths},
    {LEVEL_BASELINE, true, 19, check_seccomp_baseline},
    {LEVEL_RESTRICTED, false, 8, check_escalation},
    {LEVEL_RESTRICTED, false, 22, check_capabilities_restricted},
    {LEVEL_RESTRICTED, false, 0, check_volume_types},
    {LEVEL_RESTRICTED, false, 0, check_non_root},
    {LEVEL_RESTRICTED, false, 23, check_user},
    {LEVEL_RESTRICTED, false, 19, check_seccomp_restricted},
};

char *pod_security_violations(security_policy_t policy, const json_t *pod, bool has_details)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = mem_check(open_memstream(&text, &size));
    const char *comma = "";
    for (size_t i = 0; i < ARRAY_SIZE(checks); i++) {
        bool is_replaced = checks[i].is_overlapped && policy.level == LEVEL_RESTRICTED;
        if (checks[i].level > policy.level || is_replaced || policy.minor < checks[i].since)
            continue;
        finding_t finding = checks[i].check(pod, policy.minor);
        if (!finding.reason)
            continue;
        fprintf(out, "%s%s", comma, finding.reason);
        if (has_details)
            fprintf(out, " (%s)", finding.detail);
        comma = ", ";
        free(finding.detail);
    }
    fclose(out);
    if (*text)
        return text;
    free(text);
    return NULL;
}
