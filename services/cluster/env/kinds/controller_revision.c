/* ControllerRevision: one past or present template of a StatefulSet or DaemonSet. */
#include "services/cluster/env/object.h"

#include "services/cluster/env/kinds/cells.h"
#include "services/cluster/env/kinds/checks.h"
#include "services/cluster/env/kinds/kinds.h"

#include <ctype.h>
#include <string.h>

static void validate(const json_t *object, const json_t *old, causes_t *causes)
{
    check_metadata(causes, object, NAME_SUBDOMAIN);
    if (!json_is_object(json_object_get(object, "data")))
        causes_required(causes, "data", "data is mandatory");
    else if (old && !json_equal(json_object_get(object, "data"), json_object_get(old, "data")))
        causes_invalid_text(causes, "data", "{}", "field is immutable");
    if (object_integer(object, "revision", 0) < 0)
        causes_invalid(causes, "revision", json_object_get(object, "revision"),
            "must be greater than or equal to 0");
}

/* "statefulset.apps/db" */
static void cells_controller(json_t *cells, const json_t *object)
{
    const json_t *owner = object_controller(object);
    char kind[64] = "";
    if (!owner) {
        cells_string(cells, "<none>");
        return;
    }
    (void)snprintf(kind, sizeof(kind), "%s", object_string(owner, "kind"));
    for (char *c = kind; *c; c++)
        *c = (char)tolower((unsigned char)*c);
    const char *version = object_string(owner, "apiVersion");
    int group_length = strchr(version, '/') ? (int)strcspn(version, "/") : 0;
    cells_format(cells, "%s%s%.*s/%s", kind, group_length ? "." : "", group_length, version,
        object_string(owner, "name"));
}

static void row(const json_t *object, time_t now, json_t *cells)
{
    cells_string(cells, object_name(object));
    cells_controller(cells, object);
    cells_integer(cells, object_integer(object, "revision", 0));
    cells_age(cells, object, now);
}

static const kind_column_t columns[] = {
    COLUMN_NAME, COLUMN("Controller"), COLUMN_INTEGER("Revision"), COLUMN_AGE, {0}};

const kind_t kind_controller_revision = {
    .name = "ControllerRevision",
    .group = "apps",
    .version = "v1",
    .plural = "controllerrevisions",
    .singular = "controllerrevision",
    .type = "apps/v1.ControllerRevision",
    .is_namespaced = true,
    .columns = columns,
    .validate = validate,
    .row = row,
};
