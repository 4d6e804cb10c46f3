#include "services/cluster/env/controllers/volume_match.h"

#include "base/auto.h"
#include "base/mem.h"
#include "services/cluster/env/object.h"
#include "services/cluster/env/quantity.h"
#include "services/cluster/env/selector.h"

#include <string.h>

/* ---- claims ------------------------------------------------------------------------------- */

bool claim_is_bound(const json_t *claim)
{
    return object_annotation(claim, "pv.kubernetes.io/bind-completed") != NULL;
}

bool claim_waits_for_pod(store_t *store, const json_t *claim)
{
    const json_t *class = store_get(
        store, kind_find("StorageClass"), NULL, object_string(claim, "spec.storageClassName"));
    return class && strcmp(object_string(class, "volumeBindingMode"), "WaitForFirstConsumer") == 0;
}

bool claim_is_meant(const json_t *reference, const json_t *claim)
{
    const char *uid = object_string(reference, "uid");
    return strcmp(object_string(reference, "name"), object_name(claim)) == 0
           && strcmp(object_string(reference, "namespace"), object_namespace(claim)) == 0
           && (!*uid || strcmp(uid, object_uid(claim)) == 0);
}

char *pod_volume_claim(const json_t *pod, const json_t *volume)
{
    const char *claim = object_string(volume, "persistentVolumeClaim.claimName");
    if (*claim)
        return xstrdup(claim);
    if (!object_at(volume, "ephemeral"))
        return NULL;
    return xasprintf("%s-%s", object_name(pod), object_string(volume, "name"));
}

bool pod_uses_claim(const json_t *pod, const char *claim)
{
    size_t i;
    json_t *volume;
    json_array_foreach(object_at(pod, "spec.volumes"), i, volume)
    {
        AUTO_FREE char *name = pod_volume_claim(pod, volume);
        if (name && strcmp(name, claim) == 0)
            return true;
    }
    return false;
}

/* ---- nodes -------------------------------------------------------------------------------- */

/* Node selectors and label selectors have the same expressions; those with Gt and Lt, which only
 * the former has, match nothing here. */
static bool matches_term(const json_t *node, const json_t *term)
{
    json_auto_t *wanted =
        json_pack("{s:O?}", "matchExpressions", json_object_get(term, "matchExpressions"));
    AUTO(selector_destroy) selector_t *selector = selector_new(wanted, NULL);
    return selector && selector_matches(selector, object_at(node, "metadata.labels"));
}

bool volume_suits_node(const json_t *volume, const json_t *node)
{
    const json_t *terms = object_at(volume, "spec.nodeAffinity.required.nodeSelectorTerms");
    size_t i;
    json_t *term;
    json_array_foreach(terms, i, term)
    {
        if (matches_term(node, term))
            return true;
    }
    return !terms;
}

/* ---- volumes ------------------------------------------------------------------------------ */

static bool has_modes(const json_t *volume, const json_t *claim)
{
    size_t i;
    size_t j;
    json_t *wanted;
    json_t *offered;
    json_array_foreach(object_at(claim, "spec.accessModes"), i, wanted)
    {
        bool is_offered = false;
        json_array_foreach(object_at(volume, "spec.accessModes"), j, offered) is_offered =
            is_offered || json_equal(wanted, offered);
        if (!is_offered)
            return false;
    }
    return true;
}

static bool has_labels(const json_t *volume, const json_t *claim)
{
    const json_t *wanted = object_at(claim, "spec.selector");
    AUTO(selector_destroy) selector_t *selector = wanted ? selector_new(wanted, NULL) : NULL;
    return !wanted
           || (selector && selector_matches(selector, object_at(volume, "metadata.labels")));
}

static int64_t size_of(const json_t *volume)
{
    return quantity_units(object_at(volume, "spec.capacity.storage"));
}

static bool is_same(const json_t *volume, const json_t *claim, const char *path)
{
    return strcmp(object_string(volume, path), object_string(claim, path)) == 0;
}

static bool is_suitable(const json_t *volume, const json_t *claim)
{
    return !object_is_deleted(volume) && is_same(volume, claim, "spec.storageClassName")
           && is_same(volume, claim, "spec.volumeMode") && has_modes(volume, claim)
           && has_labels(volume, claim)
           && size_of(volume)
                  >= quantity_units(object_at(claim, "spec.resources.requests.storage"));
}

typedef struct search {
    const json_t *claim;
    const json_t *node; /* or NULL */
    json_t *best;
    json_t *reserved;
} search_t;

static void consider(void *arg, json_t *volume)
{
    search_t *self = arg;
    const json_t *reference = object_at(volume, "spec.claimRef");
    if (reference && claim_is_meant(reference, self->claim))
        self->reserved = volume;
    if (reference || !is_suitable(volume, self->claim)
        || (self->node && !volume_suits_node(volume, self->node)))
        return;
    if (!self->best || size_of(volume) < size_of(self->best))
        self->best = volume;
}

json_t *volume_find(store_t *store, const json_t *claim, const json_t *node)
{
    search_t search = {.claim = claim, .node = node};
    store_each(store, kind_find("PersistentVolume"), NULL, consider, &search);
    return search.reserved ? search.reserved : search.best;
}
