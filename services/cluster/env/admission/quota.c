/* The rules and words of apiserver's admission/plugin/resourcequota. What is taken is counted when
 * asked for: the store is at hand, so nothing is reserved and nothing can go stale. */
#include "services/cluster/env/admission/quota.h"

#include "services/cluster/env/admission/quota_usage.h"
#include "services/cluster/env/object.h"
#include "services/cluster/env/quantity.h"

#include "base/auto.h"
#include "base/mem.h"

#include <string.h>

static const json_t *hard_of(const json_t *quota)
{
    return object_at(quota, "spec.hard");
}

/* ---- counting ------------------------------------------------------------------------------ */

typedef struct count {
    const json_t *quota;
    const kind_t *kind;
    json_t *used;
} count_t;

static void count_one(void *arg, json_t *object)
{
    const count_t *self = arg;
    const char *resource;
    json_t *taken;
    if (!quota_covers(self->quota, self->kind, object))
        return;
    json_auto_t *usage = quota_usage(self->kind, object);
    json_object_foreach(usage, resource, taken)
    {
        const json_t *before = json_object_get(self->used, resource);
        if (before)
            json_object_set_new(self->used, resource, quantity_sum(before, taken));
    }
}

static bool concerns(const kind_t *kind, const json_t *quota)
{
    const char *resource;
    json_t *limit;
    json_object_foreach((json_t *)hard_of(quota), resource, limit)
    {
        if (quota_concerns(kind, resource))
            return true;
    }
    return false;
}

json_t *quota_used(store_t *store, const json_t *quota)
{
    count_t count = {.quota = quota, .used = json_object()};
    const char *resource;
    json_t *limit;
    json_object_foreach((json_t *)hard_of(quota), resource, limit)
        json_object_set_new(count.used, resource, json_string("0"));
    for (size_t i = 0; kind_at(i); i++) {
        count.kind = kind_at(i);
        if (concerns(count.kind, quota))
            store_each(store, count.kind, object_namespace(quota), count_one, &count);
    }
    return count.used;
}

/* ---- admission ----------------------------------------------------------------------------- */

typedef struct trial {
    store_t *store;
    const kind_t *kind;
    const json_t *object;
    const json_t *old; /* or NULL */
    err_t *err;
    int rc;
} trial_t;

/* "cpu=1,memory=1Gi" of the resources named in exceeded, sorted; for free(). */
static char *list_of(const json_t *amounts, const json_t *exceeded)
{
    char *text = NULL;
    size_t size, count;
    FILE *out = mem_check(open_memstream(&text, &size));
    AUTO_FREE const char **keys = object_sorted_keys(exceeded, &count);
    for (size_t i = 0; i < count; i++) {
        json_auto_t *shown = quantity_canonical(json_object_get(amounts, keys[i]));
        fprintf(out, "%s%s=%s", i ? "," : "", keys[i], json_string_value(shown));
    }
    fclose(out);
    return text;
}

/* What the object takes more than before, of what the quota limits. */
static json_t *added_usage(const trial_t *self, const json_t *quota)
{
    json_auto_t *usage = quota_usage(self->kind, self->object);
    bool was_counted = self->old && quota_covers(quota, self->kind, self->old);
    json_auto_t *before = was_counted ? quota_usage(self->kind, self->old) : json_object();
    json_t *added = json_object();
    const char *resource;
    json_t *amount;
    json_object_foreach(usage, resource, amount)
    {
        json_auto_t *more = quantity_difference(amount, json_object_get(before, resource));
        if (json_object_get(hard_of(quota), resource) && quantity_millis(more) > 0)
            json_object_set(added, resource, more);
    }
    return added;
}

/* The part of added for which there is no room. */
static json_t *excess(const json_t *quota, const json_t *added, const json_t *used)
{
    json_t *exceeded = json_object();
    const char *resource;
    json_t *amount;
    json_object_foreach((json_t *)added, resource, amount)
    {
        json_auto_t *sum = quantity_sum(json_object_get(used, resource), amount);
        if (quantity_compare(sum, json_object_get(hard_of(quota), resource)) > 0)
            json_object_set(exceeded, resource, amount);
    }
    return exceeded;
}

static void try_quota(void *arg, json_t *quota)
{
    trial_t *self = arg;
    const char *name = object_name(quota);
    if (self->rc < 0 || !concerns(self->kind, quota)
        || !quota_covers(quota, self->kind, self->object))
        return;
    bool is_pod = strcmp(self->kind->name, "Pod") == 0;
    AUTO_FREE char *missing = is_pod ? quota_missing(hard_of(quota), self->object) : NULL;
    if (missing) {
        self->rc = err_set(self->err, ERR_FORBIDDEN, "failed quota: %s: %s", name, missing);
        return;
    }
    json_auto_t *added = added_usage(self, quota);
    if (!json_object_size(added))
        return;
    json_auto_t *used = quota_used(self->store, quota);
    json_auto_t *exceeded = excess(quota, added, used);
    if (!json_object_size(exceeded))
        return;
    AUTO_FREE char *requested = list_of(added, exceeded);
    AUTO_FREE char *taken = list_of(used, exceeded);
    AUTO_FREE char *limited = list_of(hard_of(quota), exceeded);
    self->rc = err_set(self->err, ERR_FORBIDDEN,
        "exceeded quota: %s, requested: %s, used: %s, limited: %s", name, requested, taken,
        limited);
}

/* Only these may take more by a change; a pod's needs are fixed. */
static bool can_grow(const kind_t *kind)
{
    return strcmp(kind->name, "Service") == 0 || strcmp(kind->name, "PersistentVolumeClaim") == 0;
}

int quota_admit(
    store_t *store, const kind_t *kind, const json_t *object, const json_t *old, err_t *err)
{
    trial_t trial = {.store = store, .kind = kind, .object = object, .old = old, .err = err};
    if (!kind->is_namespaced || (old && !can_grow(kind)))
        return 0;
    store_each(store, kind_find("ResourceQuota"), object_namespace(object), try_quota, &trial);
    return trial.rc;
}
