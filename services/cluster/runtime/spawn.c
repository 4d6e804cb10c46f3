#include "services/cluster/runtime/spawn.h"

#include "services/cluster/runtime/runtime.h"
#include "services/cluster/runtime/terminal.h"

#include "base/auto.h"
#include "services/cluster/runtime/seccomp.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/capability.h>
#include <linux/close_range.h>
#include <sanitizer/asan_interface.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { STACK_SIZE = 256 * 1024 };

/* What parent and child tell each other through the memory they share. */
typedef struct launch {
    const spawn_t *spawn;
    const struct sock_fprog *filter;
    pid_t pid;
    int pidfd;
    const char *failed; /* the step, with its errno */
    int error;
    char *inner_stack;
} launch_t;

uint64_t spawn_default_capabilities(void)
{
    static const int defaults[] = {CAP_CHOWN, CAP_DAC_OVERRIDE, CAP_FOWNER, CAP_FSETID, CAP_KILL,
        CAP_SETGID, CAP_SETUID, CAP_SETPCAP, CAP_NET_BIND_SERVICE, CAP_NET_RAW, CAP_SYS_CHROOT,
        CAP_AUDIT_WRITE, CAP_SETFCAP};
    uint64_t mask = 0;
    for (size_t i = 0; i < ARRAY_SIZE(defaults); i++)
        mask |= 1ULL << defaults[i];
    return mask;
}

/* ---- in the child: nothing but system calls ---------------------------------------------------
 */

static const char *drop_bounding(uint64_t kept)
{
    for (int capability = 0; capability <= CAP_LAST_CAP; capability++) {
        if (!(kept & 1ULL << capability) && prctl(PR_CAPBSET_DROP, capability, 0, 0, 0) < 0
            && errno != EINVAL) /* newer than this kernel */
            return "drop capabilities";
    }
    return NULL;
}

static const char *set_capabilities(uint64_t kept)
{
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct data[2];
    if (syscall(SYS_capget, &header, data) < 0)
        return "capget";
    for (int i = 0; i < 2; i++) {
        uint32_t half = (uint32_t)(kept >> 32 * i);
        data[i].permitted &= half;
        data[i].effective = data[i].permitted;
        data[i].inheritable = 0;
    }
    return syscall(SYS_capset, &header, data) < 0 ? "capset" : NULL;
}

/* In a user namespace of one user there is nobody else to become, and no group to join. */
static const char *become(const spawn_security_t *security)
{
    if (syscall(SYS_setgroups, security->group_count, security->groups) < 0 && errno != EPERM
        && errno != EINVAL)
        return "setgroups";
    if (syscall(SYS_setresgid, security->gid, security->gid, security->gid) < 0 && errno != EINVAL)
        return "setgid";
    if (syscall(SYS_setresuid, security->uid, security->uid, security->uid) < 0 && errno != EINVAL)
        return "setuid";
    return NULL;
}

static const char *set_limits(const spawn_t *spawn)
{
    for (size_t i = 0; i < spawn->limit_count; i++) {
        struct rlimit limit = {spawn->limits[i].value, spawn->limits[i].value};
        struct rlimit present;
        if (getrlimit(spawn->limits[i].resource, &present) == 0
            && limit.rlim_max > present.rlim_max)
            limit = (struct rlimit){present.rlim_max, present.rlim_max};
        if (setrlimit(spawn->limits[i].resource, &limit) < 0)
            return "setrlimit";
    }
    return NULL;
}

static const char *enter_cgroups(const spawn_t *spawn)
{
    for (size_t i = 0; i < spawn->cgroup_count; i++) {
        if (write(spawn->cgroup_fds[i], "0", 1) != 1)
            return "enter cgroup";
    }
    return NULL;
}

static const char *set_streams(const spawn_t *spawn)
{
    int in = spawn->in_fd >= 0 ? spawn->in_fd : open("/dev/null", O_RDONLY | O_CLOEXEC);
    int out = spawn->out_fd;
    int err = spawn->err_fd;
    if (spawn->terminal_to) {
        const spawn_security_t *who = spawn->security;
        in = out = err = terminal_open(spawn->terminal_to, spawn->columns, spawn->rows);
        if (in < 0 || (fchown(in, who->uid, who->gid) < 0 && errno != EINVAL)) /* see become() */
            return "open a terminal";
    }
    if (in < 0 || dup2(in, 0) < 0 || dup2(out, 1) < 0 || dup2(err, 2) < 0)
        return "redirect";
    return close_range(3, ~0U, CLOSE_RANGE_CLOEXEC) < 0 ? "close_range" : NULL;
}

