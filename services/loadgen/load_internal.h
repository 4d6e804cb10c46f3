/* load_internal - a load's insides, for its files. */
#ifndef LOADGEN_LOAD_INTERNAL_H
#define LOADGEN_LOAD_INTERNAL_H

#include "kube/kube.h"
#include "services/loadgen/load.h"
#include "services/loadgen/pod.h"

typedef enum {
    LOAD_ASKING,   /* the cluster service, where the environment is */
    LOAD_CREATING, /* the pod */
    LOAD_STARTING, /* waiting for the first line of its log */
    LOAD_RUNNING,
    LOAD_STOPPING, /* waiting for its last line */
    LOAD_OVER,
    LOAD_STATES
} load_state_t;

enum { STOP_REQUEST_LIMIT = 8 };

struct load {
    load_context_t context;
    load_state_t state;
    char *id;
    char *env;
    char pod[POD_NAME_SIZE];
    json_t *manifest; /* NULL: the pod is there already */

    bus_request_t *start_request; /* NULL: answered */
    bus_request_t *stop_requests[STOP_REQUEST_LIMIT];
    size_t stop_count;
    int env_call;
    int env_subscription;

    kube_t *kube;
    kube_watch_t *watch;
    json_t *last_pod; /* as last seen */
    int follow;       /* 0: the log is not followed */
    int deadline;     /* timer of the present state */
    int retry;        /* timer of following again */
    int lost;         /* timer: the API server is away */
    int end_timer;

    load_report_t sum; /* of what was seen; the worker's own once is_summed */
    bool is_summed;
    char *reason; /* why it ended, unless it was asked to */
};

/* The only way to another state: ends the present deadline, starts the next one. */
void load_move(load_t *self, load_state_t state);

/* It is over: tells everybody who waits, deletes the pod. reason may be NULL; it is copied. */
void load_end(load_t *self, const char *reason, ...) __attribute__((format(printf, 2, 3)));

/* From an environment that is known to a followed log; or to its end, if somebody has asked for
 * that meanwhile. */
void load_watch_pod(load_t *self);

/* Deletes the pod, whose last line is then waited for. */
void load_stop_pod(load_t *self);

/* Lets go of the API server. Not from a callback of it. */
void load_let_go(load_t *self);

#endif
