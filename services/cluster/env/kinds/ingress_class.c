/* IngressClass. */
#include "services/cluster/env/object.h"

#include "services/cluster/env/kinds/cells.h"
#include "services/cluster/env/kinds/checks.h"
#include "services/cluster/env/kinds/kinds.h"

static void validate(const json_t *object, const json_t *old, causes_t *causes)
{
    const json_t *controller = object_at(object, "spec.controller");
    check_metadata(causes, object, NAME_SUBDOMAIN);
    if (!*object_string(object, "spec.controller"))
        causes_required(causes, "spec.controller", NULL);
    if (old && !json_equal(controller, object_at(old, "spec.controller")))
        causes_invalid(causes, "spec.controller", controller, "field is immutable");
}

static void row(const json_t *object, time_t now, json_t *cells)
{
    const json_t *parameters = object_at(object, "spec.parameters");
    const char *group = object_string(parameters, "apiGroup");
    cells_string(cells, object_name(object));
    cells_at(cells, object, "spec.controller", "");
    if (parameters)
        cells_format(cells, "%s%s%s/%s", object_string(parameters, "kind"), *group ? "." : "",
            group, object_string(parameters, "name"));
    else
        cells_string(cells, "<none>");
    cells_age(cells, object, now);
}

static const kind_column_t columns[] = {
    COLUMN_NAME, COLUMN("Controller"), COLUMN("Parameters"), COLUMN_AGE, {0}};

const kind_t kind_ingress_class = {
    .name = "IngressClass",
    .group = "networking.k8s.io",
    .version = "v1",
    .plural = "ingressclasses",
    .singular = "ingressclass",
    .type = "networking/v1.IngressClass",
    .has_generation = true,
    .columns = columns,
    .validate = validate,
    .row = row,
};
