/* cluster_world - a store with controllers in virtual time, three nodes, and a kubelet of a few
 * lines: it makes every pod on a node ready, but those of image "broken", ends those of "completes"
 * and "fails", and takes away those that are deleted. */
#ifndef TESTS_SUPPORT_CLUSTER_WORLD_H
#define TESTS_SUPPORT_CLUSTER_WORLD_H

#include "services/cluster/env/controllers/controllers.h"
#include "services/cluster/env/store.h"

typedef struct cluster_world {
    ev_t *ev;
    store_t *store;
    controllers_t *controllers;
    store_watch_t *kubelet;
    int addresses; /* given to pods until now */
    usage_t *usage;
    int64_t cpu_millis; /* what every container uses now */
    int64_t used_since; /* by ev_now() */
    uint64_t cpu_ns;    /* what it used before */
} cluster_world_t;

/* Holds namespaces default and shop, and nodes n1, n2, n3 with 4 cpu, 8Gi and 110 pods each. */
cluster_world_t *cluster_world_new(void);
void cluster_world_destroy(cluster_world_t **self_p);

/* Every container uses so much of a cpu from now on, and 64Mi of memory. */
void cluster_world_use_cpu(cluster_world_t *self, int64_t millis);

/* Lets everything happen that is to happen within span_ms. */
void cluster_world_run(cluster_world_t *self, int64_t span_ms);

/* Creates an object in shop from JSON with ' for ". */
void cluster_world_create(cluster_world_t *self, const char *kind, const char *text);

/* Merges JSON with ' for " into an object of shop (objects only, members of objects). */
void cluster_world_change(
    cluster_world_t *self, const char *kind, const char *name, const char *text);

/* An object of shop, borrowed, or NULL. */
json_t *cluster_world_get(cluster_world_t *self, const char *kind, const char *name);

size_t cluster_world_count(cluster_world_t *self, const char *kind, const char *namespace);

/* How many events of shop have this reason, and this message if it is not NULL. */
size_t cluster_world_events(cluster_world_t *self, const char *reason, const char *message);

/* The i-th object of a kind in shop, borrowed, or NULL. */
json_t *cluster_world_nth(cluster_world_t *self, const char *kind, size_t i);

/* A deployment of image with so many replicas, label app=NAME; more is further spec as JSON members
 * with ' for ", beginning with a comma, or "". */
void cluster_world_deploy(
    cluster_world_t *self, const char *name, const char *image, int replicas, const char *more);

#endif
