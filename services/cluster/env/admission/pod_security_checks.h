/* pod_security_checks - what the Pod Security Standards forbid. */
#ifndef CLUSTER_ENV_ADMISSION_POD_SECURITY_CHECKS_H
#define CLUSTER_ENV_ADMISSION_POD_SECURITY_CHECKS_H

#include <jansson.h>
#include <stdbool.h>

typedef enum { LEVEL_PRIVILEGED, LEVEL_BASELINE, LEVEL_RESTRICTED } security_level_t;

/* A level as it was in a minor version of Kubernetes 1. */
typedef struct security_policy {
    security_level_t level;
    int minor; /* INT_MAX: the latest */
} security_policy_t;

/* What is forbidden of a pod or pod template: "host namespaces (hostNetwork=true), …", or without
 * the details in parentheses; for free(), or NULL if nothing is. */
char *pod_security_violations(security_policy_t policy, const json_t *pod, bool has_details);

#endif
