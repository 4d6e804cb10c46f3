#include "services/cluster/env/controllers/topology.h"

#include "base/auto.h"
#include "services/cluster/env/object.h"
#include "services/cluster/env/selector.h"

#define AFFINITY      "spec.affinity.podAffinity."
#define ANTI_AFFINITY "spec.affinity.podAntiAffinity."
#define REQUIRED      "requiredDuringSchedulingIgnoredDuringExecution"
#define PREFERRED     "preferredDuringSchedulingIgnoredDuringExecution"

/* ---- terms -------------------------------------------------------------------------------- */

/* Whether a term of `owner` speaks of pods in this namespace. */
static bool covers_namespace(
    const topology_t *self, const json_t *term, const json_t *owner, const char *namespace)
{
    const json_t *names = json_object_get(term, "namespaces");
    const json_t *picked = json_object_get(term, "namespaceSelector");
    size_t i = 0;
    json_t *name = NULL;
    json_array_foreach(names, i, name)
    {
        if (json_is_string(name) && strcmp(json_string_value(name), namespace) == 0)
            return true;
    }
    if (!picked)
        return !json_array_size(names) && strcmp(object_namespace(owner), namespace) == 0;
    AUTO(selector_destroy) selector_t *selector = selector_new(picked, NULL);
    const json_t *object = store_get(self->store, kind_find("Namespace"), NULL, namespace);
    return selector && object && selector_matches(selector, object_at(object, "metadata.labels"));
}

static bool term_matches(
    const topology_t *self, const json_t *term, const json_t *owner, const json_t *other)
{
    AUTO(selector_destroy)
    selector_t *selector = selector_new(json_object_get(term, "labelSelector"), NULL);
    return selector && selector_matches(selector, object_at(other, "metadata.labels"))
           && covers_namespace(self, term, owner, object_namespace(other));
}

static bool is_same_place(const node_info_t *a, const node_info_t *b, const char *key)
{
    const char *left = object_label(a->node, key);
    const char *right = object_label(b->node, key);
    return left && right && strcmp(left, right) == 0;
}

/* How many pods in the same place as `at` a term of the pod speaks of; everywhere if at is NULL. */
static int64_t count_matches(const topology_t *self, const json_t *term, const node_info_t *at)
{
    const char *key = object_string(term, "topologyKey");
    int64_t count = 0;
    for (size_t i = 0; i < self->node_count; i++) {
        const node_info_t *info = &self->nodes[i];
        size_t j = 0;
        json_t *other = NULL;
        if (at && !is_same_place(info, at, key))
            continue;
        json_array_foreach(info->pods, j, other)
        {
            count += term_matches(self, term, self->pod, other);
        }
    }
    return count;
}

/* ---- what is required --------------------------------------------------------------------- */

/* The first of pods that are to be together has nobody to join. */
static bool is_first(const topology_t *self, const json_t *terms)
{
    size_t i = 0;
    json_t *term = NULL;
    json_array_foreach(terms, i, term)
    {
        if (count_matches(self, term, NULL) || !term_matches(self, term, self->pod, self->pod))
            return false;
    }
    return true;
}

static bool meets_affinity(const topology_t *self, const node_info_t *at)
{
    const json_t *terms = object_at(self->pod, AFFINITY REQUIRED);
    bool is_met = true;
    size_t i = 0;
    json_t *term = NULL;
    json_array_foreach(terms, i, term)
    {
        if (!object_label(at->node, object_string(term, "topologyKey")))
            return false;
        is_met = is_met && count_matches(self, term, at) > 0;
    }
    return is_met || is_first(self, terms);
}

static bool meets_anti_affinity(const topology_t *self, const node_info_t *at)
{
    size_t i = 0;
    json_t *term = NULL;
    json_array_foreach(object_at(self->pod, ANTI_AFFINITY REQUIRED), i, term)
    {
        if (count_matches(self, term, at) > 0)
            return false;
    }
    return true;
}

static bool is_shunned_by(
    const topology_t *self, const node_info_t *at, const node_info_t *info, const json_t *other)
{
    size_t i = 0;
    json_t *term = NULL;
    json_array_foreach(object_at(other, ANTI_AFFINITY REQUIRED), i, term)
    {
        if (is_same_place(info, at, object_string(term, "topologyKey"))
            && term_matches(self, term, other, self->pod))
            return true;
    }
    return false;
}

/* Pods that are there may not want this one near them. */
static bool is_shunned(const topology_t *self, const node_info_t *at)
{
    for (size_t i = 0; i < self->node_count; i++) {
        size_t j = 0;
        json_t *other = NULL;
        json_array_foreach(self->nodes[i].pods, j, other)
        {
            if (is_shunned_by(self, at, &self->nodes[i], other))
                return true;
        }
    }
    return false;
}

/* ---- spread ------------------------------------------------------------------------------- */

