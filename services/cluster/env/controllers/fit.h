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

/* A node with the pods on it and what they ask for. */
typedef struct node_info {
    const json_t *node; /* borrowed */
    json_t *pods;
    demand_t used;
    json_t *ports; /* host ports in use: "8080/TCP" → true */
} node_info_t;

/* Whether a toleration is one of a taint, whatever its time. */
bool fit_tolerates(const json_t *toleration, const json_t *taint);

void node_info_init(node_info_t *self, const json_t *node);
void node_info_done(node_info_t *self);

demand_t demand_of(const json_t *pod);

/* Adds a pod, and what it asks for to what is used. */
void node_info_add(node_info_t *self, json_t *pod);

/* Whether the pod's selector and node affinity pick a node. */
bool fit_is_picked(const json_t *node, const json_t *pod);

/* The weights of the preferred node affinity that a node meets, less its taints that only ask. */
int64_t fit_preference(const json_t *node, const json_t *pod);

/* Whether a daemon that is meant for this node runs on it, and whether one that is there may stay:
 * by its taints and labels alone. */
void fit_daemon(const json_t *node, const json_t *pod, bool *should_run_p, bool *may_stay_p);

/* Adds the reasons against the node to reasons, an object that counts them; none if it fits.
 * *is_final is set if no eviction could help. */
bool fit_check(const node_info_t *self, const json_t *pod, json_t *reasons, bool *is_final);

#endif
