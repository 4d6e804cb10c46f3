/* schema - reads YAML files into structs by a libcyaml schema, with errors that say where.
 *
 * libcyaml alone names the place before the mistake, and not what would have been right; so the
 * document is first held against the schema here, node by node:
 *     problems/a.yaml:7:5: 'problems[0].task': 'detektion' is not one of: detection, localization
 *
 * Schemas may use mappings, sequences, strings, integers, booleans, floats, enums and IGNORE. */
#ifndef SCHEMA_SCHEMA_H
#define SCHEMA_SCHEMA_H

#include "base/err.h"

#include <cyaml/cyaml.h>

/* Reads a file; *data_p is for schema_free(). The schema's top level is a mapping with
 * CYAML_FLAG_POINTER. Fails with ERR_IO if the file cannot be read, else with ERR_INVALID. */
int schema_load(const char *path, const cyaml_schema_value_t *schema, void **data_p, err_t *err);

void schema_free(const cyaml_schema_value_t *schema, void *data);

/* For mistakes that only the reader of the struct can see: fails with ERR_INVALID, and a sentence
 * that begins with path, line and column of the node that `node` names, such as
 * "problems[2].expected" ("" is the whole document); of its nearest parent if it is absent. */
int schema_fail(const char *path, const char *node, err_t *err, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

#endif
