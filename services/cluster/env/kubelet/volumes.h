/* volumes - what a pod's volumes are on its node, and where its containers see them.
 *
 * All of it is on tmpfs of limited size, one for each volume, so that a pod which fills a volume
 * fills that one only:
 *
 *     <work_dir>/pods/<uid>/            files from the API, termination messages (16 MiB)
 *     <work_dir>/pods/<uid>/<volume>    an emptyDir, as large as its limit, at most 1 GiB
 *     <work_dir>/claims/<volume>        a provisioned volume, as large as its capacity, likewise
 *     <work_dir>/nodes/<node>/          a node's own files, for hostPath */
#ifndef CLUSTER_ENV_KUBELET_VOLUMES_H
#define CLUSTER_ENV_KUBELET_VOLUMES_H

#include "base/err.h"
#include "services/cluster/env/auth/tokens.h"
#include "services/cluster/env/kubelet/downward.h"
#include "services/cluster/runtime/rootfs.h"

typedef struct volumes_subject {
    const char *work_dir;
    downward_t pod;
    tokens_t *tokens; /* of ServiceAccounts */
} volumes_subject_t;

/* Once for an environment. */
int volumes_begin(const char *work_dir, err_t *err);

/* Makes the volumes of a pod. Fails with the words of a FailedMount event; may be tried again. */
int volumes_prepare(const volumes_subject_t *subject, err_t *err);

/* Brings files that come from the API up to date, as far as their sources are there. */
void volumes_refresh(const volumes_subject_t *subject);

/* Lets go of what is the pod's alone. */
void volumes_remove(const volumes_subject_t *subject);

/* A provisioned volume is gone from the API: removes its data. */
void volumes_forget_claim(const char *work_dir, const char *volume);

/* Why the pod must be evicted, in the kubelet's words, for free(); NULL if it keeps to the limits
 * of its emptyDirs. */
char *volumes_excess(const volumes_subject_t *subject);
/* Whether there are such limits. */
bool volumes_have_limits(const json_t *pod);

/* The file that a container's termination message goes to, for free(). */
char *volumes_message_file(const volumes_subject_t *subject, const char *container);

/* The mounts of a container, for volumes_free_mounts(): its bundle (or NULL) at /app, its volumes,
 * its termination message. expand turns $(NAME) of a subPathExpr into new memory. */
typedef char *(volumes_expand_fn)(void *arg, const char *text);
rootfs_mount_t *volumes_mounts(const volumes_subject_t *subject, const json_t *container,
    const char *bundle, volumes_expand_fn *expand, void *arg, size_t *count_p);
void volumes_free_mounts(rootfs_mount_t *mounts, size_t count);

#endif
