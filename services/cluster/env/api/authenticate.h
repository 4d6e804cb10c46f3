/* authenticate - who asks, and whether they may. */
#ifndef CLUSTER_ENV_API_AUTHENTICATE_H
#define CLUSTER_ENV_API_AUTHENTICATE_H

#include "services/cluster/env/api/api_internal.h"
#include "services/cluster/env/auth/access.h"

/* Finds out request->user, by certificate, token or as nobody in particular, then as whom the
 * request wants to be seen. False if the request was answered with 401 or 403. */
bool authenticate(api_t *self, request_t *request);

/* Whether a token is good for one of the audiences (NULL or empty: the API server), and whose it
 * is; *user_p is for user_done(). */
bool authenticate_token(api_t *self, const char *token, const json_t *audiences, user_t *user_p);

/* Whether request->user may do it; answers 403 if not. */
bool authorize(api_t *self, request_t *request, const access_t *access);

/* Answers 403. reason may be "". */
void reply_forbidden(request_t *request, const access_t *access, const char *reason);

#endif
