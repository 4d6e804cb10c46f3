#include "tests/integration/orchestrator/cast.h"

#include "base/auto.h"
#include "base/mem.h"
#include "tests/support/folder.h"

#include <unistd.h>

/* ---- cluster ------------------------------------------------------------------------------ */

static env_info_t env_info(cast_t *self, const char *state)
{
    return (env_info_t){.env = self->env,
        .state = state,
        .app = "hotel-reservation",
        .namespace = "test-hotel-reservation",
        .node = "n1"};
}

static void on_env_create(void *arg, bus_request_t *request, const void *message)
{
    cast_t *self = arg;
    snprintf(self->env, sizeof(self->env), "%s", ((const env_create_t *)message)->env);
    if (self->env_error) {
        bus_fail(&request, ERR_IO, "%s", self->env_error);
        return;
    }
    self->created++;
    env_info_t reply = env_info(self, "ready");
    bus_reply(&request, &env_info_type, &reply);
}

static void on_env_get(void *arg, bus_request_t *request, const void *message)
{
    cast_t *self = arg;
    (void)message;
    env_info_t reply = env_info(self, "ready");
    if (self->is_env_lost || self->deleted >= self->created)
        bus_fail(&request, ERR_NOT_FOUND, "no such environment");
    else
        bus_reply(&request, &env_info_type, &reply);
}

static void on_env_delete(void *arg, bus_request_t *request, const void *message)
{
    cast_t *self = arg;
    (void)message;
    self->deleted++;
    bus_reply(&request, &ok_type, &(ok_t){});
}

/* One at a time: who asks anew has lost interest in what was kept before. */
static void keep(cast_t *self, bus_request_t *request)
{
    if (self->kept)
        bus_fail(&self->kept, ERR_STATE, "asked anew");
    self->kept = request;
}

static void on_env_exec(void *arg, bus_request_t *request, const void *message)
{
    cast_t *self = arg;
    self->executed++;
    snprintf(self->command, sizeof(self->command), "%s", ((const env_exec_t *)message)->command);
    keep(self, request);
    if (!self->is_exec_slow)
        cast_answer_exec(self, "done");
}

static void on_env_put(void *arg, bus_request_t *request, const void *message)
{
    cast_t *self = arg;
    self->put++;
    snprintf(self->put_path, sizeof(self->put_path), "%s", ((const env_put_t *)message)->path);
    bus_reply(&request, &ok_type, &(ok_t){});
}

void cast_answer_exec(cast_t *self, const char *output)
{
    bus_reply(&self->kept, &env_exec_result_type, &(env_exec_result_t){.output = output});
}

void cast_end_env(cast_t *self)
{
    AUTO_FREE char *topic = xasprintf("env/%s/state", self->env);
    env_info_t info = env_info(self, "gone");
    info.reason = "its first process died";
    bus_publish(self->cluster, topic, &env_info_type, &info);
}

/* ---- loadgen ------------------------------------------------------------------------------ */

static load_report_t load_report(cast_t *self, bool is_final)
{
    int64_t errors = self->is_fault_active ? self->fault_errors : self->errors;
    return (load_report_t){.load = self->load,
        .env = self->env,
        .second = self->second,
        .sent = 100,
        .ok = 100 - errors,
        .errors = errors,
        .is_final = is_final};
}

static void report(void *arg)
{
    cast_t *self = arg;
    AUTO_FREE char *topic = xasprintf("env/%s/load", self->env);
    self->second++;
    load_report_t message = load_report(self, false);
    if (!self->is_loadgen_mute)
        bus_publish(self->loadgen, topic, &load_report_type, &message);
    self->load_timer = ev_after(self->world->ev, 1000, report, self);
}

static void on_load_start(void *arg, bus_request_t *request, const void *message)
{
    cast_t *self = arg;
    (void)message;
    snprintf(self->load, sizeof(self->load), "load-1");
    self->load_timer = ev_after(self->world->ev, 1000, report, self);
    bus_reply(&request, &load_started_type, &(load_started_t){.load = self->load});
}

static void on_load_stop(void *arg, bus_request_t *request, const void *message)
{
    cast_t *self = arg;
    (void)message;
    ev_cancel(self->world->ev, self->load_timer);
    self->load_timer = 0;
    load_report_t reply = load_report(self, true);
    bus_reply(&request, &load_report_type, &reply);
}

/* ---- injector ----------------------------------------------------------------------------- */

static void on_inject(void *arg, bus_request_t *request, const void *message)
{
    cast_t *self = arg;
    const fault_inject_t *inject = message;
    snprintf(self->fault_id, sizeof(self->fault_id), "%s", inject->fault_id);
    self->is_fault_active = true;
    self->injected++;
    fault_status_t reply = {.fault_id = self->fault_id,
        .fault = inject->fault,
        .env = self->env,
        .state = self->fault_state,
        .targets = inject->targets};
    bus_reply(&request, &fault_status_type, &reply);
}

