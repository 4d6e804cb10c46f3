/* A command's output is kept whole up to its limit; beyond that the first and the last half of the
 * limit are, and what fell out between them is counted. */
#include "services/cluster/runtime/internal.h"

#include "base/auto.h"
#include "base/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/pidfd.h>
#include <unistd.h>

enum {
    READ_SIZE = 65536,
    DRAIN_TURNS = 32,
    CONFINED_PROCESSES = 200,
    CONFINED_FILES = 256,
};

struct command {
    ev_t *ev; /* borrowed */
    pid_t pid;
    int pidfd;
    int output_fd;
    int timer;
    int64_t started;
    size_t limit;
    char *head; /* the first bytes, at most limit / 2 */
    size_t head_size;
    char *tail; /* ring of the last bytes, at most limit - limit / 2 */
    size_t tail_at;
    size_t total; /* all bytes that came */
    bool is_timed_out;
    bool has_exited;
    container_exit_t exit;
    command_done_fn *on_done;
    void *arg;
};

/* ---- output --------------------------------------------------------------------------------- */

static size_t head_limit(const command_t *self)
{
    return self->limit / 2;
}

static size_t tail_limit(const command_t *self)
{
    return self->limit - head_limit(self);
}

static void keep(command_t *self, const char *bytes, size_t size)
{
    self->total += size;
    size_t room = head_limit(self) - self->head_size;
    size_t first = size < room ? size : room;
    memcpy(self->head + self->head_size, bytes, first);
    self->head_size += first;
    bytes += first;
    size -= first;
    size_t ring = tail_limit(self);
    if (size > ring) {
        bytes += size - ring;
        size = ring;
    }
    for (size_t part; size; bytes += part, size -= part) {
        part = ring - self->tail_at;
        part = size < part ? size : part;
        memcpy(self->tail + self->tail_at, bytes, part);
        self->tail_at = (self->tail_at + part) % ring;
    }
}

/* Head, a note about what is missing, tail. */
static char *join_output(const command_t *self, size_t *size_p, size_t *omitted_p)
{
    size_t behind = self->total - self->head_size;
    size_t tail = behind < tail_limit(self) ? behind : tail_limit(self);
    size_t start = behind > tail ? self->tail_at : 0;
    *omitted_p = behind - tail;
    char note[96] = "";
    if (*omitted_p)
        snprintf(note, sizeof(note), "\n... [%zu bytes cut out here] ...\n", *omitted_p);
    char *text = mem_check(malloc(self->head_size + strlen(note) + tail + 1));
    char *at = mempcpy(text, self->head, self->head_size);
    at = mempcpy(at, note, strlen(note));
    for (size_t i = 0; i < tail; i++)
        *at++ = self->tail[(start + i) % tail_limit(self)];
    *at = '\0';
    *size_p = (size_t)(at - text);
    return text;
}

/* ---- ending --------------------------------------------------------------------------------- */

static void finish(command_t *self)
{
    if (!self->has_exited || self->output_fd >= 0)
        return;
    command_result_t result = {
        .exit_code = self->exit.code,
        .is_timed_out = self->is_timed_out,
        .duration_ms = ev_now(self->ev) - self->started,
    };
    AUTO_FREE char *output = join_output(self, &result.output_size, &result.omitted);
    result.output = output;
    command_done_fn *on_done = self->on_done;
    void *arg = self->arg;
    command_destroy(&self);
    on_done(arg, &result);
}

static void close_output(command_t *self)
{
    ev_fd_end(self->ev, self->output_fd);
    close(self->output_fd);
    self->output_fd = -1;
}

static void on_output(void *arg, int fd, uint32_t events)
{
    (void)events;
    command_t *self = arg;
    char bytes[READ_SIZE];
    ssize_t size = read(fd, bytes, sizeof(bytes));
    if (size > 0) {
        keep(self, bytes, (size_t)size);
        return;
    }
    if (size < 0 && errno == EAGAIN)
        return;
    close_output(self);
    finish(self);
}

/* What it left in the pipe is read; what others of its making still hold open is not waited for. */
static void drain(command_t *self)
{
    char bytes[READ_SIZE];
    for (int turn = 0; turn < DRAIN_TURNS; turn++) { /* others may write for ever */
        ssize_t size = read(self->output_fd, bytes, sizeof(bytes));
        if (size <= 0)
            return;
        keep(self, bytes, (size_t)size);
    }
}

