#include "services/cluster/environment.h"

#include "base/auto.h"
#include "base/job.h"
#include "base/log.h"
#include "base/mem.h"
#include "services/cluster/channel.h"
#include "services/cluster/deploy.h"
#include "services/cluster/launcher.h"
#include "services/cluster/leftovers.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { TOKEN_BYTES = 24 };

struct environment {
    const environment_context_t *context; /* borrowed */
    char *id;
    char *app;
    char *namespace;
    char *session; /* or NULL */
    environment_state_t state;
    char *reason; /* or NULL */
    char *work_dir;
    char *cgroup; /* known from its folder, which may be gone before it; NULL: not made yet */
    char *server;
    char *shell; /* the path of a socket */
    char *token, *agent_token;
    json_t *settings; /* of its first process; NULL: that was started */
    launched_t launched;
    channel_t *channel;
    zhashx_t *forwarded; /* id -> bus_request_t, owned until answered */
    uint64_t last_forward;
    deploy_t deploy;
    job_t *deploy_job;
    json_t *features;
    json_t *phases;
    int64_t created_at; /* by the loop's clock */
    environment_fn *on_change;
    void *arg;
};

/* ---- state -------------------------------------------------------------------------------------
 */

static const char *const state_names[] = {
    [ENVIRONMENT_CREATING] = "creating",
    [ENVIRONMENT_READY] = "ready",
    [ENVIRONMENT_DELETING] = "deleting",
    [ENVIRONMENT_GONE] = "gone",
    [ENVIRONMENT_FAILED] = "failed",
};

#define BIT(state) (1U << (state))

static const unsigned allowed[] = {
    [ENVIRONMENT_CREATING] =
        BIT(ENVIRONMENT_READY) | BIT(ENVIRONMENT_DELETING) | BIT(ENVIRONMENT_FAILED),
    [ENVIRONMENT_READY] = BIT(ENVIRONMENT_DELETING) | BIT(ENVIRONMENT_FAILED),
    [ENVIRONMENT_DELETING] = BIT(ENVIRONMENT_GONE),
    [ENVIRONMENT_GONE] = 0,
    [ENVIRONMENT_FAILED] = 0,
};

/* The environment may be gone when this returns. */
static void enter_state(environment_t *self, environment_state_t state, const char *reason)
{
    assert(allowed[self->state] & BIT(state));
    self->state = state;
    free(self->reason);
    self->reason = reason ? xstrdup(reason) : NULL;
    log_info("env.changed", "env=%s state=%s%s%s%s", self->id, state_names[state],
        reason ? " reason=\"" : "", reason ? reason : "", reason ? "\"" : "");
    self->on_change(self->arg, self);
}

/* ---- ending ------------------------------------------------------------------------------------
 */

/* Everything of an ended environment that its first process does not take with it. */
static void clean_up(environment_t *self)
{
    channel_destroy(&self->channel);
    job_join(&self->deploy_job);
    for (bus_request_t *request = zhashx_first(self->forwarded); request;
         request = zhashx_next(self->forwarded))
        bus_fail(&request, ERR_UNAVAILABLE, "environment '%s' is gone", self->id);
    zhashx_purge(self->forwarded);
    leftovers_sweep(self->cgroup, self->work_dir);
}

static void reap(environment_t *self)
{
    if (self->launched.pidfd < 0)
        return;
    ev_fd_end(self->context->ev, self->launched.pidfd);
    (void)pidfd_send_signal(self->launched.pidfd, SIGKILL, NULL, 0); /* it may have ended */
    siginfo_t info;
    (void)waitid(P_PIDFD, (id_t)self->launched.pidfd, &info, WEXITED);
    close(self->launched.pidfd);
    self->launched.pidfd = -1;
}

static void end_as(environment_t *self, environment_state_t state, const char *reason)
{
    reap(self);
    clean_up(self);
    enter_state(self, state, reason);
}

static void on_ended(void *arg, int fd, uint32_t events)
{
    (void)fd, (void)events;
    environment_t *self = arg;
    if (self->state == ENVIRONMENT_DELETING)
        end_as(self, ENVIRONMENT_GONE, NULL);
    else
        end_as(self, ENVIRONMENT_FAILED, "its first process ended");
}

void environment_delete(environment_t *self)
{
    if (self->state != ENVIRONMENT_CREATING && self->state != ENVIRONMENT_READY)
        return;
    enter_state(self, ENVIRONMENT_DELETING, NULL);
    if (self->settings)
        end_as(self, ENVIRONMENT_GONE, NULL);
    else
        (void)pidfd_send_signal(self->launched.pidfd, SIGKILL, NULL, 0); /* on_ended() goes on */
}

/* ---- becoming ready ----------------------------------------------------------------------------
 */

