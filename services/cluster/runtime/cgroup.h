/* cgroup - limits and accounts of containers, where the machine lets us have them.
 *
 * Version 1 (cpu, cpuacct, memory, pids below our own folder of each hierarchy) and version 2.
 * Where none can be had (an ordinary user without delegation), limits fall to rlimits and accounts
 * to /proc, and features say so. */
#ifndef CLUSTER_RUNTIME_CGROUP_H
#define CLUSTER_RUNTIME_CGROUP_H

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum { CGROUP_NONE, CGROUP_V1, CGROUP_V2 } cgroup_version_t;

/* The folder of one environment in every hierarchy. */
typedef struct cgroups {
    cgroup_version_t version;
    char *folders[4]; /* of cpu, cpuacct, memory, pids; version 2 has only the first */
} cgroups_t;

/* Looks for what may be used and makes the environment's folders, whose name nobody else on the
 * machine may have. Never fails: version says what there is. */
void cgroups_init(cgroups_t *self, const char *name);
void cgroups_done(cgroups_t *self);

/* One container's. */
typedef struct cgroup {
    const cgroups_t *all; /* borrowed */
    char *name;
    int enter_fds[4]; /* for spawn */
    size_t enter_count;
    uint64_t oom_before; /* kills counted before the container began */
} cgroup_t;

typedef struct cgroup_limits {
    int64_t cpu_millis;         /* 1000 is one processor; 0: no limit */
    int64_t cpu_request_millis; /* its share of a busy machine */
    int64_t memory_bytes;       /* 0: no limit */
    int64_t pids;               /* 0: no limit */
} cgroup_limits_t;

typedef struct cgroup_usage {
    uint64_t cpu_ns, cpu_user_ns, cpu_system_ns;
    uint64_t periods, throttled_periods, throttled_ns;
    uint64_t memory_bytes, rss_bytes, cache_bytes, mapped_bytes, working_set_bytes;
    uint64_t pids;
} cgroup_usage_t;

/* Makes it and opens the ways in; with version NONE both are empty. */
int cgroup_init(cgroup_t *self, const cgroups_t *all, const char *name,
    const cgroup_limits_t *limits, err_t *err);
/* Removes it; the processes in it must have ended. */
void cgroup_done(cgroup_t *self);

/* False when there is no cgroup to ask. */
bool cgroup_read(const cgroup_t *self, cgroup_usage_t *usage);

/* Whether the kernel killed a process of it for want of memory. */
bool cgroup_was_oom(const cgroup_t *self);

#endif
