#include "cli/supervisor.h"

#include "base/auto.h"
#include "base/ev.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/paths.h"
#include "cli/folder.h"
#include "cli/programs.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    PROGRAMS_MAX = 16,
    BROKER = 0,             /* its place in the table: ends last */
    DELAY_FIRST_MS = 50,    /* before a dead program is started again … */
    DELAY_MAX_MS = 5000,    /* … doubled up to this … */
    STEADY_MS = 10000,      /* … and forgotten once it has run for so long */
    ORDERLY_MS = 8000,      /* for all to end by themselves */
    ROOM_SIZE = 1 << 20,    /* without which there is no use in starting */
    WRONG_CALL = 2,         /* how programs end when options or configuration are wrong */
    ORPHAN_ROUNDS_MAX = 64, /* an orphan may leave orphans */
};

struct supervisor;

typedef struct child {
    struct supervisor *owner; /* borrowed */
    size_t place;             /* in the table of programs */
    pid_t pid;                /* 0: not running */
    int64_t started_at;
    int64_t delay_ms;
    int restarts;
    int timer;
    char *reason; /* of its last end; NULL: it has not ended */
} child_t;

typedef struct supervisor {
    const supervisor_options_t *options; /* borrowed */
    ev_t *ev;
    pid_t pid;
    char *bin_dir;
    int signal_fd; /* SIGCHLD, SIGINT, SIGTERM */
    int lock_fd;
    bool is_stopping;
    child_t children[PROGRAMS_MAX];
} supervisor_t;

static void start(void *arg);

/* ---- what is told -------------------------------------------------------------------------- */

static void write_status(supervisor_t *self)
{
    json_auto_t *list = json_array();
    for (size_t i = 0; i < program_count; i++) {
        const child_t *child = &self->children[i];
        json_array_append_new(
            list, json_pack("{s:s, s:i, s:i, s:I, s:s*}", "name", program_names[i], "pid",
                      (int)child->pid, "restarts", child->restarts, "since_ms",
                      (json_int_t)child->started_at, "reason", child->reason));
    }
    AUTO_FREE char *text = json_dumps(list, JSON_INDENT(1));
    AUTO_FREE char *path = xasprintf("%s/services.json", self->options->run_dir);
    err_t err;
    if (folder_write(path, text, &err) < 0)
        log_warn("status.unwritten", "reason=\"%s\"", err.text);
}

/* What the program said last: the reason in its last line, or all of that. */
static char *last_words(const supervisor_t *self, const child_t *child)
{
    enum { TAIL = 2048 };
    AUTO_FREE char *path =
        xasprintf("%s/log/%s.log", self->options->run_dir, program_names[child->place]);
    AUTO_FREE char *tail = folder_read_tail(path, TAIL);
    if (!tail || !*tail)
        return xstrdup("it said nothing");
    size_t length = strlen(tail);
    while (length && tail[length - 1] == '\n')
        tail[--length] = '\0';
    const char *line = strrchr(tail, '\n');
    line = line ? line + 1 : tail;
    const char *reason = strstr(line, "reason=\"");
    if (!reason)
        return xstrdup(line);
    reason += strlen("reason=\"");
    const char *end = strrchr(reason, '"');
    return xstrndup(reason, end ? (size_t)(end - reason) : strlen(reason));
}

/* A program that ends by itself as soon as it is started will not do better the next time; whoever
 * waits for the lab is told: a code's name, and the sentence. */
static void report_failure(supervisor_t *self, const child_t *child, bool is_wrong_call)
{
    if (self->options->report_fd < 0 || child->restarts > 0)
        return;
    AUTO_FREE char *line = xasprintf("%s %s did not start: %s\n",
        err_code_name(is_wrong_call ? ERR_INVALID : ERR_UNAVAILABLE), program_names[child->place],
        child->reason);
    /* Nobody may be reading any more, which is as well. */
    ssize_t rc = write(self->options->report_fd, line, strlen(line));
    (void)rc;
}

/* ---- children ------------------------------------------------------------------------------ */

static void redirect(const supervisor_t *self, const char *name)
{
    AUTO_FREE char *path = xasprintf("%s/log/%s.log", self->options->run_dir, name);
    int log = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    dup2(null, STDIN_FILENO);
    dup2(log < 0 ? null : log, STDOUT_FILENO);
    dup2(log < 0 ? null : log, STDERR_FILENO);
}

