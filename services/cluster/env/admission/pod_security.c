#include "services/cluster/env/admission/pod_security.h"

#include "services/cluster/env/admission/pod_security_checks.h"
#include "services/cluster/env/object.h"

#include "base/auto.h"
#include "base/mem.h"

#include <limits.h>
#include <string.h>

#define PREFIX "pod-security.kubernetes.io/"

enum { TEXT_SIZE = 32 };

static const char *const level_names[] = {
    [LEVEL_PRIVILEGED] = "privileged",
    [LEVEL_BASELINE] = "baseline",
    [LEVEL_RESTRICTED] = "restricted",
};

/* ---- policies ------------------------------------------------------------------------------ */

static bool parse_level(const char *text, security_level_t *level_p)
{
    for (size_t i = 0; i < ARRAY_SIZE(level_names); i++) {
        if (strcmp(text, level_names[i]) == 0) {
            *level_p = (security_level_t)i;
            return true;
        }
    }
    return false;
}

/* "latest", or "v1." and a number without leading zeros. */
static bool parse_version(const char *text, int *minor_p)
{
    size_t length = strlen(text);
    if (strcmp(text, "latest") == 0) {
        *minor_p = INT_MAX;
        return true;
    }
    if (strncmp(text, "v1.", 3) != 0 || length < 4 || length > 8
        || strspn(text + 3, "0123456789") != length - 3 || (text[3] == '0' && text[4]))
        return false;
    *minor_p = (int)strtol(text + 3, NULL, 10);
    return true;
}

/* What a namespace's labels demand in a mode ("enforce", "warn"). False if they say nothing of it.
 */
static bool read_policy(const json_t *namespace, const char *mode, security_policy_t *policy)
{
    AUTO_FREE char *level_key = xasprintf(PREFIX "%s", mode);
    AUTO_FREE char *version_key = xasprintf(PREFIX "%s-version", mode);
    const char *level = object_label(namespace, level_key);
    const char *version = object_label(namespace, version_key);
    *policy = (security_policy_t){.level = LEVEL_PRIVILEGED, .minor = INT_MAX};
    if (version)
        (void)parse_version(version, &policy->minor); /* the latest, if it is none */
    if (level && !parse_level(level, &policy->level) && strcmp(mode, "enforce") == 0)
        policy->level = LEVEL_RESTRICTED; /* better safe */
    return level != NULL;
}

/* Without a label of their own, warnings are about what is enforced. */
static security_policy_t warn_policy(const json_t *namespace, security_policy_t enforced)
{
    security_policy_t warned;
    bool is_given = read_policy(namespace, "warn", &warned);
    if (is_given || enforced.level == LEVEL_PRIVILEGED)
        return warned;
    bool has_version = object_label(namespace, PREFIX "warn-version") != NULL;
    return (security_policy_t){enforced.level, has_version ? warned.minor : enforced.minor};
}

/* "restricted:latest", "baseline:v1.25" */
static const char *policy_text(security_policy_t policy, char text[TEXT_SIZE])
{
    if (policy.minor == INT_MAX)
        snprintf(text, TEXT_SIZE, "%s:latest", level_names[policy.level]);
    else
        snprintf(text, TEXT_SIZE, "%s:v1.%d", level_names[policy.level], policy.minor);
    return text;
}

/* ---- labels -------------------------------------------------------------------------------- */

void pod_security_check_labels(const json_t *namespace, const json_t *old, causes_t *causes)
{
    static const char *const modes[] = {"enforce", "audit", "warn"};
    for (size_t i = 0; i < 2 * ARRAY_SIZE(modes); i++) {
        bool is_version = i % 2;
        security_level_t level;
        int minor;
        AUTO_FREE char *key = xasprintf(PREFIX "%s%s", modes[i / 2], is_version ? "-version" : "");
        const char *value = object_label(namespace, key);
        const char *before = old ? object_label(old, key) : NULL;
        if (!value || (before && strcmp(value, before) == 0)
            || (is_version ? parse_version(value, &minor) : parse_level(value, &level)))
            continue;
        AUTO_FREE char *field = xasprintf("metadata.labels[%s]", key);
        json_auto_t *shown = json_string(value);
        causes_invalid(causes, field, shown,
            is_version ? "must be \"latest\" or \"v1.x\""
                       : "must be one of privileged, baseline, restricted");
    }
}

/* ---- namespaces ---------------------------------------------------------------------------- */

typedef struct survey {
    security_policy_t policy;
    json_t *found; /* by what is wrong: the first pod's name and how many there are */
} survey_t;

static void survey_pod(void *arg, json_t *pod)
{
    survey_t *self = arg;
    AUTO_FREE char *violations = pod_security_violations(self->policy, pod, false);
    if (!violations)
        return;
    json_t *entry = json_object_get(self->found, violations);
    if (!entry) {
        entry = json_pack("{s:s, s:i}", "name", object_name(pod), "count", 0);
        json_object_set_new(self->found, violations, entry);
    }
    json_object_set_new(entry, "count", json_integer(object_integer(entry, "count", 0) + 1));
}

