/* Event. */
#include "services/cluster/env/object.h"

#include "services/cluster/env/kinds/cells.h"
#include "services/cluster/env/kinds/checks.h"
#include "services/cluster/env/kinds/kinds.h"

#include "base/auto.h"
#include "base/mem.h"

#include <ctype.h>

static void validate(const json_t *object, const json_t *old, causes_t *causes)
{
    const char *namespace = object_string(object, "involvedObject.namespace");
    (void)old;
    check_metadata(causes, object, NAME_SUBDOMAIN);
    if (*namespace && strcmp(namespace, object_namespace(object)) != 0)
        causes_invalid(causes, "involvedObject.namespace",
            object_at(object, "involvedObject.namespace"), "does not match event.namespace");
}

static void add_object(json_t *cells, const json_t *object)
{
    AUTO_FREE char *kind = xstrdup(object_string(object, "involvedObject.kind"));
    const char *name = object_string(object, "involvedObject.name");
    for (char *c = kind; *c; c++)
        *c = (char)tolower((unsigned char)*c);
    cells_format(cells, "%s%s%s", kind, *name ? "/" : "", name);
}

static void add_source(json_t *cells, const json_t *object)
{
    const char *component = object_string(object, "source.component");
    const char *host = object_string(object, "source.host");
    if (!*component)
        component = object_string(object, "reportingComponent");
    if (!*host)
        host = object_string(object, "reportingInstance");
    cells_format(cells, "%s%s%s", component, *host ? ", " : "", host);
}

static const char *first_time(const json_t *object)
{
    const char *first = object_string(object, "firstTimestamp");
    return *first ? first : object_string(object, "eventTime");
}

static const char *last_time(const json_t *object)
{
    const char *last = object_string(object, "series.lastObservedTime");
    if (!*last)
        last = object_string(object, "lastTimestamp");
    return *last ? last : first_time(object);
}

static void row(const json_t *object, time_t now, json_t *cells)
{
    int64_t count = object_integer(object, "count", 1);
    cells_since(cells, last_time(object), now);
    cells_at(cells, object, "type", "");
    cells_at(cells, object, "reason", "");
    add_object(cells, object);
    cells_at(cells, object, "involvedObject.fieldPath", "");
    add_source(cells, object);
    cells_at(cells, object, "message", "");
    cells_since(cells, first_time(object), now);
    cells_integer(cells, object_integer(object, "series.count", count ? count : 1));
    cells_string(cells, object_name(object));
}

static const char *const short_names[] = {"ev", NULL};
static const char *const fields[] = {"involvedObject.kind", "involvedObject.namespace",
    "involvedObject.name", "involvedObject.uid", "involvedObject.apiVersion",
    "involvedObject.resourceVersion", "involvedObject.fieldPath", "reason", "reportingComponent",
    "type", NULL};
static const kind_column_t columns[] = {COLUMN("Last Seen"), COLUMN("Type"), COLUMN("Reason"),
    COLUMN("Object"), COLUMN_WIDE("Subobject"), COLUMN_WIDE("Source"), COLUMN("Message"),
    COLUMN_WIDE("First Seen"), COLUMN_WIDE("Count"), {"Name", "string", "name", 1}, {0}};

const kind_t kind_event = {
    .name = "Event",
    .group = "",
    .version = "v1",
    .plural = "events",
    .singular = "event",
    .type = "core/v1.Event",
    .short_names = short_names,
    .fields = fields,
    .is_namespaced = true,
    .columns = columns,
    .validate = validate,
    .row = row,
};
