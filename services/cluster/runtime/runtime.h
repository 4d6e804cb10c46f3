/* runtime - pods as processes: sandboxes, containers, what the machine offers them.
 *
 * One per environment, in its first process, on its loop's thread. */
#ifndef CLUSTER_RUNTIME_RUNTIME_H
#define CLUSTER_RUNTIME_RUNTIME_H

#include "base/err.h"
#include "base/ev.h"
#include "services/cluster/runtime/cgroup.h"
#include "services/cluster/runtime/netns.h"
#include "services/cluster/runtime/rootfs.h"
#include "services/cluster/runtime/spawn.h"

#include <jansson.h>
#include <netinet/in.h>
#include <sys/types.h>

typedef struct runtime runtime_t;

typedef struct runtime_config {
    const char *cgroup;   /* the name of its cgroups, which nobody else on the machine uses */
    const char *work_dir; /* an empty folder that nobody else uses */
    const json_t *hidden; /* paths; those below /usr are shown empty in containers; or NULL */
} runtime_config_t;

/* The calling process is in mount, network and pid namespaces of its own already. */
runtime_t *runtime_new(ev_t *ev, const runtime_config_t *config, err_t *err);
/* Containers and sandboxes must have been destroyed. */
void runtime_destroy(runtime_t **self_p);

/* Whether all containers run as one user, the one we are outside. */
bool runtime_has_one_user(void);

/* {"user": "root"|"user namespace", "cgroups": "v1"|"v2"|"none", "degraded": ["cpu", …]}; borrowed.
 */
const json_t *runtime_features(const runtime_t *self);

/* ---- sandbox: the network of a pod ------------------------------------------------------------
 */

typedef struct sandbox sandbox_t;

/* A network namespace with this address; name is the pod's host name. search is the list of
 * search domains; NULL: the pod asks what a node asks, which nobody answers here. */
sandbox_t *sandbox_new(
    runtime_t *runtime, const char *name, struct in_addr address, const char *search, err_t *err);
/* Its hosts file and resolv.conf (both taken), instead of those that it has from the beginning; for
 * containers that start from now on. */
void sandbox_set_names(sandbox_t *self, char *hosts, char *resolv_conf);
/* Its containers must have been destroyed. */
void sandbox_destroy(sandbox_t **self_p);

/* A non-blocking socket that connects to a port of the pod's own loopback; it is connected, or in
 * failure, once it can be written to. */
int sandbox_connect(const sandbox_t *self, int port, int *fd_p, err_t *err);

/* As the pod sees it. */
void sandbox_read_network(const sandbox_t *self, network_usage_t *usage);

/* ---- container ------------------------------------------------------------------------------- */

typedef struct container container_t;

/* The caller's ends of a process's streams, non-blocking and its to close; -1: none. With a
 * terminal in and out are two descriptors of its master. */
typedef struct streams {
    int in;
    int out;
    int err; /* -1: errors come with the output */
} streams_t;

typedef struct container_config {
    const char *name;  /* of its cgroup; unique in the environment */
    char *const *argv; /* looked up in PATH of envp */
    char *const *envp;
    const char *cwd; /* NULL: / */
    const rootfs_mount_t *mounts;
    size_t mount_count;
    cgroup_limits_t limits;
    spawn_security_t security; /* its groups are copied; no capabilities: none */
    bool is_root_read_only;
    const container_t *pids_of; /* whose processes it shares; NULL: it has its own */
    bool has_input;             /* otherwise it reads /dev/null */
    bool has_terminal;
} container_config_t;

typedef struct container_exit {
    int code;   /* 128 + signal when a signal ended it */
    int signal; /* or 0 */
    bool is_oom;
} container_exit_t;

typedef void(container_exit_fn)(void *arg, const container_exit_t *exit);

/* Starts it in a sandbox, which is borrowed. on_exit is called from the loop. ERR_NOT_FOUND: there
 * is no such program. */
container_t *container_start(sandbox_t *sandbox, const container_config_t *config,
    streams_t *streams_p, container_exit_fn *on_exit, void *arg, err_t *err);
/* Kills what still runs; on_exit is not called any more. */
void container_destroy(container_t **self_p);

bool container_is_running(const container_t *self);
/* Its first process, as this process numbers it. */
pid_t container_pid(const container_t *self);
/* To its first process. Ended containers are left alone. */
void container_kill(container_t *self, int signal);

/* False when there is nothing to read any more. Without cgroups, from /proc. */
bool container_read_usage(const container_t *self, cgroup_usage_t *usage);

/* ---- task: a command in a container whose streams are the caller's ----------------------------
 */

typedef struct task task_t;

typedef struct task_config {
    char *const *argv;
    char *const *envp;
    const char *cwd;
    bool has_input;
    bool has_terminal;                /* then errors come with the output */
    int columns, rows;                /* of the terminal; 0: not known */
    bool is_confined;                 /* as a command may be */
    const spawn_security_t *security; /* NULL: the container's */
} task_config_t;

/* Starts it beside a running container's processes. on_exit is called from the
 * loop, and the task is destroyed before. */
task_t *task_start(container_t *container, const task_config_t *config, streams_t *streams_p,
    container_exit_fn *on_exit, void *arg, err_t *err);
/* Kills it with all that it has started in its session; on_exit is not called. */
void task_destroy(task_t **self_p);

/* ---- command in a container -------------------------------------------------------------------
 */

typedef struct command command_t;

typedef struct command_config {
    char *const *argv;
    char *const *envp;
    const char *cwd;
    bool is_confined; /* a pid namespace of its own that dies with it, tight limits */
    const spawn_security_t *security; /* NULL: the container's */
    int64_t timeout_ms;
    size_t output_limit; /* bytes; the middle is cut out beyond that */
} command_config_t;

typedef struct command_result {
    const char *output; /* for the time of the callback; NUL-terminated beyond its size */
    size_t output_size;
    size_t omitted; /* bytes cut out of the middle */
    int exit_code;
    bool is_timed_out;
    int64_t duration_ms;
} command_result_t;

typedef void(command_done_fn)(void *arg, const command_result_t *result);

/* Runs a command beside a running container's processes; ends it at the timeout. The result, which
 * is destroyed after it, comes from the loop. */
command_t *command_start(container_t *container, const command_config_t *config,
    command_done_fn *on_done, void *arg, err_t *err);
/* Ends it without a result. */
void command_destroy(command_t **self_p);

#endif
