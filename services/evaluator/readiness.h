/* readiness - watches whether an application runs in full: every Deployment that counts wants
 * replicas and has them, and every pod of the namespace is Ready, done, or on its way out. */
#ifndef EVALUATOR_READINESS_H
#define EVALUATOR_READINESS_H

#include "kube/kube.h"

typedef struct readiness readiness_t;

/* unready: what is not ready, {"deployment/geo": "is scaled to zero", …}; borrowed. is_hopeless:
 * some of it will not become ready by itself, being deleted or scaled to zero. */
typedef void(readiness_fn)(void *arg, const json_t *unready, bool is_hopeless);

/* Calls on_look at first and after every change. kube is borrowed; deployments, an array of names,
 * is kept. */
readiness_t *readiness_new(
    kube_t *kube, const char *namespace, json_t *deployments, readiness_fn *on_look, void *arg);
void readiness_destroy(readiness_t **self_p);

/* Calls on_look with what is known now, if all is known. */
void readiness_look(readiness_t *self);

/* The names of the Deployments' pods: a new array. */
json_t *readiness_pods_of(const readiness_t *self, const json_t *deployments);

/* Whether there is a pod of that name. */
bool readiness_has_pod(const readiness_t *self, const char *name);

#endif