static void reset_signals(void)
{
    sigset_t none;
    sigemptyset(&none);
    for (int number = 1; number < NSIG; number++)
        signal(number, SIG_DFL); /* fails for those that cannot be caught */
    sigprocmask(SIG_SETMASK, &none, NULL);
}

static const char *find_value(char *const *envp, const char *name)
{
    size_t length = strlen(name);
    for (; *envp; envp++) {
        if (strncmp(*envp, name, length) == 0 && (*envp)[length] == '=')
            return *envp + length + 1;
    }
    return NULL;
}

/* execvpe() allocates; this does not. */
static void execute(const spawn_t *spawn)
{
    const char *name = spawn->argv[0];
    if (strchr(name, '/')) {
        execve(name, spawn->argv, spawn->envp);
        return;
    }
    const char *folder = find_value(spawn->envp, "PATH");
    char path[PATH_MAX];
    int error = ENOENT;
    for (size_t length; folder && *folder; folder += length + (folder[length] == ':')) {
        length = strcspn(folder, ":");
        if (length + strlen(name) + 2 > sizeof(path))
            continue;
        memcpy(path, folder, length);
        path[length] = '/';
        memcpy(path + length + 1, name, strlen(name) + 1);
        execve(path, spawn->argv, spawn->envp);
        error = errno == ENOENT ? error : errno;
    }
    errno = error;
}

