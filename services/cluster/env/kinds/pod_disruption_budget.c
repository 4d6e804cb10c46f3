/* PodDisruptionBudget. */
#include "services/cluster/env/object.h"
#include "services/cluster/env/selector.h"

#include "services/cluster/env/kinds/cells.h"
#include "services/cluster/env/kinds/checks.h"
#include "services/cluster/env/kinds/defaults.h"
#include "services/cluster/env/kinds/kinds.h"

#include <string.h>

static void fill(store_t *store, json_t *object, const json_t *old)
{
    (void)store;
    (void)old;
    default_object(object, "status");
}

static void check_amount(causes_t *causes, const json_t *object, const char *field)
{
    const json_t *amount = object_at(object, field);
    const char *text = json_string_value(amount);
    if (json_is_integer(amount) && json_integer_value(amount) < 0)
        causes_invalid(causes, field, amount, "must be greater than or equal to 0");
    if (!text)
        return;
    size_t digits = strspn(text, "0123456789");
    if (!digits || strcmp(text + digits, "%") != 0)
        causes_invalid(causes, field, amount,
            "a valid percent string must be a numeric string followed by an ending '%' (e.g. "
            "'1%',  or '93%', regex used for validation is '[0-9]+%')");
    else if (digits > 3 || strtol(text, NULL, 10) > 100)
        causes_invalid(causes, field, amount, "must not be greater than 100%");
}

static void validate(const json_t *object, const json_t *old, causes_t *causes)
{
    const json_t *minimum = object_at(object, "spec.minAvailable");
    const json_t *maximum = object_at(object, "spec.maxUnavailable");
    const json_t *selector = object_at(object, "spec.selector");
    err_t err = {0};
    (void)old;
    check_metadata(causes, object, NAME_SUBDOMAIN);
    if (minimum && maximum)
        causes_invalid_text(
            causes, "spec", "{}", "minAvailable and maxUnavailable cannot be both set");
    check_amount(causes, object, "spec.minAvailable");
    check_amount(causes, object, "spec.maxUnavailable");
    selector_t *parsed = selector ? selector_new(selector, &err) : NULL;
    if (selector && !parsed)
        causes_invalid(causes, "spec.selector", selector, err.text);
    selector_destroy(&parsed);
}

static void cells_amount(json_t *cells, const json_t *amount)
{
    if (json_is_integer(amount))
        cells_format(cells, "%lld", (long long)json_integer_value(amount));
    else
        cells_string(cells, json_is_string(amount) ? json_string_value(amount) : "N/A");
}

static void row(const json_t *object, time_t now, json_t *cells)
{
    cells_string(cells, object_name(object));
    cells_amount(cells, object_at(object, "spec.minAvailable"));
    cells_amount(cells, object_at(object, "spec.maxUnavailable"));
    cells_integer(cells, object_integer(object, "status.disruptionsAllowed", 0));
    cells_age(cells, object, now);
}

static const char *const short_names[] = {"pdb", NULL};
static const kind_column_t columns[] = {COLUMN_NAME, COLUMN("Min Available"),
    COLUMN("Max Unavailable"), COLUMN_INTEGER("Allowed Disruptions"), COLUMN_AGE, {0}};

const kind_t kind_pod_disruption_budget = {
    .name = "PodDisruptionBudget",
    .group = "policy",
    .version = "v1",
    .plural = "poddisruptionbudgets",
    .singular = "poddisruptionbudget",
    .type = "policy/v1.PodDisruptionBudget",
    .short_names = short_names,
    .is_namespaced = true,
    .has_status = true,
    .has_generation = true,
    .columns = columns,
    .fill = fill,
    .validate = validate,
    .row = row,
};