static bool has_same_labels(const json_t *keys, const json_t *a, const json_t *b)
{
    size_t i = 0;
    json_t *key = NULL;
    json_array_foreach(keys, i, key)
    {
        const char *left = object_label(a, json_string_value(key));
        const char *right = object_label(b, json_string_value(key));
        if (!left || !right || strcmp(left, right) != 0)
            return false;
    }
    return true;
}

static bool is_counted(const topology_t *self, const json_t *constraint, const json_t *other)
{
    AUTO(selector_destroy)
    selector_t *selector = selector_new(json_object_get(constraint, "labelSelector"), NULL);
    return selector && !object_is_deleted(other)
           && strcmp(object_namespace(other), object_namespace(self->pod)) == 0
           && selector_matches(selector, object_at(other, "metadata.labels"))
           && has_same_labels(json_object_get(constraint, "matchLabelKeys"), self->pod, other);
}

/* Pods of a constraint by the value of its key, on the nodes that the pod may be on at all. */
static json_t *count_domains(const topology_t *self, const json_t *constraint)
{
    const char *key = object_string(constraint, "topologyKey");
    json_t *domains = json_object();
    for (size_t i = 0; i < self->node_count; i++) {
        const char *value = object_label(self->nodes[i].node, key);
        size_t j = 0;
        json_t *other = NULL;
        if (!value || !fit_is_picked(self->nodes[i].node, self->pod))
            continue;
        json_int_t count = json_integer_value(json_object_get(domains, value));
        json_array_foreach(self->nodes[i].pods, j, other)
        {
            count += is_counted(self, constraint, other);
        }
        json_object_set_new(domains, value, json_integer(count));
    }
    return domains;
}

static int64_t least_of(const json_t *domains, const json_t *constraint)
{
    int64_t least = INT64_MAX;
    const char *value = NULL;
    json_t *count = NULL;
    json_object_foreach((json_t *)domains, value, count)
    {
        least = json_integer_value(count) < least ? json_integer_value(count) : least;
    }
    bool are_few = (int64_t)json_object_size(domains) < object_integer(constraint, "minDomains", 1);
    return are_few || least == INT64_MAX ? 0 : least;
}

/* By how much the place of `at` would be ahead of the emptiest, with the pod. */
static int64_t skew(const topology_t *self, const json_t *constraint, const node_info_t *at)
{
    json_auto_t *domains = count_domains(self, constraint);
    const char *value = object_label(at->node, object_string(constraint, "topologyKey"));
    return json_integer_value(json_object_get(domains, value))
           + is_counted(self, constraint, self->pod) - least_of(domains, constraint);
}

static bool is_strict(const json_t *constraint)
{
    return strcmp(object_string(constraint, "whenUnsatisfiable"), "ScheduleAnyway") != 0;
}

static const char *spread_refusal(const topology_t *self, const node_info_t *at, bool *is_final)
{
    size_t i = 0;
    json_t *constraint = NULL;
    json_array_foreach(object_at(self->pod, "spec.topologySpreadConstraints"), i, constraint)
    {
        if (!is_strict(constraint))
            continue;
        if (!object_label(at->node, object_string(constraint, "topologyKey"))) {
            *is_final = true;
            return "node(s) didn't match pod topology spread constraints (missing required label)";
        }
        if (skew(self, constraint, at) > object_integer(constraint, "maxSkew", 1))
            return "node(s) didn't match pod topology spread constraints";
    }
    return NULL;
}

const char *topology_refusal(const topology_t *self, const node_info_t *at, bool *is_final)
{
    const char *refusal = spread_refusal(self, at, is_final);
    if (refusal)
        return refusal;
    if (!meets_affinity(self, at)) {
        *is_final = true;
        return "node(s) didn't match pod affinity rules";
    }
    if (!meets_anti_affinity(self, at))
        return "node(s) didn't match pod anti-affinity rules";
    return is_shunned(self, at) ? "node(s) didn't satisfy existing pods anti-affinity rules" : NULL;
}

/* ---- what is preferred -------------------------------------------------------------------- */

static int64_t pod_preference(const topology_t *self, const node_info_t *at, const char *path)
{
    int64_t sum = 0;
    size_t i = 0;
    json_t *preferred = NULL;
    json_array_foreach(object_at(self->pod, path), i, preferred)
    {
        sum += object_integer(preferred, "weight", 0)
               * count_matches(self, json_object_get(preferred, "podAffinityTerm"), at);
    }
    return sum;
}

int64_t topology_preference(const topology_t *self, const node_info_t *at)
{
    int64_t sum = fit_preference(at->node, self->pod) + pod_preference(self, at, AFFINITY PREFERRED)
                  - pod_preference(self, at, ANTI_AFFINITY PREFERRED);
    size_t i = 0;
    json_t *constraint = NULL;
    json_array_foreach(object_at(self->pod, "spec.topologySpreadConstraints"), i, constraint)
    {
        if (!is_strict(constraint))
            sum -= object_label(at->node, object_string(constraint, "topologyKey"))
                       ? skew(self, constraint, at)
                       : INT32_MAX;
    }
    return sum;
}
