/* rpc - calls between services: JSON over HTTP/1.1 POST, at gRPC's paths ("/geo.Geo/Nearby").
 *
 * An answer of 200 holds the result; any other status holds {"code": "unavailable", "message":
 * "..."} with the names of base/err.h, so that a failure keeps its kind and its words from service
 * to service. */
#ifndef APPS_COMMON_RPC_H
#define APPS_COMMON_RPC_H

#include "apps/common/app.h"
#include "apps/common/web.h"

typedef struct rpc rpc_t;

/* A service to call, at "host:port"; nothing is connected yet. The strings are copied. */
rpc_t *rpc_new(app_t *app, const char *service, const char *address);
void rpc_destroy(rpc_t **self_p);

/* Calls method as a child of parent, takes request, and yields a new *reply_p. On failure *err
 * names this service and address and what went wrong there; the code is ERR_UNAVAILABLE if it
 * could not be reached, ERR_TIMEOUT if it was too slow, ERR_IO for nonsense, else what the service
 * answered. */
int rpc_call(rpc_t *self, const span_t *parent, const char *method, json_t *request,
    json_t **reply_p, err_t *err);

/* The handle of a web_route_t whose `call` is the work: reads, runs and answers. */
void rpc_answer(void *service, const web_request_t *request, web_reply_t *reply);

#endif
