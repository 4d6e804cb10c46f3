#include "services/cluster/runtime/internal.h"

#include "base/auto.h"
#include "base/mem.h"

#include <signal.h>
#include <sys/pidfd.h>
#include <unistd.h>

struct task {
    ev_t *ev; /* borrowed */
    pid_t pid;
    int pidfd;
    container_exit_fn *on_exit; /* NULL: nobody waits for it any more */
    void *arg;
};

/* ---- life cycle ----------------------------------------------------------------------------- */

static void on_exited(void *arg, int fd, uint32_t events)
{
    task_t *self = arg;
    container_exit_t exit;
    (void)events;
    ev_fd_end(self->ev, fd);
    exit_of_pidfd(fd, &exit);
    close(fd);
    container_exit_fn *on_exit = self->on_exit;
    void *on_exit_arg = self->arg;
    free(self);
    if (on_exit)
        on_exit(on_exit_arg, &exit);
}

static int spawn_task(task_t *self, const container_t *container, const task_config_t *config,
    const stream_ends_t *ends, err_t *err)
{
    spawn_t spawn = {
        .argv = config->argv,
        .envp = config->envp,
        .cwd = config->cwd,
        .in_fd = ends->theirs.in,
        .out_fd = ends->theirs.out,
        .err_fd = ends->theirs.err,
        .terminal_to = ends->terminal_to,
        .join_pidfd = container->pidfd,
        .columns = config->columns,
        .rows = config->rows,
        .security = config->security ? config->security : &container->security,
        .cgroup_fds = container->cgroup.enter_fds,
        .cgroup_count = container->cgroup.enter_count,
    };
    spawn_confine(&spawn, container, config->is_confined);
    return spawn_start(&spawn, &self->pid, &self->pidfd, err);
}

task_t *task_start(container_t *container, const task_config_t *config, streams_t *streams_p,
    container_exit_fn *on_exit, void *arg, err_t *err)
{
    if (container->pidfd < 0) {
        err_set(err, ERR_STATE, "the container is not running");
        return NULL;
    }
    stream_ends_t ends;
    if (stream_ends_init(&ends, config->has_input, true, config->has_terminal, err) < 0)
        return NULL;
    task_t *self = xcalloc(1, sizeof(*self));
    *self = (task_t){.ev = container->runtime->ev, .on_exit = on_exit, .arg = arg};
    int rc = spawn_task(self, container, config, &ends, err);
    int done = stream_ends_done(&ends, rc == 0 ? streams_p : NULL, rc == 0 ? err : NULL);
    if (rc < 0) {
        free(self);
        return NULL;
    }
    ev_fd(self->ev, self->pidfd, EPOLLIN, on_exited, self);
    if (done < 0)
        task_destroy(&self);
    return self;
}

/* It is reaped when it has ended, which nobody waits for: a frozen one ends late. */
void task_destroy(task_t **self_p)
{
    task_t *self = TAKE(*self_p);
    if (!self)
        return;
    (void)pidfd_send_signal(self->pidfd, SIGKILL, NULL, 0); /* it may just have ended */
    session_kill(self->pid);
    self->on_exit = NULL;
}