/* In the child, after fork(): becomes the program. */
static void become(const supervisor_t *self, const char *name)
{
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    if (getppid() != self->pid)
        _exit(EXIT_FAILURE); /* the supervisor died before the line above */
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    redirect(self, name);
    char *path = xasprintf("%s/aiopslab-%s", self->bin_dir, name);
    bool is_broker = strcmp(name, program_names[BROKER]) == 0;
    const char *argv[8] = {path};
    size_t count = 1;
    supervisor_add_option(argv, &count, "--config", self->options->config_path);
    supervisor_add_option(argv, &count, "--listen", is_broker ? self->options->listen : NULL);
    execv(path, (char *const *)argv);
    fprintf(stderr, "reason=\"cannot run '%s': %s\"\n", path, strerror(errno));
    _exit(127);
}

static void start(void *arg)
{
    child_t *child = arg;
    supervisor_t *self = child->owner;
    const char *name = program_names[child->place];
    child->timer = 0;
    child->started_at = ev_now(self->ev);
    child->pid = fork();
    if (child->pid == 0)
        become(self, name);
    if (child->pid < 0) {
        log_error("program.unstarted", "name=%s reason=\"%s\"", name, strerror(errno));
        child->pid = 0;
        child->timer = ev_after(self->ev, DELAY_MAX_MS, start, child);
        return;
    }
    log_info("program.started", "name=%s pid=%d", name, (int)child->pid);
    write_status(self);
}

static void start_again(supervisor_t *self, child_t *child)
{
    bool was_steady = ev_now(self->ev) - child->started_at > STEADY_MS;
    if (!child->delay_ms || was_steady)
        child->delay_ms = DELAY_FIRST_MS;
    child->timer = ev_after(self->ev, child->delay_ms, start, child);
    child->restarts++;
    child->delay_ms *= 2;
    if (child->delay_ms > DELAY_MAX_MS)
        child->delay_ms = DELAY_MAX_MS;
}

static char *describe_end(const supervisor_t *self, const child_t *child, int status)
{
    if (WIFSIGNALED(status))
        return xasprintf("signal %d", WTERMSIG(status));
    if (WEXITSTATUS(status) == 0)
        return xstrdup("it ended");
    return last_words(self, child);
}

/* ---- the end ------------------------------------------------------------------------------- */

static void signal_all(supervisor_t *self, int signal)
{
    for (size_t i = 0; i < program_count; i++) {
        if (self->children[i].pid)
            kill(self->children[i].pid, signal);
    }
}

static bool is_any_left(const supervisor_t *self, size_t first)
{
    for (size_t i = first; i < program_count; i++) {
        if (self->children[i].pid)
            return true;
    }
    return false;
}

static void on_patience_over(void *arg)
{
    supervisor_t *self = arg;
    log_warn("stop.forced", "after_ms=%d", ORDERLY_MS);
    signal_all(self, SIGKILL);
}

/* Services first: to end in order they need the broker. */
static void go_on_stopping(supervisor_t *self)
{
    child_t *broker = &self->children[BROKER];
    if (is_any_left(self, BROKER + 1))
        return;
    if (broker->pid)
        kill(broker->pid, SIGTERM);
    else
        ev_stop(self->ev);
}

static void stop(supervisor_t *self)
{
    if (self->is_stopping)
        return;
    self->is_stopping = true;
    log_info("stop.begun", "run=%s", self->options->run_dir);
    for (size_t i = 0; i < program_count; i++) {
        child_t *child = &self->children[i];
        ev_cancel(self->ev, child->timer);
        if (child->pid && i != BROKER)
            kill(child->pid, SIGTERM);
    }
    ev_after(self->ev, ORDERLY_MS, on_patience_over, self);
    go_on_stopping(self);
}

static void on_child_end(supervisor_t *self, child_t *child, int status)
{
    bool is_own_end = WIFEXITED(status) && WEXITSTATUS(status) != 0;
    bool is_wrong_call = WIFEXITED(status) && WEXITSTATUS(status) == WRONG_CALL;
    child->pid = 0;
    free(child->reason);
    child->reason = describe_end(self, child, status);
    if (self->is_stopping) {
        go_on_stopping(self);
        return;
    }
    log_warn("program.ended", "name=%s reason=\"%s\"", program_names[child->place], child->reason);
    if (is_own_end)
        report_failure(self, child, is_wrong_call);
    start_again(self, child);
    write_status(self);
}

/* Children of ours, and orphans that came to us when their parents died. */
static void reap(supervisor_t *self)
{
    int status;
    for (pid_t pid; (pid = waitpid(-1, &status, WNOHANG)) > 0;) {
        for (size_t i = 0; i < program_count; i++) {
            if (self->children[i].pid == pid)
                on_child_end(self, &self->children[i], status);
        }
    }
}

