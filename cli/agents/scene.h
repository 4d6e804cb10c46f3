/* scene - what the heuristic agent has seen of the application so far, put in order.
 *
 * Each function reads one observation, as text that kubectl, a log or the agent's shell gave, and
 * adds what it says; text that is none of these adds nothing. */
#ifndef CLI_AGENTS_SCENE_H
#define CLI_AGENTS_SCENE_H

#include <stdbool.h>
#include <stddef.h>

enum { SCENE_WORKLOADS_MAX = 128, SCENE_TEXT = 128 };

/* A Deployment with its pods. */
typedef struct workload {
    char name[SCENE_TEXT];
    char image[SCENE_TEXT];
    char former_image[SCENE_TEXT]; /* of the revision before; "": there is none */
    int replicas;                  /* wanted */
    int revision;
    int former_revision;
    int pods;
    int failing_pods; /* not ready, or in a state that says so */
    int restarts;
    char state[SCENE_TEXT];  /* of a failing pod */
    int own_errors;          /* lines of its log that speak of errors */
    int own_denials;         /* …of being refused for want of rights */
    int named;               /* lines of errors, also of others', that name it last */
    int failed_spans;        /* of calls to it */
    double failed_calls;     /* to it, as a caller counted them */
    double own_failed_calls; /* of its own to others */
} workload_t;

typedef struct scene {
    workload_t workloads[SCENE_WORKLOADS_MAX];
    size_t count;
} scene_t;

/* NULL if there is none of this name. */
workload_t *scene_find(scene_t *self, const char *name, size_t length);

/* Lines "kind|name|owner|revision|replicas|image", one a Deployment or ReplicaSet. Deployments are
 * the workloads, ReplicaSets tell which images they had before. */
void scene_read_workloads(scene_t *self, const char *text);

/* The table of `kubectl get pods`; what was read of pods before is forgotten. */
void scene_read_pods(scene_t *self, const char *text);

/* Lines "[pod/NAME/CONTAINER] …" of `kubectl logs --prefix`; what was read of logs before is
 * forgotten. */
void scene_read_logs(scene_t *self, const char *text);

/* Lines "count target", where target is what a failed span called or was: "/geo.Geo/Nearby" or
 * "geo". */
void scene_read_spans(scene_t *self, const char *text);

/* The table of read_metrics for a counter of errors whose name tells the peer they came of, such as
 * "downstream_errors_total.peer=geo.reason=unavailable". */
void scene_read_errors(scene_t *self, const char *text);

/* The image that all others with an image of the same maker agree on; NULL if this one's is that,
 * or if there are too few others to tell. */
const char *scene_sibling_image(const scene_t *self, const workload_t *workload);

#endif
