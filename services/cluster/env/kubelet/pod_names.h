/* pod_names - how a pod finds others by name: its resolv.conf and its hosts file. */
#ifndef CLUSTER_ENV_KUBELET_POD_NAMES_H
#define CLUSTER_ENV_KUBELET_POD_NAMES_H

#include <jansson.h>

/* By the pod's dnsPolicy and dnsConfig; for free(). */
char *pod_names_resolv_conf(const json_t *pod);

/* Its own name, and its hostAliases; for free(). */
char *pod_names_hosts(const json_t *pod, const char *address);

#endif
