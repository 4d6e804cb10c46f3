/* grpc_check - asks a server once whether a service of it is healthy, by gRPC. */
#ifndef CLUSTER_ENV_KUBELET_GRPC_CHECK_H
#define CLUSTER_ENV_KUBELET_GRPC_CHECK_H

#include "base/ev.h"

#include <stdbool.h>

typedef struct grpc_check grpc_check_t;

/* reason says why not, in the kubelet's words. Called once; the check may be destroyed from within.
 */
typedef void(grpc_check_fn)(void *arg, bool is_well, const char *reason);

grpc_check_t *grpc_check_new(ev_t *ev, const char *address, int port, const char *service,
    int64_t timeout_ms, grpc_check_fn *fn, void *arg);
void grpc_check_destroy(grpc_check_t **self_p);

#endif
