/* payload - the files of a volume whose content comes from the API: configMap, secret, downwardAPI,
 * projected.
 *
 * They are put in place all at once, as the real kubelet does it: names are links by way of
 * "..data", which is replaced by renaming. */
#ifndef CLUSTER_ENV_KUBELET_PAYLOAD_H
#define CLUSTER_ENV_KUBELET_PAYLOAD_H

#include "base/err.h"

#include <stddef.h>
#include <sys/types.h>

typedef struct payload_file {
    char *path; /* relative, such as "conf.d/a.conf" */
    char *bytes;
    size_t size;
    mode_t mode;
} payload_file_t;

/* Zeroed when empty. */
typedef struct payload {
    payload_file_t *files;
    size_t count;
} payload_t;

/* Takes bytes. A path that leads out is left out: the API server has refused it already. */
void payload_add(payload_t *self, const char *path, char *bytes, size_t size, mode_t mode);
void payload_done(payload_t *self);

/* Writes it into folder, which is ours alone; leaves all as it is when nothing has changed. With a
 * gid other than 0 the files are that group's to read. */
int payload_write(const payload_t *self, const char *folder, gid_t gid, err_t *err);

#endif
