/* Deployment. */
#include "services/cluster/env/object.h"

#include "services/cluster/env/kinds/cells.h"
#include "services/cluster/env/kinds/checks.h"
#include "services/cluster/env/kinds/defaults.h"
#include "services/cluster/env/kinds/kinds.h"
#include "services/cluster/env/kinds/workload.h"

#include <string.h>

enum { REVISION_HISTORY = 10, PROGRESS_DEADLINE_SECONDS = 600 };

static void fill(store_t *store, json_t *object, const json_t *old)
{
    json_t *spec = default_object(object, "spec");
    json_t *strategy = spec ? default_object(spec, "strategy") : NULL;
    (void)store;
    (void)old;
    workload_fill(object);
    if (!strategy)
        return;
    default_string(strategy, "type", "RollingUpdate");
    if (!strcmp(object_string(strategy, "type"), "RollingUpdate")) {
        json_t *rolling = default_object(strategy, "rollingUpdate");
        if (rolling && !json_object_get(rolling, "maxUnavailable"))
            json_object_set_new(rolling, "maxUnavailable", json_string("25%"));
        if (rolling && !json_object_get(rolling, "maxSurge"))
            json_object_set_new(rolling, "maxSurge", json_string("25%"));
    }
    default_integer(spec, "revisionHistoryLimit", REVISION_HISTORY);
    default_integer(spec, "progressDeadlineSeconds", PROGRESS_DEADLINE_SECONDS);
}

static bool is_zero(const json_t *value)
{
    return (json_is_integer(value) && !json_integer_value(value))
           || (json_is_string(value) && !strcmp(json_string_value(value), "0%"));
}

static void check_strategy(causes_t *causes, const json_t *strategy)
{
    static const char *const types[] = {"Recreate", "RollingUpdate", NULL};
    const char *type = object_string(strategy, "type");
    const json_t *rolling = json_object_get(strategy, "rollingUpdate");
    if (!strcmp(type, "Recreate")) {
        if (json_is_object(rolling))
            causes_forbidden(causes, "spec.strategy.rollingUpdate",
                "may not be specified when strategy `type` is 'Recreate'");
    } else if (strcmp(type, "RollingUpdate") != 0) {
        causes_unsupported(causes, "spec.strategy.type", json_object_get(strategy, "type"), types);
    } else if (is_zero(json_object_get(rolling, "maxUnavailable"))
               && is_zero(json_object_get(rolling, "maxSurge"))) {
        causes_invalid(causes, "spec.strategy.rollingUpdate.maxUnavailable",
            json_object_get(rolling, "maxUnavailable"), "may not be 0 when `maxSurge` is 0");
    }
}

static void validate(const json_t *object, const json_t *old, causes_t *causes)
{
    check_metadata(causes, object, NAME_SUBDOMAIN);
    check_workload(causes, object, old);
    check_strategy(causes, object_at(object, "spec.strategy"));
    if (object_integer(object, "spec.progressDeadlineSeconds", 1)
        <= object_integer(object, "spec.minReadySeconds", 0))
        causes_invalid(causes, "spec.progressDeadlineSeconds",
            object_at(object, "spec.progressDeadlineSeconds"),
            "must be greater than minReadySeconds");
}

static void row(const json_t *object, time_t now, json_t *cells)
{
    cells_string(cells, object_name(object));
    cells_format(cells, "%lld/%lld", (long long)object_integer(object, "status.readyReplicas", 0),
        (long long)object_integer(object, "spec.replicas", 0));
    cells_integer(cells, object_integer(object, "status.updatedReplicas", 0));
    cells_integer(cells, object_integer(object, "status.availableReplicas", 0));
    cells_age(cells, object, now);
    cells_containers(cells, object_at(object, "spec.template.spec"));
    cells_selector(cells, object_at(object, "spec.selector"));
}

static const char *const short_names[] = {"deploy", NULL};
static const char *const categories[] = {"all", NULL};
static const kind_column_t columns[] = {COLUMN_NAME, COLUMN("Ready"), COLUMN("Up-to-date"),
    COLUMN("Available"), COLUMN_AGE, COLUMN_WIDE("Containers"), COLUMN_WIDE("Images"),
    COLUMN_WIDE("Selector"), {0}};

const kind_t kind_deployment = {
    .name = "Deployment",
    .group = "apps",
    .version = "v1",
    .plural = "deployments",
    .singular = "deployment",
    .type = "apps/v1.Deployment",
    .short_names = short_names,
    .categories = categories,
    .is_namespaced = true,
    .has_status = true,
    .has_scale = true,
    .has_generation = true,
    .columns = columns,
    .fill = fill,
    .validate = validate,
    .row = row,
};
