/* cgroup_v2 - makes room for environments below our own cgroup.
 *
 * In version 2 a cgroup that gives controllers to its children holds no processes itself
 * (Documentation/admin-guide/cgroup-v2.rst, "No Internal Process Constraint"). Ours holds at least
 * this service: so all of its processes move into a leaf beside the environments' cgroups. */
#ifndef CLUSTER_CGROUP_V2_H
#define CLUSTER_CGROUP_V2_H

#include "base/err.h"

#include <string.h>

#define CGROUP_V2_LEAF "/aiopslab-services"

/* Our cgroup as it was before we moved into the leaf: takes the leaf off the end of a path. */
static inline void cgroup_v2_strip(char *path)
{
    size_t length = strlen(path);
    size_t leaf = sizeof(CGROUP_V2_LEAF) - 1;
    if (length >= leaf && strcmp(path + length - leaf, CGROUP_V2_LEAF) == 0)
        path[length - leaf] = '\0';
}

/* root is where cgroups are mounted ("/sys/fs/cgroup"), table the text of /proc/self/cgroup. Does
 * nothing where version 2 does not hold the controllers. Fails with what is in the way, such as
 * `the cgroup '/user.slice' is not ours to divide: …`: environments then have no limits. */
int cgroup_v2_prepare(const char *root, const char *table, err_t *err);

#endif
