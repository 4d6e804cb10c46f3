/* variables - a container's environment variables, by name in a JSON object. Private to launch. */
#ifndef CLUSTER_ENV_KUBELET_VARIABLES_H
#define CLUSTER_ENV_KUBELET_VARIABLES_H

#include "services/cluster/env/kubelet/launch.h"

void variables_set(json_t *variables, const char *name, const char *value);

/* $(NAME) is the variable's value, $$ is $; what is unknown stays. For free(). */
char *variables_expand(const json_t *variables, const char *text);

/* Adds what envFrom and env of the container say, in their order. Fails as launch_init() does. */
int variables_collect(json_t *variables, const launch_subject_t *subject, err_t *err);

/* Adds what tells about Services: of the API server's always, of those in the pod's namespace
 * unless it has enableServiceLinks: false. */
void variables_add_services(json_t *variables, const downward_t *pod);

#endif
