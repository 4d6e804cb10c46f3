/* Server-side printing: Table objects of meta.k8s.io/v1. */
#include "services/cluster/env/api/table.h"

#include "services/cluster/env/object.h"

#include <string.h>

bool table_is_wanted(const request_t *request)
{
    return request->accept && strstr(request->accept, "as=Table");
}

static json_t *columns_of(const kind_t *kind)
{
    json_t *columns = json_array();
    for (const kind_column_t *column = kind->columns; column->name; column++)
        json_array_append_new(columns,
            json_pack("{s:s, s:s, s:s, s:s, s:i}", "name", column->name, "type", column->type,
                "format", column->format, "description", "", "priority", column->priority));
    return columns;
}

json_t *table_new(const kind_t *kind, json_t *list_metadata, bool has_columns)
{
    return json_pack("{s:s, s:s, s:o, s:o, s:[]}", "kind", "Table", "apiVersion", "meta.k8s.io/v1",
        "metadata", list_metadata, "columnDefinitions",
        has_columns ? columns_of(kind) : json_null(), "rows");
}

/* Pods that have ended are marked, so that clients can hide them. */
static void add_conditions(json_t *row, const kind_t *kind, const json_t *object)
{
    const char *phase = object_string(object, "status.phase");
    if (!kind_is(kind, "Pod") || (strcmp(phase, "Succeeded") != 0 && strcmp(phase, "Failed") != 0))
        return;
    json_object_set_new(row, "conditions",
        json_pack("[{s:s, s:s, s:s, s:s}]", "type", "Completed", "status", "True", "reason", phase,
            "message", *phase == 'S' ? "The pod has completed successfully." : "The pod failed."));
}

void table_add(json_t *table, const kind_t *kind, json_t *object, const char *include)
{
    json_t *row = json_object();
    json_t *cells = json_array();
    kind_row(kind, object, time(NULL), cells);
    json_object_set_new(row, "cells", cells);
    add_conditions(row, kind, object);
    if (include && !strcmp(include, "Object"))
        json_object_set(row, "object", object);
    else if (!include || strcmp(include, "None") != 0)
        json_object_set_new(row, "object",
            json_pack("{s:s, s:s, s:O}", "kind", "PartialObjectMetadata", "apiVersion",
                "meta.k8s.io/v1", "metadata", json_object_get(object, "metadata")));
    json_array_append_new(json_object_get(table, "rows"), row);
}
