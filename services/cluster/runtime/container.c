#include "services/cluster/runtime/internal.h"

#include "base/auto.h"
#include "base/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/wait.h>
#include <unistd.h>

enum { DEFAULT_PIDS = 512, OPEN_FILES = 1024 };

static const char passwd_text[] = "root:x:0:0:root:/root:/bin/bash\n"
                                  "nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\n"
                                  "agent:x:61001:61001:agent:/home/agent:/bin/bash\n";
static const char group_text[] = "root:x:0:\nnogroup:x:65534:\nagent:x:61001:\n";
static const char nsswitch_text[] = "passwd: files\ngroup: files\nhosts: files dns\n";

void exit_of_pidfd(int pidfd, container_exit_t *exit)
{
    siginfo_t info = {0};
    *exit = (container_exit_t){.code = 255};
    if (waitid(P_PIDFD, (id_t)pidfd, &info, WEXITED) < 0)
        return;
    bool is_signal = info.si_code != CLD_EXITED;
    exit->signal = is_signal ? info.si_status : 0;
    exit->code = is_signal ? 128 + info.si_status : info.si_status;
}

static void reap(container_t *self, container_exit_t *exit)
{
    ev_fd_end(self->runtime->ev, self->pidfd);
    if (self->is_guest) /* its processes do not end with the namespace */
        session_kill(self->pid);
    exit_of_pidfd(self->pidfd, exit);
    exit->is_oom = cgroup_was_oom(&self->cgroup);
    close(self->pidfd);
    self->pidfd = -1;
}

static void on_exited(void *arg, int fd, uint32_t events)
{
    (void)fd, (void)events;
    container_t *self = arg;
    container_exit_t exit;
    reap(self, &exit);
    if (self->on_exit)
        self->on_exit(self->arg, &exit);
    else
        container_bury(self);
}

/* Without cgroups an address space that cannot grow is what is left of a memory limit. */
static size_t choose_limits(
    const runtime_t *runtime, const cgroup_limits_t *limits, spawn_limit_t chosen[4])
{
    size_t count = 0;
    chosen[count++] = (spawn_limit_t){RLIMIT_NOFILE, OPEN_FILES};
    chosen[count++] = (spawn_limit_t){RLIMIT_CORE, 0};
    if (runtime->cgroups.version == CGROUP_NONE) {
        enum { ROOM = 256 << 20 }; /* libraries and stacks are mapped, not used */
        chosen[count++] = (spawn_limit_t){RLIMIT_NPROC, 4UL * DEFAULT_PIDS};
        if (limits->memory_bytes)
            chosen[count++] = (spawn_limit_t){RLIMIT_DATA, (rlim_t)limits->memory_bytes + ROOM};
    }
    return count;
}

static int spawn_container(container_t *self, const sandbox_t *sandbox,
    const container_config_t *config, const stream_ends_t *ends, err_t *err)
{
    AUTO_FREE char *hostname = xasprintf("%s\n", sandbox->name);
    const rootfs_file_t files[] = {
        {"etc/hosts", sandbox->hosts},
        {"etc/hostname", hostname},
        {"etc/resolv.conf", sandbox->resolv_conf},
        {"etc/passwd", passwd_text},
        {"etc/group", group_text},
        {"etc/nsswitch.conf", nsswitch_text},
    };
    const rootfs_t rootfs = {
        .stage = sandbox->runtime->stage,
        .options = "size=256m,nr_inodes=64k,mode=755",
        .hidden = (const char *const *)sandbox->runtime->hidden,
        .is_read_only = config->is_root_read_only,
        .mounts = config->mounts,
        .mount_count = config->mount_count,
        .files = files,
        .file_count = ARRAY_SIZE(files),
    };
    spawn_limit_t limits[4];
    const spawn_t spawn = {
        .argv = config->argv,
        .envp = config->envp,
        .cwd = config->cwd,
        .hostname = sandbox->name,
        .in_fd = ends->theirs.in,
        .out_fd = ends->theirs.out,
        .err_fd = ends->theirs.err,
        .terminal_to = ends->terminal_to,
        .rootfs = &rootfs,
        .net_fd = sandbox->net_fd,
        .pids_of = config->pids_of ? config->pids_of->pidfd : 0,
        .security = &self->security,
        .cgroup_fds = self->cgroup.enter_fds,
        .cgroup_count = self->cgroup.enter_count,
        .limits = limits,
        .limit_count = choose_limits(sandbox->runtime, &config->limits, limits),
    };
    return spawn_start(&spawn, &self->pid, &self->pidfd, err);
}

/* For the commands that will join it. */
static void keep_security(container_t *self, const spawn_security_t *security)
{
    self->security = *security;
    self->groups = xcalloc(security->group_count + 1, sizeof(*self->groups));
    for (size_t i = 0; i < security->group_count; i++)
        self->groups[i] = security->groups[i];
    self->security.groups = self->groups;
}

