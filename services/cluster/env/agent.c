#include "services/cluster/env/agent.h"

#include "base/auto.h"
#include "base/base64.h"
#include "base/log.h"
#include "base/mem.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

/* What an agent can write, it can fill: only so much, and in memory that its limit counts. */
#define HOME_OPTIONS "size=256m,nr_inodes=64k,mode=755"

enum { AGENT_UID = 61001, MEMORY_LIMIT = 1 << 30, PROCESS_LIMIT = 256 };

static const char address[] = "10.244.255.2";
static const char home[] = "/home/agent";

struct agent {
    sandbox_t *sandbox;
    container_t *holder; /* keeps the sandbox's namespaces */
    int holder_output;
    char *home; /* in the environment's file system */
};

/* ---- files -------------------------------------------------------------------------------------
 */

/* In a user namespace of one user everything is that user's already. */
static void give(int fd)
{
    (void)fchown(fd, AGENT_UID, AGENT_UID);
}

static bool is_inside(const char *path)
{
    if (*path == '/' || !*path)
        return false;
    for (const char *part = path; part; part = strchr(part, '/')) {
        part += *part == '/' ? 1 : 0;
        if (strncmp(part, "..", 2) == 0 && (part[2] == '/' || !part[2]))
            return false;
    }
    return true;
}

/* Opens the folder that holds path's last part, making what is missing; links are not followed, for
 * the agent may have put some there. */
