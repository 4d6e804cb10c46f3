/* leftovers - what an ended environment does not take with it: its cgroups and its folder. */
#ifndef CLUSTER_LEFTOVERS_H
#define CLUSTER_LEFTOVERS_H

/* The name of an environment's cgroups, which no other system on the machine uses: other systems
 * have other folders. The folder must be there. The name is the caller's. */
char *leftovers_cgroup(const char *env, const char *work_dir);

/* Removes both, as far as they are there, whatever still dies in the cgroups. NULL: none was made.
 */
void leftovers_sweep(const char *cgroup, const char *work_dir);

#endif
