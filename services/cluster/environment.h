/* environment - one environment as the cluster service sees it: from asked for to gone. */
#ifndef CLUSTER_ENVIRONMENT_H
#define CLUSTER_ENVIRONMENT_H

#include "base/err.h"
#include "base/ev.h"
#include "bus/bus.h"
#include "proto/messages.h"
#include "services/cluster/certificates.h"

typedef enum {
    ENVIRONMENT_CREATING,
    ENVIRONMENT_READY,
    ENVIRONMENT_DELETING,
    ENVIRONMENT_GONE,
    ENVIRONMENT_FAILED
} environment_state_t;

/* What environments share; all borrowed. */
typedef struct environment_context {
    ev_t *ev;
    const char *node;    /* the instance of this service */
    const char *program; /* aiopslab-env */
    const char *run_dir;
    const char *data_dir;
    const char *bundles;
    const char *kubectl; /* or "" */
    const json_t *images;
    const certificates_t *certificates;
    int64_t ready_timeout_ms;
    int64_t backoff_ms, backoff_max_ms;
} environment_context_t;

typedef struct environment environment_t;

/* Told at every change of state; GONE and FAILED are final, and the environment may be destroyed
 * in the call. */
typedef void(environment_fn)(void *arg, environment_t *self);

/* One that is being created, but not started yet. */
environment_t *environment_new(const environment_context_t *context, const char *id,
    const env_create_t *wanted, environment_fn *on_change, void *arg);

/* Starts it; on_change tells how that went. */
void environment_start(environment_t *self);

/* Ends it at once, if it still runs, without a word. */
void environment_destroy(environment_t **self_p);

/* Ends it; on_change tells when it is gone. */
void environment_delete(environment_t *self);

const char *environment_id(const environment_t *self);
environment_state_t environment_state(const environment_t *self);

/* All there is to say; with_secrets: address and tokens too. Borrowed until the next change. */
void environment_info(const environment_t *self, bool with_secrets, env_info_t *info);

/* For env.listing; new reference. */
json_t *environment_summary(const environment_t *self);

/* Passes a request for the agent's sandbox on; takes it, and answers it later. */
void environment_forward(
    environment_t *self, bus_request_t **request_p, const codec_type_t *type, const void *message);

#endif
