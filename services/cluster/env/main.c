/* aiopslab-env - one environment: the first process of its namespaces.
 *
 * Started by aiopslab-cluster only, with its settings on descriptor 3. When it ends, the kernel
 * ends everything else in its pid namespace; it ends when its parent's side of the control line
 * does. */
#include "base/auto.h"
#include "base/log.h"
#include "base/mem.h"
#include "services/cluster/channel.h"
#include "services/cluster/env/agent.h"
#include "services/cluster/env/api/api.h"
#include "services/cluster/env/auth/account_secrets.h"
#include "services/cluster/env/auth/default_roles.h"
#include "services/cluster/env/auth/signer.h"
#include "services/cluster/env/auth/user.h"
#include "services/cluster/env/boot.h"
#include "services/cluster/env/controllers/controllers.h"
#include "services/cluster/env/kubelet/kubelet.h"
#include "services/cluster/env/object.h"
#include "services/cluster/env/settings.h"
#include "services/cluster/env/shells.h"

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

enum { SETTINGS_FD = 3, BACKLOG = 128, OUTPUT_LIMIT_MOST = 16 << 20 };

typedef struct env {
    ev_t *ev;
    json_t *settings;
    runtime_t *runtime;
    store_t *store;
    tokens_t *account_tokens; /* of ServiceAccounts */
    usage_t *usage;
    authority_t *authority; /* of client certificates */
    signer_t *signer;
    account_secrets_t *account_secrets;
    controllers_t *controllers;
    kubelet_t *kubelet;
    api_t *api;
    agent_t *agent;
    shells_t *shells;
    channel_t *channel;
} env_t;

static const char *setting(const env_t *self, const char *name)
{
    return object_string(self->settings, name);
}

/* ---- control line ------------------------------------------------------------------------------
 */

typedef struct exec_question {
    env_t *env;
    char *id;
} exec_question_t;

static void answer_error(env_t *self, const char *corr, const err_t *err)
{
    error_reply_t message = {.code = err_code_name(err->code), .text = err->text};
    channel_send(self->channel, ENVELOPE_REPLY, NULL, corr, &error_reply_type, &message);
}

static void on_executed(void *arg, const command_result_t *result)
{
    exec_question_t *question = arg;
    env_exec_result_t message = {
        .output = result->output,
        .exit_code = result->exit_code,
        .timed_out = result->is_timed_out,
        .omitted_bytes = (int64_t)result->omitted,
        .duration_ms = result->duration_ms,
    };
    channel_send(question->env->channel, ENVELOPE_REPLY, NULL, question->id, &env_exec_result_type,
        &message);
    free(question->id);
    free(question);
}

static void on_exec(env_t *self, const char *id, const void *message)
{
    const env_exec_t *exec = message;
    err_t err = {0};
    exec_question_t *question = xcalloc(1, sizeof(*question));
    *question = (exec_question_t){.env = self, .id = xstrdup(id)};
    int64_t limit = exec->output_limit > OUTPUT_LIMIT_MOST ? OUTPUT_LIMIT_MOST : exec->output_limit;
    if (agent_exec(self->agent, exec->command, exec->timeout_ms, (size_t)(limit > 0 ? limit : 0),
            on_executed, question, &err))
        return;
    free(question->id);
    free(question);
    answer_error(self, id, &err);
}

static void on_put(env_t *self, const char *id, const void *message)
{
    const env_put_t *put = message;
    err_t err = {0};
    if (agent_put(self->agent, put->path, put->content.bytes, put->content.size, &err) < 0)
        answer_error(self, id, &err);
    else
        channel_send(self->channel, ENVELOPE_REPLY, NULL, id, &ok_type, &(ok_t){});
}

static void on_node(env_t *self, const char *id, const void *message)
{
    const env_node_t *node = message;
    err_t err = {0};
    if (kubelet_set_node(self->kubelet, node->node, node->running, &err) < 0)
        answer_error(self, id, &err);
    else
        channel_send(self->channel, ENVELOPE_REPLY, NULL, id, &ok_type, &(ok_t){});
}

