#include "tests/e2e/session/lab.h"

#include "base/auto.h"
#include "base/mem.h"
#include "tests/support/folder.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static const char *const names[LAB_PROGRAMS] = {
    "broker", "cluster", "evaluator", "injector", "loadgen", "telemetry", "orchestrator"};

/* ---- processes ---------------------------------------------------------------------------- */

static size_t index_of(const char *name)
{
    size_t i = 0;
    while (strcmp(names[i], name) != 0)
        i++;
    return i;
}

void lab_start(lab_t *self, const char *name)
{
    AUTO_FREE char *program = xasprintf("%s/aiopslab-%s", getenv("AIOPSLAB_BIN"), name);
    AUTO_FREE char *log = xasprintf("%s/%s.log", self->folder, name);
    pid_t parent = getpid();
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        sigset_t none;
        sigemptyset(&none);
        sigprocmask(SIG_SETMASK, &none, NULL);
        prctl(PR_SET_PDEATHSIG, SIGKILL); /* a failed test leaves nothing behind */
        if (getppid() != parent)
            _exit(1);
        int fd = open(log, O_WRONLY | O_CREAT | O_APPEND, 0600);
        dup2(fd, STDERR_FILENO);
        bool is_broker = strcmp(name, "broker") == 0; /* of which there is one */
        execl(program, program, is_broker ? NULL : "--name", "a", (char *)NULL);
        _exit(127);
    }
    self->pids[index_of(name)] = pid;
}

void lab_kill(lab_t *self, const char *name)
{
    pid_t *pid = &self->pids[index_of(name)];
    kill(*pid, SIGKILL);
    assert_int_equal(waitpid(*pid, NULL, 0), *pid);
    *pid = 0;
}

/* ---- asking ------------------------------------------------------------------------------- */

/* The reply, for codec_free(), or NULL with *err. */
static void *ask(lab_t *self, const char *target, const codec_type_t *type, const void *message,
    const codec_type_t *expected, err_t *err)
{
    void *reply = NULL;
    bus_call_t call = {.target = target, .type = type, .message = message, .timeout_ms = 120000};
    return bus_call(self->bus, &call, expected, &reply, err) == 0 ? reply : NULL;
}

static void run_for(lab_t *self, int64_t span_ms)
{
    ev_after(self->ev, span_ms, (ev_timer_fn *)ev_stop, self->ev);
    ev_run(self->ev);
}

char *lab_open(lab_t *self, const char *problem, int64_t idle_limit_ms)
{
    err_t err = {0};
    session_open_t message = {
        .problem = problem, .agent = "e2e", .idle_limit_ms = idle_limit_ms, .seed = 1};
    session_opened_t *reply =
        ask(self, "orchestrator", &session_open_type, &message, &session_opened_type, &err);
    if (!reply)
        fail_msg("%s", err.text);
    char *session = xstrdup(reply->session);
    codec_free(&session_opened_type, reply);
    return session;
}

static bool is_end(const char *state)
{
    return strcmp(state, "closed") == 0 || strcmp(state, "failed") == 0;
}

char *lab_await(lab_t *self, const char *session, const char *state, int64_t within_ms)
{
    int64_t deadline = ev_now(self->ev) + within_ms;
    char *text = NULL;
    while (ev_now(self->ev) < deadline) {
        session_info_t *info = ask(self, "orchestrator", &session_get_type,
            &(session_get_t){session}, &session_info_type, NULL);
        free(text);
        text = info && info->reason ? xasprintf("%s: %s", info->state, info->reason)
                                    : xstrdup(info ? info->state : "unknown");
        bool is_there = info && (strcmp(info->state, state) == 0 || is_end(info->state));
        codec_free(&session_info_type, info);
        if (is_there)
            return text;
        run_for(self, 20);
    }
    fail_msg("the session is '%s', not '%s' in time", text, state);
    return text;
}

char *lab_act(lab_t *self, const char *session, int64_t step, const char *action)
{
    err_t err = {0};
    session_act_t message = {.session = session, .step = step, .action = action};
    session_observation_t *reply =
        ask(self, "orchestrator", &session_act_type, &message, &session_observation_type, &err);
    char *text = reply ? xstrdup(reply->observation)
                       : xasprintf("%s: %s", err_code_name(err.code), err.text);
    codec_free(&session_observation_type, reply);
    return text;
}

json_t *lab_result(lab_t *self, const char *session)
{
    session_outcome_t *outcome = ask(self, "orchestrator", &session_result_type,
        &(session_result_t){session}, &session_outcome_type, NULL);
    json_t *result = outcome ? json_incref(outcome->result) : NULL;
    codec_free(&session_outcome_type, outcome);
    return result;
}

size_t lab_count_envs(lab_t *self)
{
    env_listing_t *listing =
        ask(self, "cluster", &env_list_type, &(env_list_t){}, &env_listing_type, NULL);
    size_t count = listing ? json_array_size(listing->envs) : 0;
    codec_free(&env_listing_type, listing);
    return count;
}

/* ---- life cycle --------------------------------------------------------------------------- */

int lab_set_up(void **state)
{
    lab_t *self = xcalloc(1, sizeof(*self));
    strcpy(self->folder, "/tmp/session-e2e-XXXXXX");
    assert_non_null(mkdtemp(self->folder));
    AUTO_FREE char *run = xasprintf("%s/run", self->folder);
    AUTO_FREE char *states = xasprintf("%s/state", self->folder);
    setenv("AIOPSLAB_RUN", run, 1);
    setenv("AIOPSLAB_STATE", states, 1);
    mkdir(run, 0700);
    self->ev = ev_new();
    for (size_t i = 0; i < LAB_PROGRAMS; i++)
        lab_start(self, names[i]);
    AUTO_FREE char *endpoint = xasprintf("ipc://%s/requests", run);
    self->bus = bus_new(self->ev, &(bus_config_t){.name = "test", .endpoint = endpoint}, NULL);
    *state = self;
    return 0;
}

int lab_tear_down(void **state)
{
    lab_t *self = *state;
    bus_destroy(&self->bus);
    for (size_t i = LAB_PROGRAMS; i > 0; i--) {
        if (!self->pids[i - 1])
            continue;
        kill(self->pids[i - 1], SIGTERM);
        waitpid(self->pids[i - 1], NULL, 0);
    }
    ev_destroy(&self->ev);
    int rc = getenv("KEEP_LOGS") ? 0 : folder_remove(self->folder);
    free(self);
    return rc;
}
