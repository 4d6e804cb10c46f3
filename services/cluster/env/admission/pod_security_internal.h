/* pod_security_internal - what the checks of the Pod Security Standards share. */
#ifndef CLUSTER_ENV_ADMISSION_POD_SECURITY_INTERNAL_H
#define CLUSTER_ENV_ADMISSION_POD_SECURITY_INTERNAL_H

#include <jansson.h>

/* The result of one check of a pod or template, for policies of a minor version. */
typedef struct finding {
    const char *reason; /* static; NULL: nothing is wrong */
    char *detail;       /* owned */
} finding_t;

/* "a", "b" of an array of strings, with quotes; for free(). */
char *names_quoted(const json_t *names);
/* The same of a set: an object whose keys are its members. */
char *set_quoted(const json_t *set);
void set_put(json_t *set, const char *member);
/* "" for one, "s" for any other number. */
const char *plural_of(const json_t *names);

/* In security_contexts.c. */
finding_t check_escalation(const json_t *pod, int minor);
finding_t check_privileged(const json_t *pod, int minor);
finding_t check_capabilities_baseline(const json_t *pod, int minor);
finding_t check_capabilities_restricted(const json_t *pod, int minor);
finding_t check_proc_mount(const json_t *pod, int minor);
finding_t check_non_root(const json_t *pod, int minor);
finding_t check_user(const json_t *pod, int minor);
finding_t check_seccomp_baseline(const json_t *pod, int minor);
finding_t check_seccomp_restricted(const json_t *pod, int minor);
finding_t check_app_armor(const json_t *pod, int minor);
finding_t check_se_linux(const json_t *pod, int minor);

#endif
