/* The checks of pods' and containers' security contexts. */
#include "services/cluster/env/admission/pod_security_internal.h"

#include "services/cluster/env/object.h"

#include "base/auto.h"
#include "base/mem.h"

#include <string.h>

/* Whether a security context (NULL if there is none) is bad; bad values go into the set. */
typedef bool(context_test_fn)(const json_t *context, json_t *values);

/* ---- who it is ----------------------------------------------------------------------------- */

/* Names of the containers whose security context is bad, init containers first. */
static json_t *bad_containers(const json_t *spec, context_test_fn *is_bad, json_t *values)
{
    static const char *const lists[] = {"initContainers", "containers", "ephemeralContainers"};
    json_t *names = json_array();
    for (size_t i = 0; i < ARRAY_SIZE(lists); i++) {
        size_t j;
        json_t *container;
        json_array_foreach(json_object_get(spec, lists[i]), j, container)
        {
            if (is_bad(json_object_get(container, "securityContext"), values))
                json_array_append_new(names, json_string(object_string(container, "name")));
        }
    }
    return names;
}

/* container "a" or containers "a", "b"; for free(), or NULL if there are none. */
static char *container_phrase(const json_t *spec, context_test_fn *is_bad, json_t *values)
{
    json_auto_t *names = bad_containers(spec, is_bad, values);
    AUTO_FREE char *text = names_quoted(names);
    return *text ? xasprintf("container%s %s", plural_of(names), text) : NULL;
}

/* The same with "pod and" in front if it is the pod's own context that is bad, too. */
static char *setter_phrase(const json_t *spec, context_test_fn *is_bad, json_t *values)
{
    bool is_pod_bad = is_bad(json_object_get(spec, "securityContext"), values);
    AUTO_FREE char *containers = container_phrase(spec, is_bad, values);
    if (!containers)
        return is_pod_bad ? xstrdup("pod") : NULL;
    return xasprintf("%s%s", is_pod_bad ? "pod and " : "", containers);
}

/* "<who> <what>", or nothing if nobody did it. */
static finding_t found(const char *reason, const char *who, const char *what)
{
    return who ? (finding_t){reason, xasprintf("%s %s", who, what)} : (finding_t){0};
}

/* ---- what it is ------------------------------------------------------------------ */

static bool may_escalate(const json_t *context, json_t *values)
{
    (void)values;
    return !json_is_false(json_object_get(context, "allowPrivilegeEscalation"));
}

finding_t check_escalation(const json_t *pod, int minor)
{
    (void)minor;
    AUTO_FREE char *who = container_phrase(json_object_get(pod, "spec"), may_escalate, NULL);
    return found("allowPrivilegeEscalation != false", who,
        "must set securityContext.allowPrivilegeEscalation=false");
}

static bool is_privileged(const json_t *context, json_t *values)
{
    (void)values;
    return json_is_true(json_object_get(context, "privileged"));
}

finding_t check_privileged(const json_t *pod, int minor)
{
    (void)minor;
    AUTO_FREE char *who = container_phrase(json_object_get(pod, "spec"), is_privileged, NULL);
    return found("privileged", who, "must not set securityContext.privileged=true");
}

/* Whether a capability is added that is not in a list of words; those go into the set. */
static bool adds_beyond(const json_t *context, const char *allowed, json_t *values)
{
    bool is_bad = false;
    size_t i;
    json_t *capability;
    json_array_foreach(object_at(context, "capabilities.add"), i, capability)
    {
        const char *name = json_is_string(capability) ? json_string_value(capability) : "";
        AUTO_FREE char *word = xasprintf(" %s ", name);
        if (strstr(allowed, word))
            continue;
        set_put(values, name);
        is_bad = true;
    }
    return is_bad;
}

static bool adds_capabilities(const json_t *context, json_t *values)
{
    return adds_beyond(context,
        " AUDIT_WRITE CHOWN DAC_OVERRIDE FOWNER FSETID KILL MKNOD NET_BIND_SERVICE SETFCAP SETGID "
        "SETPCAP SETUID SYS_CHROOT ",
        values);
}

