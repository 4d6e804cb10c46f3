/* Which pods a quota with scopes is about. */
#include "services/cluster/env/admission/quota_usage.h"

#include "services/cluster/env/object.h"

#include "base/auto.h"

#include <string.h>

static bool is_terminating(const json_t *pod)
{
    return object_integer(pod, "spec.activeDeadlineSeconds", -1) >= 0;
}

static bool is_best_effort(const json_t *pod)
{
    return strcmp(object_string(pod, "status.qosClass"), "BestEffort") == 0;
}

static bool has_value(const json_t *requirement, const char *wanted)
{
    size_t i;
    json_t *value;
    json_array_foreach(json_object_get(requirement, "values"), i, value)
    {
        if (json_is_string(value) && strcmp(json_string_value(value), wanted) == 0)
            return true;
    }
    return false;
}

static bool has_priority_class(const json_t *pod, const json_t *requirement)
{
    const char *class = object_string(pod, "spec.priorityClassName");
    const char *operator= object_string(requirement, "operator");
    if (strcmp(operator, "In") == 0)
        return *class && has_value(requirement, class);
    if (strcmp(operator, "NotIn") == 0)
        return !*class || !has_value(requirement, class);
    return strcmp(operator, "DoesNotExist") == 0 ? !*class : *class != '\0';
}

static bool looks_abroad(const json_t *term)
{
    return json_array_size(json_object_get(term, "namespaces"))
           || json_is_object(json_object_get(term, "namespaceSelector"));
}

static bool has_affinity_abroad(const json_t *pod)
{
    static const char *const lists[] = {
        "spec.affinity.podAffinity", "spec.affinity.podAntiAffinity"};
    bool is_found = false;
    for (size_t i = 0; i < ARRAY_SIZE(lists); i++) {
        size_t j;
        json_t *term;
        const json_t *affinity = object_at(pod, lists[i]);
        json_array_foreach(
            json_object_get(affinity, "requiredDuringSchedulingIgnoredDuringExecution"), j, term)
            is_found = is_found || looks_abroad(term);
        json_array_foreach(
            json_object_get(affinity, "preferredDuringSchedulingIgnoredDuringExecution"), j, term)
            is_found = is_found || looks_abroad(json_object_get(term, "podAffinityTerm"));
    }
    return is_found;
}

static bool is_within(const json_t *pod, const char *scope, const json_t *requirement)
{
    if (strcmp(scope, "Terminating") == 0)
        return is_terminating(pod);
    if (strcmp(scope, "NotTerminating") == 0)
        return !is_terminating(pod);
    if (strcmp(scope, "BestEffort") == 0)
        return is_best_effort(pod);
    if (strcmp(scope, "NotBestEffort") == 0)
        return !is_best_effort(pod);
    if (strcmp(scope, "PriorityClass") == 0)
        return has_priority_class(pod, requirement);
    return strcmp(scope, "CrossNamespacePodAffinity") == 0 && has_affinity_abroad(pod);
}

bool quota_covers(const json_t *quota, const kind_t *kind, const json_t *object)
{
    bool is_pod = strcmp(kind->name, "Pod") == 0;
    size_t i;
    json_t *each;
    json_array_foreach(object_at(quota, "spec.scopes"), i, each)
    {
        if (!is_pod || !json_is_string(each) || !is_within(object, json_string_value(each), NULL))
            return false;
    }
    json_array_foreach(object_at(quota, "spec.scopeSelector.matchExpressions"), i, each)
    {
        if (!is_pod || !is_within(object, object_string(each, "scopeName"), each))
            return false;
    }
    return true;
}