static const struct request {
    const codec_type_t *type;
    void (*handle)(env_t *self, const char *id, const void *message);
} requests[] = {{&env_exec_type, on_exec}, {&env_node_type, on_node}, {&env_put_type, on_put}};

static void on_control(void *arg, const envelope_t *envelope)
{
    env_t *self = arg;
    if (!envelope) {
        ev_stop(self->ev);
        return;
    }
    for (size_t i = 0; i < ARRAY_SIZE(requests); i++) {
        void *message = NULL;
        if (strcmp(requests[i].type->name, envelope->type) != 0
            || codec_decode(requests[i].type, envelope->body, envelope->body_size, &message, NULL)
                   < 0)
            continue;
        requests[i].handle(self, envelope->id, message);
        codec_free(requests[i].type, message);
    }
}

/* ---- start -------------------------------------------------------------------------------------
 */

/* The API server as pods see it. */
static int listen_inside(err_t *err)
{
    struct sockaddr_in at = {
        .sin_family = AF_INET, .sin_port = htons(6443), .sin_addr = {inet_addr("172.18.0.2")}};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0 || bind(fd, (struct sockaddr *)&at, sizeof(at)) < 0 || listen(fd, BACKLOG) < 0) {
        int rc = err_set(err, ERR_IO, "API server socket: %s", strerror(errno));
        if (fd >= 0)
            close(fd);
        return rc;
    }
    return fd;
}

static int start_api(env_t *self, err_t *err)
{
    /* As kubeadm makes them: the operator is above all roles, the agent has a binding. */
    static const char *const masters[] = {GROUP_MASTERS, NULL};
    static const char *const admins[] = {GROUP_ADMINS, NULL};
    const api_token_t tokens[] = {
        {setting(self, "token"), "kubernetes-super-admin", masters},
        {setting(self, "agent_token"), "kubernetes-admin", admins},
    };
    int inside = listen_inside(err);
    if (inside < 0)
        return inside;
    const int fds[] = {(int)object_integer(self->settings, "listen_fd", -1), inside};
    const api_config_t config = {
        .cert_pem = setting(self, "cert"),
        .key_pem = setting(self, "key"),
        .tokens = tokens,
        .token_count = ARRAY_SIZE(tokens),
        .account_tokens = self->account_tokens,
        .client_ca_pem = authority_pem(self->authority),
        .listen_fds = fds,
        .listen_count = ARRAY_SIZE(fds),
        .node = kubelet_node_ops(),
        .node_arg = self->kubelet,
        .usage = self->usage,
    };
    self->api = api_new(self->ev, self->store, &config, err);
    return self->api ? 0 : -ERR_IO;
}

static int start_kubelet(env_t *self, err_t *err)
{
    const kubelet_config_t config = {
        .images = object_at(self->settings, "images"),
        .bundles = setting(self, "bundles"),
        .work_dir = setting(self, "work_dir"),
        .tokens = self->account_tokens,
        .node_count = (int)object_integer(self->settings, "nodes", 3),
        .backoff_ms = object_integer(self->settings, "backoff_ms", 0),
        .backoff_max_ms = object_integer(self->settings, "backoff_max_ms", 0),
    };
    self->kubelet = kubelet_new(self->ev, self->store, self->runtime, &config, err);
    usage_set_reader(self->usage, kubelet_read_usage, self->kubelet);
    return self->kubelet ? 0 : -ERR_IO;
}

static int start_agent(env_t *self, err_t *err)
{
    const agent_config_t config = {
        .work_dir = setting(self, "work_dir"),
        .kubectl = setting(self, "kubectl"),
        .token = setting(self, "agent_token"),
        .ca = setting(self, "ca"),
    };
    self->agent = agent_new(self->runtime, &config, err);
    if (!self->agent)
        return -ERR_IO;
    AUTO_FREE char *path = xasprintf("%s/" SHELL_SOCKET, config.work_dir);
    self->shells = shells_new(self->ev, self->agent, path, err);
    return self->shells ? 0 : -ERR_IO;
}

