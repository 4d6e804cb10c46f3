/* node_reply - from the kubelet's answers to the API's. */
#ifndef CLUSTER_ENV_API_NODE_REPLY_H
#define CLUSTER_ENV_API_NODE_REPLY_H

#include "services/cluster/env/api/node_ops.h"
#include "services/cluster/env/api/request.h"

/* An answer that is sent whole, or as it comes when is_streamed. */
node_reply_t *node_reply_new(request_t *request, bool is_streamed);

#endif