static void on_signal(void *arg, int fd, uint32_t events)
{
    supervisor_t *self = arg;
    struct signalfd_siginfo info;
    (void)events;
    while (read(fd, &info, sizeof(info)) == sizeof(info)) {
        if (info.ssi_signo == SIGCHLD)
            reap(self);
        else
            stop(self);
    }
}

static void on_owner(void *arg, int fd, uint32_t events)
{
    supervisor_t *self = arg;
    char byte;
    (void)events;
    if (read(fd, &byte, 1) > 0)
        return;
    ev_fd_end(self->ev, fd);
    stop(self);
}

/* What a killed service left behind is ours now; nobody else will end it. */
static void end_orphans(const supervisor_t *self)
{
    AUTO_FREE char *path = xasprintf("/proc/self/task/%d/children", (int)self->pid);
    for (int round = 0; round < ORPHAN_ROUNDS_MAX; round++) {
        FILE *file = fopen(path, "re");
        int pid;
        bool is_any = false;
        while (file && fscanf(file, "%d", &pid) == 1) {
            is_any = true;
            kill(pid, SIGKILL);
            waitpid(pid, NULL, 0);
        }
        if (file)
            fclose(file);
        if (!is_any)
            return;
    }
}

/* ---- life cycle ---------------------------------------------------------------------------- */

static int lock(supervisor_t *self, err_t *err)
{
    AUTO_FREE char *path = xasprintf("%s/supervisor.lock", self->options->run_dir);
    struct flock whole = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    self->lock_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (self->lock_fd < 0)
        return err_set(err, ERR_IO, "cannot open '%s': %s", path, strerror(errno));
    if (fcntl(self->lock_fd, F_SETLK, &whole) < 0)
        return err_set(err, ERR_EXISTS, "another one runs in '%s'", self->options->run_dir);
    return 0;
}

static int watch_signals(supervisor_t *self, err_t *err)
{
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGCHLD);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGTERM);
    sigprocmask(SIG_BLOCK, &signals, NULL);
    signal(SIGPIPE, SIG_IGN);
    signal(SIGHUP, SIG_IGN);
    self->signal_fd = signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK);
    if (self->signal_fd < 0)
        return err_set(err, ERR_IO, "cannot watch signals: %s", strerror(errno));
    ev_fd(self->ev, self->signal_fd, EPOLLIN, on_signal, self);
    return 0;
}

static int prepare(supervisor_t *self, err_t *err)
{
    const supervisor_options_t *options = self->options;
    AUTO_FREE char *logs = xasprintf("%s/log", options->run_dir);
    int rc = folder_check_room(logs, ROOM_SIZE, err);
    if (rc == 0)
        rc = folder_check_room(options->state_dir, ROOM_SIZE, err);
    if (rc == 0)
        rc = lock(self, err);
    if (rc == 0)
        rc = watch_signals(self, err);
    if (rc < 0)
        return rc;
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    setenv("AIOPSLAB_RUN", options->run_dir, 1);
    setenv("AIOPSLAB_STATE", options->state_dir, 1);
    if (options->owner_fd >= 0)
        ev_fd(self->ev, options->owner_fd, EPOLLIN, on_owner, self);
    return 0;
}

static void clear_run_dir(const supervisor_options_t *options)
{
    AUTO_FREE char *status = xasprintf("%s/services.json", options->run_dir);
    (void)unlink(status); /* what it tells is over */
    if (!options->is_private)
        return;
    folder_remove(options->run_dir);
    folder_remove(options->state_dir);
}

static void done(supervisor_t *self)
{
    if (self->signal_fd >= 0)
        close(self->signal_fd);
    if (self->lock_fd >= 0)
        close(self->lock_fd);
    for (size_t i = 0; i < program_count; i++)
        free(self->children[i].reason);
    free(self->bin_dir);
    ev_destroy(&self->ev);
}

int supervisor_run(const supervisor_options_t *options, err_t *err)
{
    supervisor_t self = {.options = options,
        .ev = ev_new(),
        .pid = getpid(),
        .bin_dir = paths_bin_dir(),
        .signal_fd = -1,
        .lock_fd = -1};
    int rc = prepare(&self, err);
    if (rc == 0) {
        for (size_t i = 0; i < program_count; i++) {
            self.children[i] = (child_t){.owner = &self, .place = i};
            start(&self.children[i]);
        }
        ev_run(self.ev);
        end_orphans(&self);
        clear_run_dir(options);
        log_info("stop.done", "run=%s", options->run_dir);
    }
    done(&self);
    return rc;
}
