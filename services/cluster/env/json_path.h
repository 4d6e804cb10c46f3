/* json_path - the simple JSON paths of CustomResourceDefinitions: .spec.ports[0].name, .a['b.c'],
 * .status.conditions[?(@.type=="Ready")].status, .items[*].x */
#ifndef CLUSTER_ENV_JSON_PATH_H
#define CLUSTER_ENV_JSON_PATH_H

#include <jansson.h>
#include <stdbool.h>

bool json_path_is_valid(const char *path);

/* The first value that a path leads to, borrowed, or NULL. */
const json_t *json_path_first(const json_t *root, const char *path);

#endif