static void on_exited(void *arg, int fd, uint32_t events)
{
    (void)events;
    command_t *self = arg;
    ev_fd_end(self->ev, fd);
    exit_of_pidfd(fd, &self->exit);
    self->has_exited = true;
    if (self->output_fd >= 0) {
        drain(self);
        close_output(self);
    }
    finish(self);
}

/* The first process of a pid namespace takes all others with it. */
static void on_timeout(void *arg)
{
    command_t *self = arg;
    self->timer = 0;
    self->is_timed_out = true;
    (void)pidfd_send_signal(self->pidfd, SIGKILL, NULL, 0); /* it may just have ended */
}

/* ---- life cycle ----------------------------------------------------------------------------- */

void spawn_confine(spawn_t *spawn, const container_t *container, bool is_confined)
{
    /* The last counts a user's processes in all environments of root: only where no cgroup does. */
    static const spawn_limit_t limits[] = {
        {RLIMIT_CORE, 0},
        {RLIMIT_NOFILE, CONFINED_FILES},
        {RLIMIT_FSIZE, 64 << 20},
        {RLIMIT_NPROC, CONFINED_PROCESSES},
    };
    size_t tight = ARRAY_SIZE(limits) - (container->cgroup.enter_count ? 1 : 0);
    spawn->has_own_pids = is_confined;
    spawn->limits = limits;
    spawn->limit_count = is_confined ? tight : 1;
}

static int spawn_command(
    command_t *self, container_t *container, const command_config_t *config, int out_fd, err_t *err)
{
    spawn_t spawn = {
        .argv = config->argv,
        .envp = config->envp,
        .cwd = config->cwd,
        .in_fd = -1,
        .out_fd = out_fd,
        .err_fd = out_fd,
        .join_pidfd = container->pidfd,
        .security = config->security ? config->security : &container->security,
        .cgroup_fds = container->cgroup.enter_fds,
        .cgroup_count = container->cgroup.enter_count,
    };
    spawn_confine(&spawn, container, config->is_confined);
    return spawn_start(&spawn, &self->pid, &self->pidfd, err);
}

command_t *command_start(container_t *container, const command_config_t *config,
    command_done_fn *on_done, void *arg, err_t *err)
{
    if (container->pidfd < 0) {
        err_set(err, ERR_STATE, "the container is not running");
        return NULL;
    }
    AUTO(command_destroy) command_t *self = xcalloc(1, sizeof(*self));
    *self = (command_t){.ev = container->runtime->ev,
        .pidfd = -1,
        .output_fd = -1,
        .limit = config->output_limit > 2 ? config->output_limit : 2,
        .on_done = on_done,
        .arg = arg};
    self->head = mem_check(malloc(head_limit(self)));
    self->tail = mem_check(malloc(tail_limit(self)));
    int pipe_fds[2];
    if (pipe2(pipe_fds, O_CLOEXEC) < 0) {
        err_set(err, ERR_IO, "pipe: %s", strerror(errno));
        return NULL;
    }
    self->output_fd = pipe_fds[0];
    (void)fcntl(self->output_fd, F_SETFL, O_NONBLOCK);
    self->started = ev_now(self->ev);
    int rc = spawn_command(self, container, config, pipe_fds[1], err);
    close(pipe_fds[1]);
    if (rc < 0)
        return NULL;
    ev_fd(self->ev, self->output_fd, EPOLLIN, on_output, self);
    ev_fd(self->ev, self->pidfd, EPOLLIN, on_exited, self);
    self->timer = ev_after(self->ev, config->timeout_ms, on_timeout, self);
    return TAKE(self);
}

void command_destroy(command_t **self_p)
{
    command_t *self = *self_p;
    if (!self)
        return;
    ev_cancel(self->ev, self->timer);
    if (self->output_fd >= 0)
        close_output(self);
    if (self->pidfd >= 0) {
        ev_fd_end(self->ev, self->pidfd);
        if (!self->has_exited) {
            (void)pidfd_send_signal(self->pidfd, SIGKILL, NULL, 0); /* it may just have ended */
            exit_of_pidfd(self->pidfd, &self->exit);
        }
        close(self->pidfd);
    }
    free(self->head);
    free(self->tail);
    free(self);
    *self_p = NULL;
}
