/* volume_place - where volumes lie. Private to volumes*.c. */
#ifndef CLUSTER_ENV_KUBELET_VOLUME_PLACE_H
#define CLUSTER_ENV_KUBELET_VOLUME_PLACE_H

#include "services/cluster/env/kubelet/volumes.h"

/* Whether a folder is the root of a mount. */
bool place_is_mounted(const char *path);

/* Makes path and mounts a tmpfs of so many bytes there, unless one is mounted already. */
int place_mount(const char *path, int64_t bytes, const char *more, err_t *err);

/* Where a volume of a pod is: a trusted folder and, or NULL, the part of it, both for free(). */
typedef struct place {
    char *source;
    char *sub_path;
    bool is_read_only;
} place_t;

void place_init(place_t *self, const volumes_subject_t *subject, const json_t *volume);
void place_done(place_t *self);

/* Makes a claim's or a node's folder ready for use. */
int place_prepare_claim(const volumes_subject_t *subject, const json_t *volume, err_t *err);
int place_prepare_host_path(const volumes_subject_t *subject, const json_t *volume, err_t *err);

/* The group of a pod's volumes, or 0. */
gid_t place_group(const json_t *pod);

/* Gives all below a folder to a group, to read and write; links are not followed. */
void place_give(const char *path, gid_t gid);

/* volume_files.c: writes the files of a volume from the API; is_refresh: those that are there. */
bool volume_has_files(const json_t *volume);
int volume_write_files(const volumes_subject_t *subject, const json_t *volume, err_t *err);

#endif
