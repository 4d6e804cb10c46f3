/* volumes - the folders that a pod's volumes are, and where its containers see them. */
#ifndef CLUSTER_ENV_KUBELET_VOLUMES_H
#define CLUSTER_ENV_KUBELET_VOLUMES_H

#include "base/err.h"
#include "services/cluster/env/store.h"
#include "services/cluster/runtime/rootfs.h"

/* Makes the volumes of a pod below folder: emptyDir, configMap, secret. Fails with the words of a
 * FailedMount event; may be tried again. */
int volumes_prepare(store_t *store, const json_t *pod, const char *folder, err_t *err);

/* Removes them with all they hold. */
void volumes_remove(const char *folder);

/* The mounts of a container, for volumes_free_mounts(): its bundle (or NULL) at /app, then its
 * volumes. */
rootfs_mount_t *volumes_mounts(
    const json_t *container, const char *folder, const char *bundle, size_t *count_p);
void volumes_free_mounts(rootfs_mount_t *mounts, size_t count);

#endif