void cast_end_fault(cast_t *self, const char *how)
{
    AUTO_FREE char *topic = xasprintf("fault/%s/state", self->fault_id);
    fault_status_t message = {.fault_id = self->fault_id,
        .fault = "misconfig_app",
        .env = self->env,
        .state = how,
        .reason = "the image is the old one"};
    bus_publish(self->injector, topic, &fault_status_type, &message);
}

/* ---- evaluator, telemetry ----------------------------------------------------------------- */

void cast_answer_judge(cast_t *self)
{
    json_t *results = json_pack("{s:s}", "Detection Accuracy", "Correct");
    bus_reply(
        &self->kept, &verdict_type, &(verdict_t){.success = self->is_success, .results = results});
    json_decref(results);
}

void cast_answer_baseline(cast_t *self)
{
    json_t *baseline = json_pack("{s:{}, s:{}, s:{}}", "objects", "pods", "answers");
    bus_reply(&self->kept_baseline, &baseline_type, &(baseline_t){.baseline = baseline});
    json_decref(baseline);
}

static void on_baseline(void *arg, bus_request_t *request, const void *message)
{
    cast_t *self = arg;
    (void)message;
    self->baselines++;
    self->kept_baseline = request;
    if (!self->is_baseline_kept)
        cast_answer_baseline(self);
}

static void on_judge(void *arg, bus_request_t *request, const void *message)
{
    cast_t *self = arg;
    json_decref(self->solution);
    self->solution = json_incref(((const session_judge_t *)message)->solution);
    self->judged++;
    self->faults_judged = (int)((const session_judge_t *)message)->fault_ids.count;
    keep(self, request);
    if (!self->is_verdict_kept)
        cast_answer_judge(self);
}

static void on_logs(void *arg, bus_request_t *request, const void *message)
{
    (void)arg;
    const logs_get_t *get = message;
    if (strcmp(get->service, "geo") == 0)
        bus_reply(&request, &text_type, &(text_t){.text = "a log"});
    else
        bus_fail(&request, ERR_NOT_FOUND, "no pod");
}

static void on_metrics(void *arg, bus_request_t *request, const void *message)
{
    (void)arg;
    (void)message;
    export_t reply = {.files = json_pack("[{s:s, s:s}, {s:s, s:s}]", "path", "container/kpi_a.csv",
                          "text", "timestamp,value\n1,2\n", "path", "container/kpi_b.csv", "text",
                          "timestamp,value\n1,2\n")};
    bus_reply(&request, &export_type, &reply);
    json_decref(reply.files);
}

/* ---- the cast ----------------------------------------------------------------------------- */

static bus_t *player(cast_t *self, const char *name, const char *instance,
    const bus_handler_t *handlers, size_t count)
{
    bus_t *bus = bus_world_program(self->world, name, instance);
    bus_serve(bus, name, handlers, count, self);
    return bus;
}

static void start_players(cast_t *self)
{
    static const bus_handler_t cluster[] = {{&env_create_type, on_env_create},
        {&env_get_type, on_env_get}, {&env_delete_type, on_env_delete},
        {&env_exec_type, on_env_exec}, {&env_put_type, on_env_put}};
    static const bus_handler_t loadgen[] = {
        {&load_start_type, on_load_start}, {&load_stop_type, on_load_stop}};
    static const bus_handler_t injector[] = {{&fault_inject_type, on_inject}};
    static const bus_handler_t evaluator[] = {
        {&baseline_take_type, on_baseline}, {&session_judge_type, on_judge}};
    static const bus_handler_t telemetry[] = {
        {&logs_get_type, on_logs}, {&metrics_export_type, on_metrics}};
    self->cluster = player(self, "cluster", "n1", cluster, ARRAY_SIZE(cluster));
    self->loadgen = player(self, "loadgen", "1", loadgen, ARRAY_SIZE(loadgen));
    self->injector = player(self, "injector", "1", injector, ARRAY_SIZE(injector));
    self->evaluator = player(self, "evaluator", "1", evaluator, ARRAY_SIZE(evaluator));
    self->telemetry = player(self, "telemetry", "1", telemetry, ARRAY_SIZE(telemetry));
    self->client = bus_world_program(self->world, "client", "1");
}

