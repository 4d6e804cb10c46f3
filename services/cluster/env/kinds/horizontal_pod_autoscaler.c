/* HorizontalPodAutoscaler. */
#include "services/cluster/env/object.h"

#include "services/cluster/env/kinds/cells.h"
#include "services/cluster/env/kinds/checks.h"
#include "services/cluster/env/kinds/defaults.h"
#include "services/cluster/env/kinds/kinds.h"

#include "base/auto.h"
#include "base/mem.h"

enum { CPU_TARGET = 80, SHOWN_METRICS = 2 };

static void fill(store_t *store, json_t *object, const json_t *old)
{
    json_t *spec = default_object(object, "spec");
    (void)store;
    (void)old;
    default_object(object, "status");
    if (!spec)
        return;
    default_integer(spec, "minReplicas", 1);
    if (!json_array_size(json_object_get(spec, "metrics")))
        json_object_set_new(spec, "metrics",
            json_pack("[{s:s, s:{s:s, s:{s:s, s:i}}}]", "type", "Resource", "resource", "name",
                "cpu", "target", "type", "Utilization", "averageUtilization", CPU_TARGET));
}

static void check_target(causes_t *causes, const json_t *spec)
{
    static const char *const required[] = {"kind", "name"};
    for (size_t i = 0; i < ARRAY_SIZE(required); i++) {
        AUTO_FREE char *field = xasprintf("spec.scaleTargetRef.%s", required[i]);
        if (!*object_string(json_object_get(spec, "scaleTargetRef"), required[i]))
            causes_required(causes, field, NULL);
    }
}

static void validate(const json_t *object, const json_t *old, causes_t *causes)
{
    const json_t *spec = json_object_get(object, "spec");
    int64_t least = object_integer(spec, "minReplicas", 1);
    int64_t most = object_integer(spec, "maxReplicas", 0);
    (void)old;
    check_metadata(causes, object, NAME_SUBDOMAIN);
    check_target(causes, spec);
    if (least < 1)
        causes_invalid(causes, "spec.minReplicas", json_object_get(spec, "minReplicas"),
            "must be greater than or equal to 1");
    json_auto_t *shown = json_integer(most);
    if (most < 1)
        causes_invalid(causes, "spec.maxReplicas", shown, "must be greater than 0");
    else if (most < least)
        causes_invalid(
            causes, "spec.maxReplicas", shown, "must be greater than or equal to `minReplicas`");
}

/* ---- the row ------------------------------------------------------------------------------ */

/* The part of status.currentMetrics about a resource, or NULL. */
static const json_t *current_of(const json_t *object, const char *resource)
{
    size_t i;
    json_t *metric;
    json_array_foreach(object_at(object, "status.currentMetrics"), i, metric)
    {
        if (!strcmp(object_string(metric, "resource.name"), resource))
            return object_at(metric, "resource.current");
    }
    return NULL;
}

static char *metric_text(const json_t *object, const json_t *metric)
{
    const char *name = object_string(metric, "resource.name");
    const json_t *current = current_of(object, name);
    const json_t *share = object_at(metric, "resource.target.averageUtilization");
    if (strcmp(object_string(metric, "type"), "Resource") != 0)
        return xstrdup("<unknown>");
    if (!share)
        return xasprintf("%s: %s/%s", name,
            object_at(current, "averageValue") ? object_string(current, "averageValue")
                                               : "<unknown>",
            object_string(metric, "resource.target.averageValue"));
    long long wanted = json_integer_value(share);
    if (!object_at(current, "averageUtilization"))
        return xasprintf("%s: <unknown>/%lld%%", name, wanted);
    return xasprintf("%s: %lld%%/%lld%%", name,
        (long long)object_integer(current, "averageUtilization", 0), wanted);
}

static void cells_targets(json_t *cells, const json_t *object)
{
    const json_t *metrics = object_at(object, "spec.metrics");
    size_t count = json_array_size(metrics);
    AUTO_FREE char *text = xstrdup("");
    for (size_t i = 0; i < count && i < SHOWN_METRICS; i++) {
        AUTO_FREE char *one = metric_text(object, json_array_get(metrics, i));
        char *longer = xasprintf("%s%s%s", text, i ? ", " : "", one);
        free(text);
        text = longer;
    }
    if (count > SHOWN_METRICS)
        cells_format(cells, "%s + %zu more...", text, count - SHOWN_METRICS);
    else
        cells_string(cells, *text ? text : "<none>");
}

static void row(const json_t *object, time_t now, json_t *cells)
{
    cells_string(cells, object_name(object));
    cells_format(cells, "%s/%s", object_string(object, "spec.scaleTargetRef.kind"),
        object_string(object, "spec.scaleTargetRef.name"));
    cells_targets(cells, object);
    cells_format(cells, "%lld", (long long)object_integer(object, "spec.minReplicas", 1));
    cells_integer(cells, object_integer(object, "spec.maxReplicas", 0));
    cells_integer(cells, object_integer(object, "status.currentReplicas", 0));
    cells_age(cells, object, now);
}

static const char *const short_names[] = {"hpa", NULL};
static const char *const categories[] = {"all", NULL};
static const kind_column_t columns[] = {COLUMN_NAME, COLUMN("Reference"), COLUMN("Targets"),
    COLUMN("MinPods"), COLUMN_INTEGER("MaxPods"), COLUMN_INTEGER("Replicas"), COLUMN_AGE, {0}};

const kind_t kind_horizontal_pod_autoscaler = {
    .name = "HorizontalPodAutoscaler",
    .group = "autoscaling",
    .version = "v2",
    .plural = "horizontalpodautoscalers",
    .singular = "horizontalpodautoscaler",
    .type = "autoscaling/v2.HorizontalPodAutoscaler",
    .short_names = short_names,
    .categories = categories,
    .is_namespaced = true,
    .has_status = true,
    .has_generation = true,
    .columns = columns,
    .fill = fill,
    .validate = validate,
    .row = row,
};
