#include "services/cluster/launcher.h"

#include "base/auto.h"
#include "base/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/pidfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { SETTINGS_FD = 3, LISTEN_FD = 4, CONTROL_FD = 5, BACKLOG = 128 };

/* ---- descriptors -------------------------------------------------------------------------------
 */

/* A listening socket on a free port of the loopback. */
static int listen_on_loopback(int *port_p, err_t *err)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t size = sizeof(at);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0 || bind(fd, (struct sockaddr *)&at, size) < 0 || listen(fd, BACKLOG) < 0
        || getsockname(fd, (struct sockaddr *)&at, &size) < 0) {
        int rc = err_set(err, ERR_IO, "cannot listen on 127.0.0.1: %s", strerror(errno));
        if (fd >= 0)
            close(fd);
        return rc;
    }
    *port_p = ntohs(at.sin_port);
    return fd;
}

/* The settings in a file without a name, so that the child can read them without us writing. */
static int write_settings(const json_t *settings, err_t *err)
{
    int fd = memfd_create("settings", MFD_CLOEXEC);
    if (fd < 0 || json_dumpfd(settings, fd, JSON_COMPACT) < 0 || lseek(fd, 0, SEEK_SET) < 0) {
        int rc = err_set(err, ERR_IO, "settings: %s", strerror(errno));
        if (fd >= 0)
            close(fd);
        return rc;
    }
    return fd;
}

/* ---- the child ---------------------------------------------------------------------------------
 */

typedef struct plan {
    const char *program;
    int fds[3];   /* settings, listen, control */
    int ready_fd; /* read: the parent has written our maps */
} plan_t;

static int execute(plan_t *plan)
{
    char go;
    if (read(plan->ready_fd, &go, 1) != 1)
        return 127;
    int copies[3];
    for (int i = 0; i < 3; i++) {
        copies[i] = fcntl(plan->fds[i], F_DUPFD, 16); /* out of the way of 3, 4 and 5 */
        if (copies[i] < 0)
            return 127;
    }
    for (int i = 0; i < 3; i++) {
        if (dup2(copies[i], SETTINGS_FD + i) < 0)
            return 127;
    }
    if (close_range(CONTROL_FD + 1, ~0U, 0) < 0)
        return 127;
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    execl(plan->program, "aiopslab-env", (char *)NULL);
    return 127;
}

/* ---- user namespace ----------------------------------------------------------------------------
 */

static int write_map(pid_t pid, const char *name, const char *text)
{
    AUTO_FREE char *path = xasprintf("/proc/%d/%s", (int)pid, name);
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    if (fd < 0)
        return -1;
    ssize_t size = (ssize_t)strlen(text);
    int rc = write(fd, text, (size_t)size) == size ? 0 : -1;
    close(fd);
    return rc;
}

static int map_user(pid_t pid, err_t *err)
{
    AUTO_FREE char *uids = xasprintf("0 %u 1\n", (unsigned)geteuid());
    AUTO_FREE char *gids = xasprintf("0 %u 1\n", (unsigned)getegid());
    if (write_map(pid, "setgroups", "deny") < 0 || write_map(pid, "uid_map", uids) < 0
        || write_map(pid, "gid_map", gids) < 0)
        return err_set(
            err, ERR_FORBIDDEN, "cannot map the user of an environment: %s", strerror(errno));
    return 0;
}

static int explain_refusal(int error, bool is_root, err_t *err)
{
    if (is_root)
        return err_set(err, ERR_FORBIDDEN,
            "cannot make namespaces (%s): inside a container, give it CAP_SYS_ADMIN and "
            "CAP_NET_ADMIN",
            strerror(error));
    return err_set(err, ERR_FORBIDDEN,
        "an ordinary user needs user namespaces (%s): an administrator enables them with 'sysctl "
        "-w kernel.unprivileged_userns_clone=1 user.max_user_namespaces=10000' (on Ubuntu "
        "'kernel.apparmor_restrict_unprivileged_userns=0'), or run this as root",
        strerror(error));
}

/* ---- starting ----------------------------------------------------------------------------------
 */

static int start_child(plan_t *plan, int ready_write_fd, launched_t *launched, err_t *err)
{
    bool is_root = geteuid() == 0;
    int flags = CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS;
    struct clone_args {
        uint64_t flags, pidfd, child_tid, parent_tid, exit_signal, stack, stack_size, tls;
    } args = {.flags = (uint64_t)flags | (is_root ? 0 : CLONE_NEWUSER) | CLONE_PIDFD,
        .pidfd = (uint64_t)(uintptr_t)&launched->pidfd,
        .exit_signal = SIGCHLD};
    pid_t pid = (pid_t)syscall(SYS_clone3, &args, sizeof(args)); /* without stack: as fork() */
    if (pid == 0)
        _exit(execute(plan));
    if (pid < 0)
        return explain_refusal(errno, is_root, err);
    launched->pid = pid;
    int rc = is_root ? 0 : map_user(pid, err);
    if (rc == 0 && write(ready_write_fd, "g", 1) != 1)
        rc = err_set(err, ERR_IO, "pipe: %s", strerror(errno));
    if (rc < 0) {
        (void)pidfd_send_signal(launched->pidfd, SIGKILL, NULL, 0); /* it waits for its maps */
        (void)waitpid(pid, NULL, 0);
        close(launched->pidfd);
    }
    return rc;
}

static void close_all(const int *fds, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (fds[i] >= 0)
            close(fds[i]);
    }
}

int launcher_start(const char *program, json_t *settings, launched_t *launched, err_t *err)
{
    enum { SETTINGS, LISTEN, CONTROL_CHILD, CONTROL_OWN, READY_READ, READY_WRITE, COUNT };
    int fds[COUNT] = {-1, -1, -1, -1, -1, -1};
    *launched = (launched_t){.pidfd = -1, .control_fd = -1};
    json_object_set_new(settings, "listen_fd", json_integer(LISTEN_FD));
    json_object_set_new(settings, "control_fd", json_integer(CONTROL_FD));
    int rc = fds[LISTEN] = listen_on_loopback(&launched->port, err);
    if (rc >= 0)
        rc = fds[SETTINGS] = write_settings(settings, err);
    if (rc >= 0
        && (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, &fds[CONTROL_CHILD]) < 0
            || pipe2(&fds[READY_READ], O_CLOEXEC) < 0))
        rc = err_set(err, ERR_IO, "socketpair: %s", strerror(errno));
    plan_t plan = {.program = program,
        .fds = {fds[SETTINGS], fds[LISTEN], fds[CONTROL_CHILD]},
        .ready_fd = fds[READY_READ]};
    if (rc >= 0)
        rc = start_child(&plan, fds[READY_WRITE], launched, err);
    if (rc >= 0)
        launched->control_fd = fds[CONTROL_OWN];
    if (launched->control_fd >= 0)
        fds[CONTROL_OWN] = -1;
    close_all(fds, COUNT);
    return rc < 0 ? rc : 0;
}
