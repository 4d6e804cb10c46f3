/* http_headers - what a request says of itself and of its client before its body. */
#ifndef CLUSTER_ENV_API_HTTP_HEADERS_H
#define CLUSTER_ENV_API_HTTP_HEADERS_H

#include "services/cluster/env/api/request.h"

#include <microhttpd.h>

/* Fills in the request: method, headers, credentials, and who a client certificate says it is. */
void http_headers_read(struct MHD_Connection *connection, const char *method, request_t *request);

#endif