static int open_parent(const char *root, const char *path, const char **last_p)
{
    int folder = open(root, O_PATH | O_DIRECTORY | O_CLOEXEC);
    for (const char *slash; folder >= 0 && (slash = strchr(path, '/')); path = slash + 1) {
        AUTO_FREE char *name = xstrndup(path, (size_t)(slash - path));
        if (!*name)
            continue;
        (void)mkdirat(folder, name, 0755); /* it may exist */
        int next = openat(folder, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (next >= 0)
            give(next);
        close(folder);
        folder = next;
    }
    *last_p = path;
    return folder;
}

int agent_put(agent_t *self, const char *path, const void *bytes, size_t size, err_t *err)
{
    if (!is_inside(path))
        return err_set(err, ERR_INVALID, "'%s' is not a path below the agent's home", path);
    const char *name = NULL;
    int folder = open_parent(self->home, path, &name);
    int fd = folder < 0 ? -1
                        : openat(folder, name,
                            O_CREAT | O_WRONLY | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0644);
    ssize_t written = fd < 0 ? -1 : write(fd, bytes, size);
    int error = errno;
    if (fd >= 0) {
        give(fd);
        close(fd);
    }
    if (folder >= 0)
        close(folder);
    if (written != (ssize_t)size)
        return err_set(err, ERR_IO, "cannot write '%s': %s", path, strerror(error));
    return 0;
}

static int write_kubeconfig(agent_t *self, const agent_config_t *config, err_t *err)
{
    AUTO_FREE char *ca = base64_encode(config->ca, strlen(config->ca));
    AUTO_FREE char *text =
        xasprintf("apiVersion: v1\nkind: Config\ncurrent-context: kind-kind\n"
                  "clusters:\n- name: kind-kind\n  cluster:\n    server: https://10.96.0.1:443\n"
                  "    certificate-authority-data: %s\n"
                  "contexts:\n- name: kind-kind\n  context: {cluster: kind-kind, user: kind-kind}\n"
                  "users:\n- name: kind-kind\n  user: {token: %s}\n",
            ca, config->token);
    return agent_put(self, ".kube/config", text, strlen(text), err);
}

/* ---- life cycle --------------------------------------------------------------------------------
 */

static void on_holder_exited(void *arg, const container_exit_t *exit)
{
    (void)arg;
    log_error("agent.lost", "code=%d", exit->code); /* commands fail from now on */
}

static bool is_in_usr(const char *path)
{
    return strncmp(path, "/usr/", 5) == 0;
}

static int start_holder(agent_t *self, const agent_config_t *config, err_t *err)
{
    char *argv[] = {(char *)"/usr/bin/sleep", (char *)"infinity", NULL};
    char *envp[] = {NULL};
    rootfs_mount_t mounts[2] = {{.source = self->home, .target = home}};
    size_t count = 1;
    if (*config->kubectl && !is_in_usr(config->kubectl))
        mounts[count++] = (rootfs_mount_t){
            .source = config->kubectl, .target = "/app/bin/kubectl", .is_read_only = true};
    container_config_t container = {.name = "agent",
        .argv = argv,
        .envp = envp,
        .mounts = mounts,
        .mount_count = count,
        .limits = {
            .cpu_request_millis = 1000, .memory_bytes = MEMORY_LIMIT, .pids = PROCESS_LIMIT}};
    streams_t streams;
    self->holder =
        container_start(self->sandbox, &container, &streams, on_holder_exited, self, err);
    if (!self->holder)
        return -(int)err->code;
    self->holder_output = streams.out;
    return 0;
}

agent_t *agent_new(runtime_t *runtime, const agent_config_t *config, err_t *err)
{
    AUTO(agent_destroy) agent_t *self = xcalloc(1, sizeof(*self));
    self->holder_output = -1;
    self->home = xasprintf("%s/agent-home", config->work_dir);
    if ((mkdir(self->home, 0755) < 0 && errno != EEXIST)
        || mount("home", self->home, "tmpfs", MS_NOSUID | MS_NODEV, HOME_OPTIONS) < 0) {
        err_set(err, ERR_IO, "cannot make '%s': %s", self->home, strerror(errno));
        return NULL;
    }
    (void)chown(self->home, AGENT_UID, AGENT_UID); /* see give() */
    if (write_kubeconfig(self, config, err) < 0)
        return NULL;
    struct in_addr at = {inet_addr(address)};
    self->sandbox = sandbox_new(
        runtime, "agent", at, "default.svc.cluster.local svc.cluster.local cluster.local", err);
    if (!self->sandbox || start_holder(self, config, err) < 0)
        return NULL;
    return TAKE(self);
}

void agent_destroy(agent_t **self_p)
{
    agent_t *self = *self_p;
    if (!self)
        return;
    container_destroy(&self->holder);
    if (self->holder_output >= 0)
        close(self->holder_output);
    sandbox_destroy(&self->sandbox);
    free(self->home);
    free(self);
    *self_p = NULL;
}

/* ---- commands ----------------------------------------------------------------------------------
 */

static const spawn_security_t security = {
    .uid = AGENT_UID, .gid = AGENT_UID, .has_no_new_privileges = true};

enum { VARIABLES = 6 };

/* terminal is borrowed. */
static void set_variables(char *envp[VARIABLES], char *terminal)
{
    envp[0] = (char *)"PATH=/app/bin:/usr/local/bin:/usr/bin:/bin:/usr/local/sbin:/usr/sbin:/sbin";
    envp[1] = (char *)"HOME=/home/agent";
    envp[2] = (char *)"USER=agent";
    envp[3] = (char *)"LANG=C.UTF-8";
    envp[4] = terminal;
    envp[5] = NULL;
}

command_t *agent_exec(agent_t *self, const char *command, int64_t timeout_ms, size_t output_limit,
    command_done_fn *on_done, void *arg, err_t *err)
{
    char *envp[VARIABLES];
    set_variables(envp, (char *)"TERM=dumb");
    char *argv[] = {(char *)"/usr/bin/bash", (char *)"-c", (char *)command, NULL};
    command_config_t config = {
        .argv = argv,
        .envp = envp,
        .cwd = home,
        .is_confined = true,
        .security = &security,
        .timeout_ms = timeout_ms,
        .output_limit = output_limit,
    };
    return command_start(self->holder, &config, on_done, arg, err);
}

task_t *agent_start(agent_t *self, const agent_task_t *wanted, streams_t *streams_p,
    container_exit_fn *on_exit, void *arg, err_t *err)
{
    AUTO_FREE char *terminal = xasprintf("TERM=%s", wanted->terminal ? wanted->terminal : "dumb");
    char *envp[VARIABLES];
    set_variables(envp, terminal);
    const task_config_t config = {
        .argv = wanted->argv,
        .envp = envp,
        .cwd = home,
        .has_input = true,
        .has_terminal = wanted->terminal,
        .columns = wanted->columns,
        .rows = wanted->rows,
        .is_confined = true,
        .security = &security,
    };
    return task_start(self->holder, &config, streams_p, on_exit, arg, err);
}
