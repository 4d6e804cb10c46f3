/* internal - what the parts of the runtime share. Private to this folder. */
#ifndef CLUSTER_RUNTIME_INTERNAL_H
#define CLUSTER_RUNTIME_INTERNAL_H

#include "services/cluster/runtime/runtime.h"
#include "services/cluster/runtime/spawn.h"

#include <czmq.h>

struct runtime {
    ev_t *ev; /* borrowed */
    char *stage;
    char **hidden; /* ends with NULL */
    cgroups_t cgroups;
    zlistx_t *dying; /* containers that were destroyed and have not ended; owned */
    json_t *features;
    uint8_t *used_indexes; /* a bit for each sandbox's index */
    size_t index_capacity;
};

struct sandbox {
    runtime_t *runtime; /* borrowed */
    unsigned index;
    int net_fd;
    char *name;
    char *hosts;
    char *resolv_conf;
};

struct container {
    runtime_t *runtime; /* borrowed */
    pid_t pid;
    int pidfd;     /* -1: ended */
    bool is_guest; /* in another's pid namespace */
    cgroup_t cgroup;
    spawn_security_t security;
    gid_t *groups;              /* its groups, owned */
    container_exit_fn *on_exit; /* NULL: destroyed, and waits for its end */
    void *arg;
};

/* The last of one that was destroyed while it ran; its process is waited for, if not for long. */
void container_bury(container_t *self);

/* Both sides of a process's streams, while it is started. */
typedef struct stream_ends {
    streams_t ours;
    streams_t theirs; /* in -1: /dev/null */
    int terminal_to;  /* a socket, or 0; then the rest is not there */
    int terminal_from;
} stream_ends_t;

int stream_ends_init(
    stream_ends_t *self, bool has_input, bool has_errors, bool has_terminal, err_t *err);
/* Closes their side, and hands ours over or, if streams_p is NULL, closes it too. Fails when the
 * terminal has not come. */
int stream_ends_done(stream_ends_t *self, streams_t *streams_p, err_t *err);

/* Kills all processes of a session, whose leader must not have been reaped yet. */
void session_kill(pid_t leader);

/* Limits for what runs beside a container's processes; confined: tight ones, and a pid namespace
 * that dies with its first process. */
void spawn_confine(spawn_t *spawn, const container_t *container, bool is_confined);

/* What waitid() says of an ended child, reaped. */
void exit_of_pidfd(int pidfd, container_exit_t *exit);

#endif
