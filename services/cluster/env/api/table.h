/* table - objects as a real server prints them. */
#ifndef CLUSTER_ENV_API_TABLE_H
#define CLUSTER_ENV_API_TABLE_H

#include "services/cluster/env/api/request.h"
#include "services/cluster/env/kind.h"

/* Whether the client wants a Table. */
bool table_is_wanted(const request_t *request);

/* A Table without rows; list_metadata is taken. */
json_t *table_new(const kind_t *kind, json_t *list_metadata, bool has_columns);

/* Appends a row. include is the includeObject parameter, or NULL. */
void table_add(json_t *table, const kind_t *kind, json_t *object, const char *include);

#endif
