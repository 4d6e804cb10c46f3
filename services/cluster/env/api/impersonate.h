/* impersonate - to be seen as somebody else, as kubectl --as asks for. */
#ifndef CLUSTER_ENV_API_IMPERSONATE_H
#define CLUSTER_ENV_API_IMPERSONATE_H

#include "services/cluster/env/api/api_internal.h"

/* Notes an Impersonate- header: {"user": …, "uid": …, "groups": […], "extra": {…}}; another header
 * is no matter. */
void impersonation_add(json_t **impersonation_p, const char *header, const char *value);

/* Makes request->user whom the headers name, if each part of that is allowed; false if the request
 * was answered. Without such headers nothing happens. */
bool impersonate(api_t *self, request_t *request);

#endif