static bool adds_more_than_low_ports(const json_t *context, json_t *values)
{
    return adds_beyond(context, " NET_BIND_SERVICE ", values);
}

static bool keeps_capabilities(const json_t *context, json_t *values)
{
    size_t i;
    json_t *dropped;
    (void)values;
    json_array_foreach(object_at(context, "capabilities.drop"), i, dropped)
    {
        if (json_is_string(dropped) && strcmp(json_string_value(dropped), "ALL") == 0)
            return false;
    }
    return true;
}

/* Who adds capabilities that the test does not like: "container "c" must not include …", or NULL.
 */
static char *added_phrase(const json_t *pod, context_test_fn *is_bad)
{
    json_auto_t *values = json_object();
    AUTO_FREE char *who = container_phrase(json_object_get(pod, "spec"), is_bad, values);
    AUTO_FREE char *bad = set_quoted(values);
    return who ? xasprintf("%s must not include %s in securityContext.capabilities.add", who, bad)
               : NULL;
}

finding_t check_capabilities_baseline(const json_t *pod, int minor)
{
    char *detail = added_phrase(pod, adds_capabilities);
    (void)minor;
    return detail ? (finding_t){"non-default capabilities", detail} : (finding_t){0};
}

finding_t check_capabilities_restricted(const json_t *pod, int minor)
{
    AUTO_FREE char *keeping =
        container_phrase(json_object_get(pod, "spec"), keeps_capabilities, NULL);
    AUTO_FREE char *adding = added_phrase(pod, adds_more_than_low_ports);
    (void)minor;
    if (!keeping && !adding)
        return (finding_t){0};
    return (finding_t){"unrestricted capabilities",
        xasprintf("%s%s%s%s", keeping ? keeping : "",
            keeping ? " must set securityContext.capabilities.drop=[\"ALL\"]" : "",
            keeping && adding ? "; " : "", adding ? adding : "")};
}

static bool shows_proc(const json_t *context, json_t *values)
{
    const char *mount = object_string(context, "procMount");
    if (!*mount || strcmp(mount, "Default") == 0)
        return false;
    set_put(values, mount);
    return true;
}

/* "<who> must not set securityContext.<field> to <values>" */
static finding_t found_values(
    const char *reason, const char *who, const char *field, const json_t *values)
{
    AUTO_FREE char *bad = set_quoted(values);
    AUTO_FREE char *what = xasprintf("must not set %s to %s", field, bad);
    return found(reason, who, what);
}

finding_t check_proc_mount(const json_t *pod, int minor)
{
    json_auto_t *values = json_object();
    AUTO_FREE char *who = container_phrase(json_object_get(pod, "spec"), shows_proc, values);
    (void)minor;
    return found_values("procMount", who, "securityContext.procMount", values);
}

static bool may_be_root(const json_t *context, json_t *values)
{
    (void)values;
    return json_is_false(json_object_get(context, "runAsNonRoot"));
}

static bool says_not_who(const json_t *context, json_t *values)
{
    (void)values;
    return !json_is_boolean(json_object_get(context, "runAsNonRoot"));
}

finding_t check_non_root(const json_t *pod, int minor)
{
    static const char reason[] = "runAsNonRoot != true";
    const json_t *spec = json_object_get(pod, "spec");
    AUTO_FREE char *setters = setter_phrase(spec, may_be_root, NULL);
    (void)minor;
    if (setters)
        return found(reason, setters, "must not set securityContext.runAsNonRoot=false");
    if (object_is_true(spec, "securityContext.runAsNonRoot"))
        return (finding_t){0};
    AUTO_FREE char *silent = container_phrase(spec, says_not_who, NULL);
    AUTO_FREE char *who = silent ? xasprintf("pod or %s", silent) : NULL;
    return found(reason, who, "must set securityContext.runAsNonRoot=true");
}

