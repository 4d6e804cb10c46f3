/* protobuf - Kubernetes' binary request bodies.
 *
 * kubectl since 1.32 and helm 4 send them from their typed clients, and fall back to nothing. The
 * decoder is driven by the table of fields. */
#ifndef CLUSTER_ENV_API_PROTOBUF_H
#define CLUSTER_ENV_API_PROTOBUF_H

#include "base/err.h"

#include <jansson.h>
#include <stddef.h>

/* A new tree as the same object's JSON would give it; NULL and err for anything else. */
json_t *protobuf_decode(const char *bytes, size_t size, err_t *err);

#endif
