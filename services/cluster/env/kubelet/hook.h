/* hook - runs a postStart or preStop action once: exec, httpGet or sleep. */
#ifndef CLUSTER_ENV_KUBELET_HOOK_H
#define CLUSTER_ENV_KUBELET_HOOK_H

#include "services/cluster/env/kubelet/probe.h"

typedef struct hook hook_t;

/* Called from the loop, once; the hook may be destroyed in it. */
typedef void(hook_fn)(void *arg, bool is_well);

/* subject->spec is the action. No end is set to it but what ends the container. */
hook_t *hook_new(const probe_subject_t *subject, hook_fn *fn, void *arg);
void hook_destroy(hook_t **self_p);

#endif