static bool is_root(const json_t *context, json_t *values)
{
    (void)values;
    return object_integer(context, "runAsUser", -1) == 0;
}

finding_t check_user(const json_t *pod, int minor)
{
    (void)minor;
    AUTO_FREE char *who = setter_phrase(json_object_get(pod, "spec"), is_root, NULL);
    return found("runAsUser=0", who, "must not set runAsUser=0");
}

static bool is_confined(const char *type)
{
    return strcmp(type, "RuntimeDefault") == 0 || strcmp(type, "Localhost") == 0;
}

static bool is_unconfined(const json_t *context, const char *profile, json_t *values)
{
    const json_t *chosen = json_object_get(context, profile);
    const char *type = object_string(chosen, "type");
    if (!json_is_object(chosen) || is_confined(type))
        return false;
    set_put(values, type);
    return true;
}

static bool has_bad_seccomp(const json_t *context, json_t *values)
{
    return is_unconfined(context, "seccompProfile", values);
}

static bool lacks_seccomp(const json_t *context, json_t *values)
{
    (void)values;
    return !json_is_object(json_object_get(context, "seccompProfile"));
}

finding_t check_seccomp_baseline(const json_t *pod, int minor)
{
    json_auto_t *values = json_object();
    AUTO_FREE char *who = setter_phrase(json_object_get(pod, "spec"), has_bad_seccomp, values);
    (void)minor;
    return found_values("seccompProfile", who, "securityContext.seccompProfile.type", values);
}

finding_t check_seccomp_restricted(const json_t *pod, int minor)
{
    const json_t *spec = json_object_get(pod, "spec");
    finding_t explicit = check_seccomp_baseline(pod, minor);
    if (explicit.reason || object_at(spec, "securityContext.seccompProfile"))
        return explicit;
    AUTO_FREE char *silent = container_phrase(spec, lacks_seccomp, NULL);
    AUTO_FREE char *who = silent ? xasprintf("pod or %s", silent) : NULL;
    return found("seccompProfile", who,
        "must set securityContext.seccompProfile.type to \"RuntimeDefault\" or \"Localhost\"");
}

static bool has_bad_app_armor(const json_t *context, json_t *values)
{
    return is_unconfined(context, "appArmorProfile", values);
}

finding_t check_app_armor(const json_t *pod, int minor)
{
    json_auto_t *values = json_object();
    AUTO_FREE char *who = setter_phrase(json_object_get(pod, "spec"), has_bad_app_armor, values);
    (void)minor;
    const char *reason =
        json_object_size(values) > 1 ? "forbidden AppArmor profiles" : "forbidden AppArmor profile";
    return found_values(reason, who, "AppArmor profile type", values);
}

static bool has_bad_labels(const json_t *context, json_t *values)
{
    static const char allowed[] =
        "  container_t container_init_t container_kvm_t container_engine_t ";
    const json_t *options = json_object_get(context, "seLinuxOptions");
    const char *type = object_string(options, "type");
    AUTO_FREE char *word = xasprintf(" %s ", type);
    bool is_bad_type = *type && !strstr(allowed, word);
    if (is_bad_type)
        set_put(values, type);
    return is_bad_type || *object_string(options, "user") || *object_string(options, "role");
}

finding_t check_se_linux(const json_t *pod, int minor)
{
    json_auto_t *types = json_object();
    AUTO_FREE char *who = setter_phrase(json_object_get(pod, "spec"), has_bad_labels, types);
    AUTO_FREE char *bad = set_quoted(types);
    (void)minor;
    AUTO_FREE char *what =
        json_object_size(types)
            ? xasprintf("set forbidden securityContext.seLinuxOptions: type%s %s",
                json_object_size(types) == 1 ? "" : "s", bad)
            : xstrdup("set forbidden securityContext.seLinuxOptions: user or role may not be set");
    return found("seLinuxOptions", who, what);
}