container_t *container_start(sandbox_t *sandbox, const container_config_t *config,
    streams_t *streams_p, container_exit_fn *on_exit, void *arg, err_t *err)
{
    AUTO(container_destroy) container_t *self = xcalloc(1, sizeof(*self));
    *self = (container_t){.runtime = sandbox->runtime,
        .pidfd = -1,
        .is_guest = config->pids_of != NULL,
        .on_exit = on_exit,
        .arg = arg};
    keep_security(self, &config->security);
    cgroup_limits_t limits = config->limits;
    limits.pids = limits.pids ? limits.pids : DEFAULT_PIDS;
    if (cgroup_init(&self->cgroup, &sandbox->runtime->cgroups, config->name, &limits, err) < 0)
        return NULL;
    stream_ends_t ends;
    if (stream_ends_init(&ends, config->has_input, false, config->has_terminal, err) < 0)
        return NULL;
    int rc = spawn_container(self, sandbox, config, &ends, err);
    if (rc == 0)
        ev_fd(self->runtime->ev, self->pidfd, EPOLLIN, on_exited, self);
    if (stream_ends_done(&ends, rc == 0 ? streams_p : NULL, rc == 0 ? err : NULL) < 0 || rc < 0)
        return NULL;
    return TAKE(self);
}

void container_bury(container_t *self)
{
    enum { PATIENCE_MS = 1000 };
    container_exit_t exit;
    void *handle = zlistx_find(self->runtime->dying, self);
    if (handle)
        (void)zlistx_detach(self->runtime->dying, handle);
    struct pollfd end = {.fd = self->pidfd, .events = POLLIN};
    if (self->pidfd >= 0 && poll(&end, 1, PATIENCE_MS) == 1)
        reap(self, &exit);
    cgroup_done(&self->cgroup);
    free(self->groups);
    free(self);
}

/* The kernel keeps the first process of a pid namespace until those in it that are our children,
 * commands and guests, are reaped. That is the loop's work: to wait here would be for ever. */
void container_destroy(container_t **self_p)
{
    container_t *self = TAKE(*self_p);
    if (!self)
        return;
    self->on_exit = NULL;
    container_kill(self, SIGKILL);
    if (self->pidfd < 0)
        container_bury(self);
    else
        zlistx_add_end(self->runtime->dying, self);
}

bool container_is_running(const container_t *self)
{
    return self->pidfd >= 0;
}

pid_t container_pid(const container_t *self)
{
    return self->pid;
}

void container_kill(container_t *self, int signal)
{
    if (self->pidfd >= 0)
        (void)pidfd_send_signal(self->pidfd, signal, NULL, 0); /* it may be ending right now */
}

/* ---- usage without cgroups: the sum over the processes of its pid namespace
 * ----------------------- */

static bool read_proc(pid_t pid, const char *name, char *text, size_t capacity)
{
    AUTO_FREE char *path = xasprintf("/proc/%d/%s", (int)pid, name);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return false;
    ssize_t size = read(fd, text, capacity - 1);
    close(fd);
    text[size > 0 ? size : 0] = '\0';
    return size > 0;
}

static bool read_process(pid_t pid, cgroup_usage_t *usage)
{
    char text[1024];
    unsigned long user = 0;
    unsigned long system = 0;
    long rss = 0;
    if (!read_proc(pid, "stat", text, sizeof(text)))
        return false;
    const char *fields = strrchr(text, ')'); /* the name before it may hold anything */
    if (!fields
        || sscanf(fields + 1,
               " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu %*d %*d %*d %*d"
               " %*d %*d %*u %*u %ld",
               &user, &system, &rss)
               != 3)
        return false;
    uint64_t tick_ns = 1000000000ULL / (uint64_t)sysconf(_SC_CLK_TCK);
    usage->cpu_user_ns += user * tick_ns;
    usage->cpu_system_ns += system * tick_ns;
    usage->rss_bytes += (uint64_t)rss * (uint64_t)sysconf(_SC_PAGESIZE);
    usage->pids++;
    return true;
}

static void read_children(pid_t pid, cgroup_usage_t *usage)
{
    char text[4096];
    AUTO_FREE char *name = xasprintf("task/%d/children", (int)pid);
    if (!read_process(pid, usage) || !read_proc(pid, name, text, sizeof(text)))
        return;
    char *rest = text;
    for (char *word = strtok_r(rest, " ", &rest); word; word = strtok_r(NULL, " ", &rest))
        read_children((pid_t)strtol(word, NULL, 10), usage);
}

bool container_read_usage(const container_t *self, cgroup_usage_t *usage)
{
    if (self->pidfd < 0)
        return false;
    if (cgroup_read(&self->cgroup, usage))
        return true;
    read_children(self->pid, usage);
    usage->cpu_ns = usage->cpu_user_ns + usage->cpu_system_ns;
    usage->memory_bytes = usage->working_set_bytes = usage->rss_bytes;
    return usage->pids > 0;
}
