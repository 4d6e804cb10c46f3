/* probe - asks a container again and again whether it is well.
 *
 * HTTP, TCP, gRPC and commands, with the thresholds, periods and delays of the real kubelet. */
#ifndef CLUSTER_ENV_KUBELET_PROBE_H
#define CLUSTER_ENV_KUBELET_PROBE_H

#include "base/ev.h"
#include "http/http.h"
#include "services/cluster/runtime/runtime.h"

#include <jansson.h>

typedef struct probe probe_t;

typedef enum { PROBE_STARTUP, PROBE_READINESS, PROBE_LIVENESS } probe_kind_t;

typedef struct probe_subject {
    ev_t *ev;
    http_t *http;
    container_t *process; /* borrowed; outlives the probe */
    const json_t *spec;   /* the probe's; borrowed */
    const json_t *ports;  /* the container's, for names of ports; borrowed */
    const char *address;  /* the pod's; borrowed */
    char *const *envp;    /* for commands; copied */
} probe_subject_t;

/* Called when enough answers in a row say something else than before (at first: nothing), and with
 * is_change false for every single failure, whose reason is for an event. */
typedef void(probe_fn)(
    void *arg, probe_kind_t kind, bool is_well, bool is_change, const char *reason);

/* For probes and hooks alike: the URL of an httpGet, for free(); the words of a command, which end
 * with NULL and are borrowed from it, in an array for free(). */
char *probe_url(const probe_subject_t *subject, const json_t *action);
char **probe_words(const json_t *command);

probe_t *probe_new(probe_kind_t kind, const probe_subject_t *subject, probe_fn *fn, void *arg);
void probe_destroy(probe_t **self_p);

#endif
