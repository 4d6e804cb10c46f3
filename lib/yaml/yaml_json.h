/* yaml_json - YAML documents of free form as jansson trees, as Kubernetes reads manifests.
 *
 * Scalars follow the YAML 1.2 core schema (null, booleans, integers, floats; all else is a string)
 * with YAML 1.1's yes, no, on and off, as kubectl reads them; quoted ones are strings. Anchors and
 * aliases work; an alias to a collection that holds it does not. Mistakes are told with path, line
 * and column. */
#ifndef YAML_YAML_JSON_H
#define YAML_YAML_JSON_H

#include "base/err.h"

#include <jansson.h>
#include <stddef.h>

/* All documents of a text, empty ones left out, as a new array. name is what errors call it. */
int yaml_json_parse(
    const char *name, const char *text, size_t size, json_t **documents_p, err_t *err);

/* The same of a file. ERR_IO if it cannot be read, else ERR_INVALID. */
int yaml_json_load(const char *path, json_t **documents_p, err_t *err);

#endif