static int start_store(env_t *self, err_t *err)
{
    self->store = store_new(self->ev, (uint64_t)object_integer(self->settings, "seed", 0));
    self->usage = usage_new(self->ev, self->store);
    self->controllers = controllers_new(self->ev, self->store, self->usage, setting(self, "ca"));
    (void)err;
    self->account_tokens = tokens_new(self->store);
    self->authority = authority_new();
    self->signer = signer_new(self->store, self->authority);
    self->account_secrets =
        account_secrets_new(self->store, self->account_tokens, setting(self, "ca"));
    boot_objects(self->store, authority_pem(self->authority));
    return 0;
}

static int start_runtime(env_t *self, err_t *err)
{
    const runtime_config_t config = {
        .cgroup = setting(self, "cgroup"),
        .work_dir = setting(self, "work_dir"),
        .hidden = object_at(self->settings, "hidden"),
    };
    self->runtime = runtime_new(self->ev, &config, err);
    return self->runtime ? 0 : -ERR_IO;
}

static const struct phase {
    const char *name;
    int (*start)(env_t *self, err_t *err);
} phases[] = {
    {"runtime", start_runtime},
    {"store", start_store},
    {"kubelet", start_kubelet},
    {"api", start_api},
    {"agent", start_agent},
};

/* Tells the cluster service that all is ready, or why not. */
static void report(env_t *self, json_t *times, const err_t *err)
{
    json_auto_t *features =
        self->runtime ? json_incref((json_t *)runtime_features(self->runtime)) : json_object();
    env_info_t info = {
        .env = setting(self, "env"),
        .state = err ? "failed" : "ready",
        .reason = err ? err->text : NULL,
        .app = "",
        .namespace = "",
        .node = "",
        .features = features,
        .phases = times,
    };
    channel_send(self->channel, ENVELOPE_EVENT, NULL, NULL, &env_info_type, &info);
}

static int start(env_t *self)
{
    err_t err = {0};
    json_auto_t *times = json_object();
    self->channel = channel_new(
        self->ev, (int)object_integer(self->settings, "control_fd", -1), on_control, self);
    for (size_t i = 0; i < ARRAY_SIZE(phases); i++) {
        int64_t begun = ev_now(self->ev);
        if (phases[i].start(self, &err) < 0) {
            err_wrap(&err, "%s", phases[i].name);
            report(self, times, &err);
            return -1;
        }
        json_object_set_new(times, phases[i].name, json_integer(ev_now(self->ev) - begun));
    }
    report(self, times, NULL);
    return 0;
}

/* What the parent's mounts look like does not matter from here on; /proc must be this namespace's.
 */
static int enter(err_t *err)
{
    prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
    if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
        return err_set(err, ERR_IO, "cannot make mounts private: %s%s", strerror(errno),
            errno == EINVAL ? " (in a chroot the root is no mount point, and pods need one)" : "");
    if (mount("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL) < 0)
        return err_set(err, ERR_IO, "cannot mount /proc: %s", strerror(errno));
    return 0;
}

int main(void)
{
    env_t self = {0};
    err_t err = {0};
    if (enter(&err) < 0 || settings_read(SETTINGS_FD, &self.settings, &err) < 0) {
        log_error("env.failed", "error=\"%s\"", err.text);
        return EXIT_FAILURE;
    }
    close(SETTINGS_FD);
    self.ev = ev_new();
    ev_stop_on_signals(self.ev);
    if (start(&self) == 0)
        ev_run(self.ev);
    /* No taking apart: the end of this process is the end of everything in its namespaces. */
    return EXIT_SUCCESS;
}
