/* status - errors as a real API server says them: Status objects with reason, message, details. */
#ifndef CLUSTER_ENV_API_STATUS_H
#define CLUSTER_ENV_API_STATUS_H

#include "services/cluster/env/api/request.h"
#include "services/cluster/env/causes.h"
#include "services/cluster/env/kind.h"

/* A Status object of a failure; details (taken) may be NULL. */
json_t *status_new(int code, const char *reason, const char *message, json_t *details);

/* {"name", "group", "kind"} of details; kind is the plural as in most errors. */
json_t *status_details(const kind_t *kind, const char *name);

void reply_status(request_t *self, int code, const char *reason, json_t *details,
    const char *format, ...) __attribute__((format(printf, 5, 6)));

/* 400 BadRequest. */
void reply_bad_request(request_t *self, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* 404 for an object that is not there. */
void reply_not_found(request_t *self, const kind_t *kind, const char *name);

/* 422 with the causes of a failed validation. */
void reply_invalid(request_t *self, const kind_t *kind, const char *name, const causes_t *causes);

/* What the store's error code means; its text is the message. */
void reply_store_error(request_t *self, const kind_t *kind, const char *name, const err_t *err);

/* 405. */
void reply_not_allowed(request_t *self);

#endif
