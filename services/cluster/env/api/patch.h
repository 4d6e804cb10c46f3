/* patch - the three ways in which a client says what to change of an object. */
#ifndef CLUSTER_ENV_API_PATCH_H
#define CLUSTER_ENV_API_PATCH_H

#include "base/err.h"

#include <jansson.h>

/* Each returns a new tree and leaves its arguments alone; NULL and err if the patch cannot be
 * applied. */

/* RFC 7386: null removes. Cannot fail. */
json_t *patch_merge(const json_t *document, const json_t *patch);

/* RFC 6902: a list of operations. */
json_t *patch_json(const json_t *document, const json_t *operations, err_t *err);

/* Kubernetes' strategic merge: lists are merged by the keys of the type's fields, with the
 * directives $patch, $retainKeys, $setElementOrder/… and $deleteFromPrimitiveList/…. */
json_t *patch_strategic(const json_t *document, const json_t *patch, const char *type, err_t *err);

#endif