static void on_deployed(void *arg, void *task)
{
    environment_t *self = arg;
    deploy_t *deploy = task;
    self->deploy_job = NULL;
    free(self->namespace);
    self->namespace = deploy->namespace ? TAKE(deploy->namespace) : xstrdup("");
    if (deploy->phases)
        json_object_update_new(self->phases, TAKE(deploy->phases));
    if (self->state != ENVIRONMENT_CREATING)
        return;
    if (deploy->rc < 0) {
        end_as(self, ENVIRONMENT_FAILED, deploy->err.text);
        return;
    }
    json_object_set_new(
        self->phases, "total", json_integer(ev_now(self->context->ev) - self->created_at));
    enter_state(self, ENVIRONMENT_READY, NULL);
}

static void begin_deploy(environment_t *self)
{
    if (!*self->app) {
        enter_state(self, ENVIRONMENT_READY, NULL);
        return;
    }
    self->deploy = (deploy_t){
        .server = self->server,
        .token = self->token,
        .ca = self->context->certificates->ca,
        .data_dir = self->context->data_dir,
        .app = self->app,
        .timeout_ms = self->context->ready_timeout_ms,
    };
    self->deploy_job = job_start(self->context->ev, deploy_run, &self->deploy, on_deployed, self);
    if (!self->deploy_job)
        end_as(self, ENVIRONMENT_FAILED, "no thread for the deployment");
}

static void on_started(environment_t *self, const env_info_t *info)
{
    json_decref(self->features);
    self->features = json_incref(info->features);
    json_object_update(self->phases, info->phases);
    if (strcmp(info->state, "ready") != 0)
        end_as(self, ENVIRONMENT_FAILED, info->reason ? info->reason : "it did not start");
    else if (self->state == ENVIRONMENT_CREATING)
        begin_deploy(self);
}

/* ---- control line ------------------------------------------------------------------------------
 */

static void on_reply(environment_t *self, const envelope_t *envelope)
{
    const codec_type_t *type = codec_find(envelope->type, strlen(envelope->type));
    bus_request_t *request = zhashx_lookup(self->forwarded, envelope->corr);
    void *message = NULL;
    if (!request || !type
        || codec_decode(type, envelope->body, envelope->body_size, &message, NULL) < 0)
        return;
    zhashx_delete(self->forwarded, envelope->corr);
    const error_reply_t *error = message;
    if (type == &error_reply_type)
        bus_fail(&request, err_code_parse(error->code), "%s", error->text);
    else
        bus_reply(&request, type, message);
    codec_free(type, message);
}

static void on_control(void *arg, const envelope_t *envelope)
{
    environment_t *self = arg;
    void *message = NULL;
    if (!envelope)
        return; /* on_ended() tells */
    if (envelope->kind == ENVELOPE_REPLY) {
        on_reply(self, envelope);
    } else if (strcmp(envelope->type, env_info_type.name) == 0
               && codec_decode(&env_info_type, envelope->body, envelope->body_size, &message, NULL)
                      == 0) {
        on_started(self, message);
        codec_free(&env_info_type, message);
    }
}

void environment_forward(
    environment_t *self, bus_request_t **request_p, const codec_type_t *type, const void *message)
{
    if (self->state != ENVIRONMENT_READY) {
        bus_fail(
            request_p, ERR_STATE, "environment '%s' is %s", self->id, state_names[self->state]);
        return;
    }
    char id[24];
    snprintf(id, sizeof(id), "%llu", (unsigned long long)++self->last_forward);
    zhashx_insert(self->forwarded, id, *request_p);
    *request_p = NULL;
    channel_send(self->channel, ENVELOPE_REQUEST, id, NULL, type, message);
}

/* ---- telling -----------------------------------------------------------------------------------
 */

const char *environment_id(const environment_t *self)
{
    return self->id;
}

environment_state_t environment_state(const environment_t *self)
{
    return self->state;
}

void environment_info(const environment_t *self, bool with_secrets, env_info_t *info)
{
    *info = (env_info_t){
        .env = self->id,
        .state = state_names[self->state],
        .reason = self->reason,
        .app = self->app,
        .namespace = self->namespace,
        .node = self->context->node,
        .features = self->features,
        .phases = self->phases,
    };
    if (!with_secrets)
        return;
    info->server = self->server;
    info->shell = self->shell;
    info->ca = self->context->certificates->ca;
    info->token = self->token;
    info->agent_token = self->agent_token;
}

json_t *environment_summary(const environment_t *self)
{
    return json_pack("{s:s, s:s, s:s, s:s, s:s, s:s*, s:s*, s:I}", "env", self->id, "state",
        state_names[self->state], "app", self->app, "namespace", self->namespace, "node",
        self->context->node, "session", self->session, "reason", self->reason, "age_ms",
        (json_int_t)(ev_now(self->context->ev) - self->created_at));
}