void cast_start_orchestrator(cast_t *self)
{
    err_t err = {0};
    AUTO_FREE char *problems =
        self->problems ? xstrdup(self->problems) : xasprintf("%s/problems", getenv("AIOPSLAB_SRC"));
    AUTO_FREE char *database = xasprintf("%s/orchestrator.db", self->folder);
    AUTO_FREE char *results = xasprintf("%s/results", self->folder);
    self->own = bus_world_program(self->world, "orchestrator", NULL);
    self->orchestrator = orchestrator_new(&(orchestrator_config_t){.ev = self->world->ev,
                                              .bus = self->own,
                                              .metrics = self->metrics,
                                              .problems_dir = problems,
                                              .database = database,
                                              .results_dir = results},
        &err);
    if (!self->orchestrator)
        fail_msg("%s", err.text);
    cast_run(self, 10);
}

void cast_kill_orchestrator(cast_t *self)
{
    orchestrator_destroy(&self->orchestrator);
    bus_destroy(&self->own);
}

void cast_restart_orchestrator(cast_t *self)
{
    cast_kill_orchestrator(self);
    cast_run(self, 100);
    cast_start_orchestrator(self);
}

int cast_set_up(void **state)
{
    cast_t *self = xcalloc(1, sizeof(*self));
    bus_world_set_up((void **)&self->world);
    const char *base = getenv("TMPDIR");
    snprintf(
        self->folder, sizeof(self->folder), "%s/orchestrator-test-XXXXXX", base ? base : "/tmp");
    assert_non_null(mkdtemp(self->folder));
    self->metrics = metrics_new();
    self->fault_errors = 60;
    self->fault_state = "active";
    self->is_success = true;
    start_players(self);
    cast_start_orchestrator(self);
    *state = self;
    return 0;
}

int cast_tear_down(void **state)
{
    cast_t *self = *state;
    cast_kill_orchestrator(self);
    if (self->kept)
        bus_fail(&self->kept, ERR_STATE, "the test is over");
    if (self->kept_baseline)
        bus_fail(&self->kept_baseline, ERR_STATE, "the test is over");
    ev_cancel(self->world->ev, self->load_timer);
    bus_t **programs[] = {&self->cluster, &self->loadgen, &self->injector, &self->evaluator,
        &self->telemetry, &self->client};
    for (size_t i = 0; i < ARRAY_SIZE(programs); i++)
        bus_destroy(programs[i]);
    metrics_destroy(&self->metrics);
    json_decref(self->solution);
    bus_world_tear_down((void **)&self->world);
    int rc = folder_remove(self->folder);
    free(self);
    return rc;
}

/* ---- the client --------------------------------------------------------------------------- */

void cast_run(cast_t *self, int64_t span_ms)
{
    ev_sim_run_for(self->world->ev, span_ms);
}

/* The reply, for codec_free(), or NULL with *err. */
static void *ask(cast_t *self, const codec_type_t *type, const void *message,
    const codec_type_t *expected, err_t *err)
{
    void *reply = NULL;
    bus_call_t call = {.target = "orchestrator", .type = type, .message = message};
    call.timeout_ms = 100000;
    return bus_call(self->client, &call, expected, &reply, err) == 0 ? reply : NULL;
}

const char *cast_open(cast_t *self, const session_open_t *open)
{
    static char session[64];
    err_t err = {0};
    session_opened_t *reply = ask(self, &session_open_type, open, &session_opened_type, &err);
    snprintf(session, sizeof(session), "%s", reply ? reply->session : err.text);
    codec_free(&session_opened_type, reply);
    return session;
}

const char *cast_state(cast_t *self, const char *session)
{
    static char state[300];
    err_t err = {0};
    session_info_t *info =
        ask(self, &session_get_type, &(session_get_t){session}, &session_info_type, &err);
    snprintf(state, sizeof(state), "%s%s%s", info ? info->state : err.text,
        info && info->reason ? ": " : "", info && info->reason ? info->reason : "");
    codec_free(&session_info_type, info);
    return state;
}

const char *cast_act(cast_t *self, const char *session, int64_t step, const char *action)
{
    static char text[2000];
    err_t err = {0};
    session_act_t message = {.session = session, .step = step, .action = action};
    session_observation_t *reply =
        ask(self, &session_act_type, &message, &session_observation_type, &err);
    if (reply)
        snprintf(text, sizeof(text), "%s", reply->observation);
    else
        snprintf(text, sizeof(text), "%s: %s", err_code_name(err.code), err.text);
    codec_free(&session_observation_type, reply);
    return text;
}

void cast_close(cast_t *self, const char *session)
{
    session_info_t *info =
        ask(self, &session_close_type, &(session_close_t){session}, &session_info_type, NULL);
    codec_free(&session_info_type, info);
}

json_t *cast_result(cast_t *self, const char *session)
{
    session_outcome_t *outcome =
        ask(self, &session_result_type, &(session_result_t){session}, &session_outcome_type, NULL);
    json_t *result = outcome ? json_incref(outcome->result) : NULL;
    codec_free(&session_outcome_type, outcome);
    return result;
}
