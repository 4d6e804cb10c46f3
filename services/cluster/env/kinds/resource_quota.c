/* ResourceQuota. */
#include "services/cluster/env/object.h"

#include "services/cluster/env/kinds/cells.h"
#include "services/cluster/env/kinds/checks.h"
#include "services/cluster/env/kinds/defaults.h"
#include "services/cluster/env/kinds/kinds.h"
#include "services/cluster/env/quantity.h"

#include "base/auto.h"
#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

static void fill(store_t *store, json_t *object, const json_t *old)
{
    (void)store;
    quantity_canonical_map(object_at(object, "spec.hard"));
    if (!old)
        json_object_set_new(object, "status", json_object());
}

/* ---- validation ---------------------------------------------------------------------------- */

static bool is_one_of(const char *text, const char *const *names)
{
    for (size_t i = 0; names[i]; i++) {
        if (!strcmp(text, names[i]))
            return true;
    }
    return false;
}

static void check_resource(causes_t *causes, const char *resource, const json_t *amount)
{
    static const char *const standard[] = {"cpu", "memory", "ephemeral-storage", "requests.cpu",
        "requests.memory", "requests.storage", "requests.ephemeral-storage", "limits.cpu",
        "limits.memory", "limits.ephemeral-storage", "pods", "resourcequotas", "services",
        "replicationcontrollers", "secrets", "persistentvolumeclaims", "configmaps",
        "services.nodeports", "services.loadbalancers", NULL};
    AUTO_FREE char *field = xasprintf("spec.hard[%s]", resource);
    json_auto_t *name = json_string(resource);
    if (!strchr(resource, '/') && !is_one_of(resource, standard)
        && strncmp(resource, "hugepages-", 10) != 0
        && strncmp(resource, "requests.hugepages-", 19) != 0) {
        causes_invalid(causes, field, name, "must be a standard resource for quota");
        return;
    }
    if (!quantity_is_valid(amount))
        causes_invalid(causes, field, amount, "must be a quantity");
    else if (quantity_millis(amount) < 0)
        causes_invalid(causes, field, amount, "must be greater than or equal to 0");
}

static void check_scopes(causes_t *causes, const json_t *scopes)
{
    static const char *const known[] = {"Terminating", "NotTerminating", "BestEffort",
        "NotBestEffort", "PriorityClass", "CrossNamespacePodAffinity", NULL};
    size_t i;
    json_t *scope;
    json_array_foreach(scopes, i, scope)
    {
        if (!json_is_string(scope) || !is_one_of(json_string_value(scope), known))
            causes_invalid(causes, "spec.scopes", scopes, "unsupported scope");
    }
}

static void validate(const json_t *object, const json_t *old, causes_t *causes)
{
    const json_t *spec = json_object_get(object, "spec");
    const char *resource;
    json_t *amount;
    check_metadata(causes, object, NAME_SUBDOMAIN);
    json_object_foreach(json_object_get(spec, "hard"), resource, amount)
        check_resource(causes, resource, amount);
    check_scopes(causes, json_object_get(spec, "scopes"));
    if (old && !json_equal(json_object_get(spec, "scopes"), object_at(old, "spec.scopes"))
        && (json_object_get(spec, "scopes") || object_at(old, "spec.scopes")))
        causes_invalid(
            causes, "spec.scopes", json_object_get(spec, "scopes"), "field is immutable");
}

/* ---- printing ------------------------------------------------------------------------------ */

/* "cpu: 1/2, pods: 3/5" of those that are limits or are not. */
static char *amounts(const json_t *status, bool is_limits)
{
    const json_t *hard = json_object_get(status, "hard");
    char *text = NULL;
    size_t size, count;
    FILE *out = mem_check(open_memstream(&text, &size));
    AUTO_FREE const char **keys = object_sorted_keys(hard, &count);
    const char *comma = "";
    for (size_t i = 0; i < count; i++) {
        if (!strncmp(keys[i], "limits.", 7) != is_limits)
            continue;
        const char *used =
            json_string_value(json_object_get(json_object_get(status, "used"), keys[i]));
        const char *limit = json_string_value(json_object_get(hard, keys[i]));
        fprintf(out, "%s%s: %s/%s", comma, keys[i], used ? used : "0", limit ? limit : "0");
        comma = ", ";
    }
    fclose(out);
    return text;
}

static void row(const json_t *object, time_t now, json_t *cells)
{
    const json_t *status = json_object_get(object, "status");
    AUTO_FREE char *requests = amounts(status, false);
    AUTO_FREE char *limits = amounts(status, true);
    cells_string(cells, object_name(object));
    cells_age(cells, object, now);
    cells_string(cells, requests);
    cells_string(cells, limits);
}

static const char *const short_names[] = {"quota", NULL};
static const kind_column_t columns[] = {
    COLUMN_NAME, COLUMN_AGE, COLUMN("Request"), COLUMN("Limit"), {0}};

const kind_t kind_resource_quota = {
    .name = "ResourceQuota",
    .group = "",
    .version = "v1",
    .plural = "resourcequotas",
    .singular = "resourcequota",
    .type = "core/v1.ResourceQuota",
    .short_names = short_names,
    .is_namespaced = true,
    .has_status = true,
    .columns = columns,
    .fill = fill,
    .validate = validate,
    .row = row,
};