/* ---- life cycle --------------------------------------------------------------------------------
 */

static char *new_token(void)
{
    unsigned char bytes[TOKEN_BYTES];
    char *text = xcalloc(1, 2 * sizeof(bytes) + 1);
    if (getrandom(bytes, sizeof(bytes), 0) != (ssize_t)sizeof(bytes))
        abort(); /* no randomness, no secrets */
    for (size_t i = 0; i < sizeof(bytes); i++)
        snprintf(text + 2 * i, 3, "%02x", bytes[i]);
    return text;
}

/* What agents must not see, should it be installed where containers see it. */
static json_t *hidden_paths(const environment_context_t *context)
{
    AUTO_FREE char *problems = xasprintf("%s/problems", context->data_dir);
    AUTO_FREE char *apps = xasprintf("%s/apps", context->data_dir);
    return json_pack("[s, s, s]", problems, apps, context->bundles);
}

static json_t *settings_of(const environment_t *self, const env_create_t *wanted)
{
    const environment_context_t *context = self->context;
    return json_pack("{s:s, s:s, s:I, s:I, s:s, s:s, s:s, s:s, s:s, s:O, s:s, s:s, s:I, s:I, s:o}",
        "env", self->id, "work_dir", self->work_dir, "nodes",
        (json_int_t)(wanted->nodes ? wanted->nodes : 3), "seed", (json_int_t)wanted->seed, "cert",
        context->certificates->cert, "key", context->certificates->key, "ca",
        context->certificates->ca, "token", self->token, "agent_token", self->agent_token, "images",
        context->images, "bundles", context->bundles, "kubectl", context->kubectl, "backoff_ms",
        (json_int_t)context->backoff_ms, "backoff_max_ms", (json_int_t)context->backoff_max_ms,
        "hidden", hidden_paths(context));
}

static int launch(environment_t *self, err_t *err)
{
    AUTO_FREE char *parent = xasprintf("%s/envs", self->context->run_dir);
    if ((mkdir(parent, 0700) < 0 && errno != EEXIST) || mkdir(self->work_dir, 0700) < 0)
        return err_set(err, ERR_IO, "cannot make '%s': %s", self->work_dir, strerror(errno));
    self->cgroup = leftovers_cgroup(self->id, self->work_dir);
    json_auto_t *settings = TAKE(self->settings);
    json_object_set_new(settings, "cgroup", json_string(self->cgroup));
    int rc = launcher_start(self->context->program, settings, &self->launched, err);
    if (rc < 0)
        return rc;
    self->server = xasprintf("https://127.0.0.1:%d", self->launched.port);
    self->channel = channel_new(self->context->ev, self->launched.control_fd, on_control, self);
    ev_fd(self->context->ev, self->launched.pidfd, EPOLLIN, on_ended, self);
    return 0;
}

void environment_start(environment_t *self)
{
    err_t err = {0};
    if (launch(self, &err) < 0)
        end_as(self, ENVIRONMENT_FAILED, err.text);
}

environment_t *environment_new(const environment_context_t *context, const char *id,
    const env_create_t *wanted, environment_fn *on_change, void *arg)
{
    environment_t *self = xcalloc(1, sizeof(*self));
    *self = (environment_t){
        .context = context,
        .id = xstrdup(id),
        .app = xstrdup(wanted->app),
        .namespace = xstrdup(""),
        .session = wanted->session ? xstrdup(wanted->session) : NULL,
        .work_dir = xasprintf("%s/envs/%s", context->run_dir, id),
        .shell = xasprintf("%s/envs/%s/" SHELL_SOCKET, context->run_dir, id),
        .token = new_token(),
        .agent_token = new_token(),
        .launched = {.pidfd = -1, .control_fd = -1},
        .forwarded = zhashx_new(),
        .features = json_object(),
        .phases = json_object(),
        .created_at = ev_now(context->ev),
        .on_change = on_change,
        .arg = arg,
    };
    self->settings = settings_of(self, wanted);
    return self;
}

void environment_destroy(environment_t **self_p)
{
    environment_t *self = *self_p;
    if (!self)
        return;
    reap(self);
    clean_up(self);
    free(self->deploy.namespace);
    json_decref(self->deploy.phases);
    zhashx_destroy(&self->forwarded);
    json_decref(self->settings);
    json_decref(self->features);
    json_decref(self->phases);
    free(self->agent_token);
    free(self->token);
    free(self->shell);
    free(self->server);
    free(self->cgroup);
    free(self->work_dir);
    free(self->reason);
    free(self->session);
    free(self->namespace);
    free(self->app);
    free(self->id);
    free(self);
    *self_p = NULL;
}
