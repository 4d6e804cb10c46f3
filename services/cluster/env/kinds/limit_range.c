/* LimitRange. */
#include "services/cluster/env/object.h"

#include "services/cluster/env/kinds/cells.h"
#include "services/cluster/env/kinds/checks.h"
#include "services/cluster/env/kinds/defaults.h"
#include "services/cluster/env/kinds/kinds.h"
#include "services/cluster/env/quantity.h"

#include "base/auto.h"
#include "base/mem.h"

#include <string.h>

static bool is_type(const json_t *limit, const char *type)
{
    return strcmp(object_string(limit, "type"), type) == 0;
}

/* ---- defaults ------------------------------------------------------------------------------ */

static void take_missing(json_t *into, const json_t *from)
{
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)from, key, value)
    {
        if (!json_object_get(into, key))
            json_object_set(into, key, value);
    }
}

/* A default limit is the maximum, a default request that limit or else the minimum. */
static void default_container(json_t *limit)
{
    json_t *limits = default_object(limit, "default");
    json_t *requests = default_object(limit, "defaultRequest");
    if (!limits || !requests)
        return;
    take_missing(limits, json_object_get(limit, "max"));
    take_missing(requests, limits);
    take_missing(requests, json_object_get(limit, "min"));
}

static void fill(store_t *store, json_t *object, const json_t *old)
{
    static const char *const maps[] = {
        "max", "min", "default", "defaultRequest", "maxLimitRequestRatio"};
    size_t i;
    json_t *limit;
    (void)store;
    (void)old;
    json_array_foreach(object_at(object, "spec.limits"), i, limit)
    {
        if (is_type(limit, "Container"))
            default_container(limit);
        for (size_t j = 0; j < ARRAY_SIZE(maps); j++)
            quantity_canonical_map(json_object_get(limit, maps[j]));
    }
}

/* ---- validation ---------------------------------------------------------------------------- */

/* One bound must not be above another. */
typedef struct order {
    const char *lower;
    const char *lower_name;
    const char *upper;
    const char *upper_name;
} order_t;

static void check_order(
    causes_t *causes, const char *field, const json_t *limit, const order_t *order)
{
    const json_t *upper = json_object_get(limit, order->upper);
    const char *resource;
    json_t *low;
    json_object_foreach(json_object_get(limit, order->lower), resource, low)
    {
        const json_t *high = json_object_get(upper, resource);
        if (!high || quantity_compare(low, high) <= 0)
            continue;
        AUTO_FREE char *at = xasprintf("%s.%s[%s]", field, order->lower, resource);
        AUTO_FREE char *why = xasprintf("%s value %s is greater than %s value %s",
            order->lower_name, json_string_value(low), order->upper_name, json_string_value(high));
        causes_invalid(causes, at, low, why);
    }
}

static void check_ratios(causes_t *causes, const char *field, const json_t *limit)
{
    const char *resource;
    json_t *ratio;
    json_object_foreach(json_object_get(limit, "maxLimitRequestRatio"), resource, ratio)
    {
        if (quantity_millis(ratio) >= 1000)
            continue;
        AUTO_FREE char *at = xasprintf("%s.maxLimitRequestRatio[%s]", field, resource);
        AUTO_FREE char *why = xasprintf("ratio %s is less than 1", json_string_value(ratio));
        causes_invalid(causes, at, ratio, why);
    }
}

static void check_limit(causes_t *causes, const char *field, const json_t *limit)
{
    static const order_t orders[] = {{"min", "min", "max", "max"},
        {"min", "min", "defaultRequest", "default request"}, {"min", "min", "default", "default"},
        {"defaultRequest", "default request", "max", "max"},
        {"defaultRequest", "default request", "default", "default limit"},
        {"default", "default", "max", "max"}};
    AUTO_FREE char *type = xasprintf("%s.type", field);
    if (!*object_string(limit, "type"))
        causes_required(causes, type, NULL);
    if (is_type(limit, "Pod") && json_object_size(json_object_get(limit, "default")))
        causes_forbidden(causes, field, "may not be specified when `type` is 'Pod'");
    if (is_type(limit, "PersistentVolumeClaim") && !object_at(limit, "min.storage")
        && !object_at(limit, "max.storage"))
        causes_required(causes, field,
            "either minimum or maximum storage value is required, but neither was provided");
    for (size_t i = 0; i < ARRAY_SIZE(orders); i++)
        check_order(causes, field, limit, &orders[i]);
    check_ratios(causes, field, limit);
}

static void validate(const json_t *object, const json_t *old, causes_t *causes)
{
    json_auto_t *seen = json_object();
    size_t i;
    json_t *limit;
    (void)old;
    check_metadata(causes, object, NAME_SUBDOMAIN);
    json_array_foreach(object_at(object, "spec.limits"), i, limit)
    {
        const char *type = object_string(limit, "type");
        AUTO_FREE char *field = xasprintf("spec.limits[%zu]", i);
        AUTO_FREE char *type_field = xasprintf("%s.type", field);
        if (json_object_get(seen, type))
            causes_duplicate(causes, type_field, json_object_get(limit, "type"));
        json_object_set_new(seen, type, json_true());
        check_limit(causes, field, limit);
    }
}

static void row(const json_t *object, time_t now, json_t *cells)
{
    (void)now;
    cells_string(cells, object_name(object));
    cells_string(cells, object_string(object, "metadata.creationTimestamp"));
}

static const char *const short_names[] = {"limits", NULL};
static const kind_column_t columns[] = {COLUMN_NAME, COLUMN("Created At"), {0}};

const kind_t kind_limit_range = {
    .name = "LimitRange",
    .group = "",
    .version = "v1",
    .plural = "limitranges",
    .singular = "limitrange",
    .type = "core/v1.LimitRange",
    .short_names = short_names,
    .is_namespaced = true,
    .columns = columns,
    .fill = fill,
    .validate = validate,
    .row = row,
};
