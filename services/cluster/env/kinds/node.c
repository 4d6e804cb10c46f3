/* Node. */
#include "services/cluster/env/object.h"

#include "services/cluster/env/kinds/cells.h"
#include "services/cluster/env/kinds/checks.h"
#include "services/cluster/env/kinds/defaults.h"
#include "services/cluster/env/kinds/kinds.h"

#include "base/auto.h"
#include "base/mem.h"

static void fill(store_t *store, json_t *object, const json_t *old)
{
    (void)store;
    (void)old;
    default_object(object, "spec");
}

static void validate(const json_t *object, const json_t *old, causes_t *causes)
{
    (void)old;
    check_metadata(causes, object, NAME_SUBDOMAIN);
}

static void add_status(json_t *cells, const json_t *object)
{
    const char *ready = object_string(object_condition(object, "Ready"), "status");
    const char *text = !*ready ? "Unknown" : !strcmp(ready, "True") ? "Ready" : "NotReady";
    bool is_cordoned = object_is_true(object, "spec.unschedulable");
    cells_format(cells, "%s%s", text, is_cordoned ? ",SchedulingDisabled" : "");
}

/* The names after node-role.kubernetes.io/ of the labels. */
static void add_roles(json_t *cells, const json_t *object)
{
    static const char prefix[] = "node-role.kubernetes.io/";
    const char *key;
    json_t *value;
    AUTO_FREE char *roles = xstrdup("");
    json_object_foreach(object_at(object, "metadata.labels"), key, value)
    {
        if (strncmp(key, prefix, sizeof(prefix) - 1) != 0 || !key[sizeof(prefix) - 1])
            continue;
        char *longer = xasprintf("%s%s%s", roles, *roles ? "," : "", key + sizeof(prefix) - 1);
        free(roles);
        roles = longer;
    }
    cells_string(cells, *roles ? roles : "<none>");
}

static void add_address(json_t *cells, const json_t *object, const char *type)
{
    size_t i;
    json_t *address;
    json_array_foreach(object_at(object, "status.addresses"), i, address)
    {
        if (!strcmp(object_string(address, "type"), type)) {
            cells_at(cells, address, "address", "<none>");
            return;
        }
    }
    cells_string(cells, "<none>");
}

static void row(const json_t *object, time_t now, json_t *cells)
{
    cells_string(cells, object_name(object));
    add_status(cells, object);
    add_roles(cells, object);
    cells_age(cells, object, now);
    cells_at(cells, object, "status.nodeInfo.kubeletVersion", "");
    add_address(cells, object, "InternalIP");
    add_address(cells, object, "ExternalIP");
    cells_at(cells, object, "status.nodeInfo.osImage", "<unknown>");
    cells_at(cells, object, "status.nodeInfo.kernelVersion", "<unknown>");
    cells_at(cells, object, "status.nodeInfo.containerRuntimeVersion", "<unknown>");
}

static const char *const short_names[] = {"no", NULL};
static const char *const fields[] = {"spec.unschedulable", NULL};
static const kind_column_t columns[] = {COLUMN_NAME, COLUMN("Status"), COLUMN("Roles"), COLUMN_AGE,
    COLUMN("Version"), COLUMN_WIDE("Internal-IP"), COLUMN_WIDE("External-IP"),
    COLUMN_WIDE("OS-Image"), COLUMN_WIDE("Kernel-Version"), COLUMN_WIDE("Container-Runtime"), {0}};

const kind_t kind_node = {
    .name = "Node",
    .group = "",
    .version = "v1",
    .plural = "nodes",
    .singular = "node",
    .type = "core/v1.Node",
    .short_names = short_names,
    .fields = fields,
    .has_status = true,
    .columns = columns,
    .fill = fill,
    .validate = validate,
    .row = row,
};