/* The last steps, which every process takes inside its namespaces. */
static const char *run(const launch_t *launch)
{
    const spawn_t *spawn = launch->spawn;
    const char *failed = set_limits(spawn);
    const spawn_security_t *security = spawn->security;
    if (!failed)
        failed = set_streams(spawn);
    if (!failed && chdir(spawn->cwd ? spawn->cwd : "/") < 0)
        failed = "chdir";
    if (!failed && seccomp_enter(launch->filter) < 0) /* while it may: what follows passes it */
        failed = "seccomp";
    if (!failed)
        failed = drop_bounding(security->capabilities);
    if (!failed)
        failed = become(security);
    if (!failed)
        failed = set_capabilities(security->capabilities);
    if (!failed && security->has_no_new_privileges && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
        failed = "no_new_privs";
    if (failed)
        return failed;
    setsid();
    if (spawn->terminal_to && ioctl(0, TIOCSCTTY, 0) < 0)
        return "take the terminal";
    reset_signals();
    execute(spawn);
    return "exec";
}

static int give_up(launch_t *launch, const char *failed)
{
    launch->error = errno;
    launch->failed = failed;
    _exit(127);
}

/* First process of a container. */
static int begin_own(void *arg)
{
    launch_t *launch = arg;
    const spawn_t *spawn = launch->spawn;
    prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
    const char *failed = enter_cgroups(spawn);
    if (!failed && setns(spawn->net_fd, CLONE_NEWNET) < 0)
        failed = "enter network namespace";
    if (!failed && sethostname(spawn->hostname, strlen(spawn->hostname)) < 0)
        failed = "sethostname";
    if (!failed)
        failed = rootfs_enter(spawn->rootfs);
    if (!failed)
        failed = run(launch);
    return give_up(launch, failed);
}

/* Inside the namespaces that were joined. */
static int begin_joined(void *arg)
{
    launch_t *launch = arg;
    const char *failed = enter_cgroups(launch->spawn);
    if (!failed && launch->spawn->has_own_pids)
        failed = rootfs_remount_proc();
    if (!failed)
        failed = run(launch);
    return give_up(launch, failed);
}

/* Joins, then makes the process proper: a pid namespace takes effect for children only. That child
 * is given to our own parent, so that it is waited for there. */
static int join(void *arg)
{
    launch_t *launch = arg;
    const spawn_t *spawn = launch->spawn;
    int joined = CLONE_NEWNS | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS
                 | (spawn->has_own_pids ? 0 : CLONE_NEWPID);
    if (setns(spawn->join_pidfd, joined) < 0)
        return give_up(launch, "enter namespaces");
    if (spawn->has_own_pids && unshare(CLONE_NEWPID | CLONE_NEWNS) < 0)
        return give_up(launch, "new pid namespace");
    launch->pid = clone(begin_joined, launch->inner_stack + STACK_SIZE,
        CLONE_VM | CLONE_VFORK | CLONE_PARENT | SIGCHLD, launch);
    if (launch->pid < 0)
        return give_up(launch, "clone");
    _exit(0);
}

/* As join(), for a container that shares another's processes. */
static int join_pids(void *arg)
{
    launch_t *launch = arg;
    if (setns(launch->spawn->pids_of, CLONE_NEWPID) < 0)
        return give_up(launch, "enter pid namespace");
    launch->pid = clone(begin_own, launch->inner_stack + STACK_SIZE,
        CLONE_VM | CLONE_VFORK | CLONE_PARENT | CLONE_NEWNS | CLONE_NEWUTS | CLONE_NEWIPC | SIGCHLD,
        launch);
    if (launch->pid < 0)
        return give_up(launch, "clone");
    _exit(0);
}

/* ---- in the parent ----------------------------------------------------------------------------
 */

/* One set of stacks is enough: the parent is stopped until the child has executed. */
static char s_stack[STACK_SIZE] __attribute__((aligned(16)));
static char s_inner_stack[STACK_SIZE] __attribute__((aligned(16)));

static int fail(launch_t *launch, err_t *err)
{
    if (launch->pid > 0) {
        (void)waitpid(launch->pid, NULL, __WALL); /* it has ended by itself */
        if (launch->pidfd >= 0)
            close(launch->pidfd);
    }
    bool is_absent = launch->error == ENOENT && strcmp(launch->failed, "exec") == 0;
    return err_set(
        err, is_absent ? ERR_NOT_FOUND : ERR_IO, "%s: %s", launch->failed, strerror(launch->error));
}

static int start_by(int (*helper_fn)(void *arg), launch_t *launch, err_t *err)
{
    pid_t helper = clone(helper_fn, s_stack + STACK_SIZE, CLONE_VM | CLONE_VFORK | SIGCHLD, launch);
    if (helper < 0)
        return err_set(err, ERR_IO, "clone: %s", strerror(errno));
    (void)waitpid(helper, NULL, __WALL); /* its word is in launch */
    if (launch->failed)
        return fail(launch, err);
    launch->pidfd = pidfd_open(launch->pid, 0); /* our child, so the number is still its own */
    return launch->pidfd < 0 ? err_set(err, ERR_IO, "pidfd_open: %s", strerror(errno)) : 0;
}

static int start_own(launch_t *launch, err_t *err)
{
    launch->pid = clone(begin_own, s_stack + STACK_SIZE,
        CLONE_VM | CLONE_VFORK | CLONE_PIDFD | CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWUTS
            | CLONE_NEWIPC | SIGCHLD,
        launch, &launch->pidfd);
    if (launch->pid < 0)
        return err_set(err, ERR_IO, "clone: %s", strerror(errno));
    return launch->failed ? fail(launch, err) : 0;
}

int spawn_start(const spawn_t *spawn, pid_t *pid_p, int *pidfd_p, err_t *err)
{
    launch_t launch = {.spawn = spawn,
        .filter = seccomp_program(runtime_has_one_user()),
        .pidfd = -1,
        .inner_stack = s_inner_stack};
    sigset_t all;
    sigset_t before;
    ASAN_UNPOISON_MEMORY_REGION(s_stack, STACK_SIZE); /* children never return from their frames */
    ASAN_UNPOISON_MEMORY_REGION(s_inner_stack, STACK_SIZE);
    sigfillset(&all); /* a handler in the child would run in our memory */
    sigprocmask(SIG_SETMASK, &all, &before);
    int rc = !spawn->rootfs   ? start_by(join, &launch, err)
             : spawn->pids_of ? start_by(join_pids, &launch, err)
                              : start_own(&launch, err);
    sigprocmask(SIG_SETMASK, &before, NULL);
    if (rc < 0)
        return rc;
    *pid_p = launch.pid;
    *pidfd_p = launch.pidfd;
    return 0;
}
