/* body - what a client sends: JSON, YAML that is JSON, or Kubernetes' protobuf. */
#ifndef CLUSTER_ENV_API_BODY_H
#define CLUSTER_ENV_API_BODY_H

#include "services/cluster/env/api/request.h"
#include "services/cluster/env/kind.h"

#include "base/err.h"

#include <jansson.h>

/* The request's body as a new tree; NULL and err if it is none. */
json_t *body_decode(const request_t *request, err_t *err);

/* The body as an object of a kind: apiVersion and kind as they must be, unknown fields reported as
 * fieldValidation asks and dropped, no value of a wrong type. NULL if the request was answered with
 * why not. */
json_t *body_object(request_t *request, const kind_t *kind);

/* The same for a tree that did not come as the whole body; takes object. */
json_t *body_check(request_t *request, const kind_t *kind, json_t *object);

#endif