static char *surveyed(const char *violations, const json_t *entry)
{
    int64_t others = object_integer(entry, "count", 0) - 1;
    const char *name = object_string(entry, "name");
    if (!others)
        return xasprintf("%s: %s", name, violations);
    return xasprintf("%s (and %lld other pod%s): %s", name, (long long)others,
        others == 1 ? "" : "s", violations);
}

/* What is there already stays, but one is told what could not be made again. */
static void survey_namespace(
    store_t *store, const json_t *namespace, security_policy_t policy, json_t *warnings)
{
    json_auto_t *found = json_object();
    json_auto_t *lines = json_object();
    survey_t survey = {.policy = policy, .found = found};
    char text[TEXT_SIZE];
    const char *violations;
    json_t *entry;
    size_t count;
    store_each(store, kind_find("Pod"), object_name(namespace), survey_pod, &survey);
    json_object_foreach(found, violations, entry)
    {
        AUTO_FREE char *line = surveyed(violations, entry);
        json_object_set_new(lines, line, json_true());
    }
    AUTO_FREE const char **sorted = object_sorted_keys(lines, &count);
    if (count)
        json_array_append_new(warnings,
            json_sprintf("existing pods in namespace \"%s\" violate the new PodSecurity enforce "
                         "level \"%s\"",
                object_name(namespace), policy_text(policy, text)));
    for (size_t i = 0; i < count; i++)
        json_array_append_new(warnings, json_string(sorted[i]));
}

static void look_at_namespace(
    store_t *store, const json_t *namespace, const json_t *old, json_t *warnings)
{
    security_policy_t before, now;
    read_policy(namespace, "enforce", &now);
    read_policy(old, "enforce", &before);
    bool is_stricter = now.minor != before.minor || now.level > before.level;
    if (old && warnings && now.level != LEVEL_PRIVILEGED && is_stricter)
        survey_namespace(store, namespace, now, warnings);
}

/* ---- pods ---------------------------------------------------------------------------------- */

/* Of what can be changed of a pod, only images and new containers matter. */
static bool is_significant(const json_t *pod, const json_t *old)
{
    static const char *const lists[] = {
        "spec.containers", "spec.initContainers", "spec.ephemeralContainers"};
    for (size_t i = 0; i < ARRAY_SIZE(lists); i++) {
        const json_t *now = object_at(pod, lists[i]);
        const json_t *before = object_at(old, lists[i]);
        size_t j;
        json_t *container;
        if (json_array_size(now) != json_array_size(before))
            return true;
        json_array_foreach(now, j, container)
        {
            if (strcmp(object_string(container, "image"),
                    object_string(json_array_get(before, j), "image"))
                != 0)
                return true;
        }
    }
    return false;
}

/* The pod itself, or the template of those that a workload makes; NULL for anything else. */
static const json_t *pod_of(const kind_t *kind, const json_t *object)
{
    static const char *const workloads[] = {
        "DaemonSet", "Deployment", "Job", "ReplicaSet", "ReplicationController", "StatefulSet"};
    if (strcmp(kind->name, "Pod") == 0)
        return object;
    if (strcmp(kind->name, "CronJob") == 0)
        return object_at(object, "spec.jobTemplate.spec.template");
    for (size_t i = 0; i < ARRAY_SIZE(workloads); i++) {
        if (strcmp(kind->name, workloads[i]) == 0)
            return object_at(object, "spec.template");
    }
    return NULL;
}

static int look_at_pod(
    const json_t *namespace, const json_t *pod, bool is_enforced, json_t *warnings, err_t *err)
{
    security_policy_t enforced;
    char text[TEXT_SIZE];
    read_policy(namespace, "enforce", &enforced);
    security_policy_t warned = warn_policy(namespace, enforced);
    AUTO_FREE char *violations = is_enforced ? pod_security_violations(enforced, pod, true) : NULL;
    if (violations)
        return err_set(err, ERR_FORBIDDEN, "violates PodSecurity \"%s\": %s",
            policy_text(enforced, text), violations);
    AUTO_FREE char *warning = warnings ? pod_security_violations(warned, pod, true) : NULL;
    if (warning)
        json_array_append_new(warnings, json_sprintf("would violate PodSecurity \"%s\": %s",
                                            policy_text(warned, text), warning));
    return 0;
}

int pod_security_admit(store_t *store, const kind_t *kind, const json_t *object, const json_t *old,
    json_t *warnings, err_t *err)
{
    const kind_t *namespace_kind = kind_find("Namespace");
    if (kind == namespace_kind)
        look_at_namespace(store, object, old, warnings);
    const json_t *pod = pod_of(kind, object);
    bool is_pod = pod == object;
    const json_t *namespace =
        pod ? store_get(store, namespace_kind, NULL, object_namespace(object)) : NULL;
    if (!namespace || (is_pod && old && !is_significant(object, old)))
        return 0;
    return look_at_pod(namespace, pod, is_pod, warnings, err);
}
