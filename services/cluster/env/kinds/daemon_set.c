/* DaemonSet. */
#include "services/cluster/env/object.h"

#include "services/cluster/env/kinds/cells.h"
#include "services/cluster/env/kinds/checks.h"
#include "services/cluster/env/kinds/defaults.h"
#include "services/cluster/env/kinds/kinds.h"
#include "services/cluster/env/kinds/workload.h"

#include <stdlib.h>
#include <string.h>

enum { REVISION_HISTORY = 10 };

/* The template's number, as old clients know it: it is also a label of the pods. */
static void count_templates(json_t *object, const json_t *old)
{
    static const char key[] = "deprecated.daemonset.template.generation";
    const char *known = old ? object_annotation(old, key) : NULL;
    long generation = known ? strtol(known, NULL, 10) : 0;
    json_t *metadata = json_object_get(object, "metadata");
    json_t *annotations = metadata ? default_object(metadata, "annotations") : NULL;
    if (!old || !json_equal(object_at(object, "spec.template"), object_at(old, "spec.template")))
        generation++;
    if (annotations)
        json_object_set_new(annotations, key, json_sprintf("%ld", generation));
}

static void fill(store_t *store, json_t *object, const json_t *old)
{
    (void)store;
    json_t *spec = workload_fill_template(object);
    json_t *strategy = spec ? default_object(spec, "updateStrategy") : NULL;
    if (!strategy)
        return;
    count_templates(object, old);
    default_integer(spec, "revisionHistoryLimit", REVISION_HISTORY);
    default_string(strategy, "type", "RollingUpdate");
    if (strcmp(object_string(strategy, "type"), "RollingUpdate") == 0) {
        json_t *rolling = default_object(strategy, "rollingUpdate");
        if (rolling) {
            default_integer(rolling, "maxUnavailable", 1);
            default_integer(rolling, "maxSurge", 0);
        }
    }
}

static bool is_zero(const json_t *value)
{
    return (json_is_integer(value) && !json_integer_value(value))
           || (json_is_string(value) && !strcmp(json_string_value(value), "0%"));
}

static void check_strategy(causes_t *causes, const json_t *strategy)
{
    static const char *const types[] = {"RollingUpdate", "OnDelete", NULL};
    const char *type = object_string(strategy, "type");
    const json_t *surge = object_at(strategy, "rollingUpdate.maxSurge");
    const json_t *unavailable = object_at(strategy, "rollingUpdate.maxUnavailable");
    if (strcmp(type, types[0]) != 0 && strcmp(type, types[1]) != 0)
        causes_unsupported(
            causes, "spec.updateStrategy.type", json_object_get(strategy, "type"), types);
    else if (strcmp(type, "OnDelete") == 0)
        return;
    else if (is_zero(surge) && is_zero(unavailable))
        causes_required(causes, "spec.updateStrategy.rollingUpdate.maxUnavailable",
            "cannot be 0 when maxSurge is 0");
    else if (!is_zero(surge) && !is_zero(unavailable))
        causes_invalid(causes, "spec.updateStrategy.rollingUpdate.maxSurge", surge,
            "may not be set when maxUnavailable is non-zero");
}

static void validate(const json_t *object, const json_t *old, causes_t *causes)
{
    check_metadata(causes, object, NAME_SUBDOMAIN);
    check_workload(causes, object, old);
    check_strategy(causes, object_at(object, "spec.updateStrategy"));
}

static void row(const json_t *object, time_t now, json_t *cells)
{
    cells_string(cells, object_name(object));
    cells_integer(cells, object_integer(object, "status.desiredNumberScheduled", 0));
    cells_integer(cells, object_integer(object, "status.currentNumberScheduled", 0));
    cells_integer(cells, object_integer(object, "status.numberReady", 0));
    cells_integer(cells, object_integer(object, "status.updatedNumberScheduled", 0));
    cells_integer(cells, object_integer(object, "status.numberAvailable", 0));
    cells_labels(cells, object_at(object, "spec.template.spec.nodeSelector"));
    cells_age(cells, object, now);
    cells_containers(cells, object_at(object, "spec.template.spec"));
    cells_selector(cells, object_at(object, "spec.selector"));
}

static const char *const short_names[] = {"ds", NULL};
static const char *const categories[] = {"all", NULL};
static const kind_column_t columns[] = {COLUMN_NAME, COLUMN_INTEGER("Desired"),
    COLUMN_INTEGER("Current"), COLUMN_INTEGER("Ready"), COLUMN_INTEGER("Up-to-date"),
    COLUMN_INTEGER("Available"), COLUMN("Node Selector"), COLUMN_AGE, COLUMN_WIDE("Containers"),
    COLUMN_WIDE("Images"), COLUMN_WIDE("Selector"), {0}};

const kind_t kind_daemon_set = {
    .name = "DaemonSet",
    .group = "apps",
    .version = "v1",
    .plural = "daemonsets",
    .singular = "daemonset",
    .type = "apps/v1.DaemonSet",
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
