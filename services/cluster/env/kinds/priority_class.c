/* PriorityClass. */
#include "services/cluster/env/object.h"

#include "services/cluster/env/kinds/cells.h"
#include "services/cluster/env/kinds/checks.h"
#include "services/cluster/env/kinds/defaults.h"
#include "services/cluster/env/kinds/kinds.h"

#include <string.h>

enum { USER_MAX = 1000000000 };

static void fill(store_t *store, json_t *object, const json_t *old)
{
    (void)store;
    (void)old;
    default_string(object, "preemptionPolicy", "PreemptLowerPriority");
    default_integer(object, "value", 0);
}

static void validate(const json_t *object, const json_t *old, causes_t *causes)
{
    static const char *const policies[] = {"Never", "PreemptLowerPriority", NULL};
    static const char *const fixed[] = {"value", "preemptionPolicy"};
    const char *policy = object_string(object, "preemptionPolicy");
    bool is_system = strncmp(object_name(object), "system-", 7) == 0;
    check_metadata(causes, object, NAME_SUBDOMAIN);
    if (object_integer(object, "value", 0) > USER_MAX && !is_system)
        causes_forbidden(
            causes, "value", "maximum allowed value of a user defined priority is 1000000000");
    if (strcmp(policy, policies[0]) != 0 && strcmp(policy, policies[1]) != 0)
        causes_unsupported(
            causes, "preemptionPolicy", json_object_get(object, "preemptionPolicy"), policies);
    for (size_t i = 0; old && i < 2; i++) {
        if (!json_equal(json_object_get(object, fixed[i]), json_object_get(old, fixed[i])))
            causes_forbidden(causes, fixed[i], "may not be changed in an update.");
    }
}

static void row(const json_t *object, time_t now, json_t *cells)
{
    cells_string(cells, object_name(object));
    cells_integer(cells, object_integer(object, "value", 0));
    json_array_append_new(cells, json_boolean(object_is_true(object, "globalDefault")));
    cells_age(cells, object, now);
    cells_at(cells, object, "preemptionPolicy", "");
}

static const char *const short_names[] = {"pc", NULL};
static const kind_column_t columns[] = {COLUMN_NAME, COLUMN_INTEGER("Value"),
    {"Global-Default", "boolean", "", 0}, COLUMN_AGE, COLUMN("PreemptionPolicy"), {0}};

const kind_t kind_priority_class = {
    .name = "PriorityClass",
    .group = "scheduling.k8s.io",
    .version = "v1",
    .plural = "priorityclasses",
    .singular = "priorityclass",
    .type = "scheduling/v1.PriorityClass",
    .short_names = short_names,
    .has_generation = true,
    .columns = columns,
    .fill = fill,
    .validate = validate,
    .row = row,
};
