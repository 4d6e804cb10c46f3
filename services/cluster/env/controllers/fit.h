/* fit - whether a pod fits a node, and if not, why: the scheduler's filters. */
#ifndef CLUSTER_ENV_CONTROLLERS_FIT_H
#define CLUSTER_ENV_CONTROLLERS_FIT_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

enum { FIT_REASON_SIZE = 160 };

/* What pods ask for, in thousandths. */
typedef struct demand {
    int64_t cpu;
    int64_t memory;
    int64_t pods;
} demand_t;

/* A node with what the pods on it ask for. */
typedef struct node_info {
    const json_t *node; /* borrowed */
    demand_t used;
    json_t *ports; /* host ports in use: "8080/TCP" → true */
} node_info_t;

/* Whether a toleration is one of a taint, whatever its time. */
bool fit_tolerates(const json_t *toleration, const json_t *taint);

demand_t demand_of(const json_t *pod);

/* Adds a pod to what is used. */
void node_info_add(node_info_t *self, const json_t *pod);

/* Whether a daemon that is meant for this node runs on it, and whether one that is there may stay:
 * by its taints and labels alone. */
void fit_daemon(const json_t *node, const json_t *pod, bool *should_run_p, bool *may_stay_p);

/* Adds the reasons against the node to reasons, an object that counts them; none if it fits.
 * *is_final is set if no eviction could help. */
bool fit_check(const node_info_t *self, const json_t *pod, json_t *reasons, bool *is_final);

#endif
