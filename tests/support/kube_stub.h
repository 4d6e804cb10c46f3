/* kube_stub - an API server that knows one Deployment and its one pod; for what speaks Kubernetes
 * and needs no cluster. Namespace "shop", Deployment and label "geo". Runs in the test's loop. */
#ifndef TESTS_SUPPORT_KUBE_STUB_H
#define TESTS_SUPPORT_KUBE_STUB_H

#include "tests/support/http_stub.h"

typedef struct kube_stub {
    http_stub_t *http;
    char image[128];       /* of the Deployment; and of its pod, unless is_stuck */
    bool is_stuck;         /* the pod keeps its old image */
    bool is_deleted;       /* there is no Deployment */
    bool is_write_refused; /* with 500 */
    bool is_unready;       /* the Deployment's replica is not available */
    bool is_pod_kept;      /* deleting the pod has no effect */
    int replicas;
    int version;     /* of everything */
    int writes;      /* of the Deployment */
    int gets;        /* of the Deployment */
    int pod_serial;  /* the pod's name is geo-abc-SERIAL; deleting it makes another */
    bool is_mute;    /* what runs in the pods answers with 503 */
    char answer[64]; /* of what runs in the pods, by the proxy */
    bool has_config; /* there is a ConfigMap "settings" */
} kube_stub_t;

kube_stub_t *kube_stub_new(ev_t *ev);
void kube_stub_destroy(kube_stub_t **self_p);

/* Lets watchers look again, after a change of the fields. */
void kube_stub_touch(kube_stub_t *self);

#endif
