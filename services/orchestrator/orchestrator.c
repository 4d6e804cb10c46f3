#include "services/orchestrator/orchestrator.h"

#include "base/auto.h"
#include "base/log.h"
#include "base/mem.h"
#include "services/orchestrator/result.h"
#include "services/orchestrator/session.h"

enum { KEPT_OVER = 64 }; /* sessions that are over and still in memory */

/* ---- finding ------------------------------------------------------------------------------ */

/* One that is over and no longer in memory is read back. */
static session_t *find(orchestrator_t *self, const char *id, err_t *err)
{
    session_t *session = zhashx_lookup(self->sessions, id);
    if (session)
        return session;
    json_t *json = store_get_session(self->store, id, err);
    session = json ? session_from_json(self, json, err) : NULL;
    json_decref(json);
    if (!session || session_read_steps(session, err) < 0) {
        session_destroy(&session);
        return NULL;
    }
    zhashx_insert(self->sessions, session->id, session);
    zlistx_add_end(self->over, session->id);
    return session;
}

/* The session that a caller may touch; else fails the request. */
static session_t *find_for(orchestrator_t *self, bus_request_t **request_p, const char *id)
{
    err_t err = {0};
    session_t *session = find(self, id, &err);
    bool is_agent = bus_request_role(*request_p) == BUS_ROLE_AGENT;
    bool is_own = session && *session->principal
                  && strcmp(bus_request_principal(*request_p), session->principal) == 0;
    if (is_agent && !is_own)
        /* Of others' sessions an agent learns not even that they exist. */
        bus_fail(request_p, ERR_NOT_FOUND, "there is no session '%.60s' of yours", id);
    else if (!session)
        bus_fail_err(request_p, &err);
    return *request_p ? session : NULL;
}

/* What an agent's key may do by grace of its session. */
static void grant(session_t *session)
{
    bus_t *bus = session->owner->bus;
    if (!*session->principal)
        return;
    session->is_granted = true;
    AUTO_FREE char *own = xasprintf("session/%s/", session->id);
    AUTO_FREE char *env = xasprintf("env/%s/", session->env ? session->env : "-");
    bus_grant(bus, session->principal, own, "orchestrator");
    bus_grant(bus, session->principal, env, NULL);
}

/* What is left when the environment is gone: asking for the result. */
static void end_env_grant(const session_t *session)
{
    if (!session->is_granted)
        return;
    AUTO_FREE char *env = xasprintf("env/%s/", session->env ? session->env : "-");
    bus_revoke(session->owner->bus, session->principal, env, NULL);
}

static void end_grant(const session_t *session)
{
    if (!session->is_granted)
        return;
    AUTO_FREE char *own = xasprintf("session/%s/", session->id);
    bus_revoke(session->owner->bus, session->principal, own, "orchestrator");
}

static void evict(orchestrator_t *self)
{
    while (zlistx_size(self->over) > KEPT_OVER) {
        char *id = zlistx_detach(self->over, NULL);
        end_grant(zhashx_lookup(self->sessions, id));
        zhashx_delete(self->sessions, id);
        free(id);
    }
}

/* ---- requests: problems ------------------------------------------------------------------- */

static json_t *listed(const problem_t *problem)
{
    json_t *json = problem_to_public_json(problem);
    json_auto_t *plan = problem_instance(problem, 0);
    const json_t *fault = json_array_get(json_object_get(plan, "faults"), 0);
    json_object_set(json, "fault", json_object_get(fault, "fault"));
    json_object_set(json, "targets", json_object_get(fault, "targets"));
    return json;
}

static void on_problem_list(void *arg, bus_request_t *request, const void *message)
{
    orchestrator_t *self = arg;
    (void)message;
    problem_listing_t reply = {.problems = json_array()};
    for (size_t i = 0; i < problem_registry_count(self->problems); i++)
        json_array_append_new(reply.problems, listed(problem_registry_at(self->problems, i)));
    bus_reply(&request, &problem_listing_type, &reply);
    json_decref(reply.problems);
}

/* ---- requests: sessions ------------------------------------------------------------------- */

static void on_session_open(void *arg, bus_request_t *request, const void *message)
{
    orchestrator_t *self = arg;
    const session_open_t *open = message;
    err_t err = {0};
    const problem_t *problem = problem_registry_find(self->problems, open->problem, &err);
    if (!problem) {
        bus_fail_err(&request, &err);
        return;
    }
    if (open->results_dir && *open->results_dir && *open->results_dir != '/') {
        bus_fail(&request, ERR_INVALID, "results_dir '%.80s' is not an absolute path",
            open->results_dir);
        return;
    }
    if (open->scoring && *open->scoring && strcmp(open->scoring, "original") != 0) {
        bus_fail(&request, ERR_INVALID, "scoring '%.40s' is not known; there is 'original'",
            open->scoring);
        return;
    }
    session_t *session = session_new(self, problem, open, request);
    if (session_record(session, &err) < 0) {
        session_destroy(&session);
        bus_fail_err(&request, &err);
        return;
    }
    zhashx_insert(self->sessions, session->id, session);
    metric_add(self->opened, 1);
    log_info("session.opened", "session=%s problem=%s agent=%s seed=%lld", session->id, problem->id,
        session->agent, (long long)session->seed);
    session_opened_t reply = {.session = session->id};
    session_start(session);
    grant(session); /* before the answer, after which the agent may act */
    session_watch_opener(session);
    bus_reply(&request, &session_opened_type, &reply);
}

void session_answer_info(session_t *session, bus_request_t **request_p)
{
    session_info_t info;
    char *texts[2] = {NULL, NULL};
    session_info(session, session->state >= SESSION_ACTIVE, &info, texts);
    bus_reply(request_p, &session_info_type, &info);
    json_decref(info.actions);
    json_decref(info.schemas);
    json_decref(info.phases);
    free(texts[0]);
    free(texts[1]);
}

static void on_session_get(void *arg, bus_request_t *request, const void *message)
{
    session_t *session = find_for(arg, &request, ((const session_get_t *)message)->session);
    if (session)
        session_answer_info(session, &request);
}

static void on_session_act(void *arg, bus_request_t *request, const void *message)
{
    const session_act_t *act = message;
    session_t *session = find_for(arg, &request, act->session);
    if (session)
        session_act(session, &request, act);
}

static void on_session_close(void *arg, bus_request_t *request, const void *message)
{
    session_t *session = find_for(arg, &request, ((const session_close_t *)message)->session);
    if (session)
        session_close(session, &request, bus_request_role(request) == BUS_ROLE_AGENT);
}

/* For agents, without what was expected: others may still be asked the same. */
static json_t *result_for(const session_t *session, bool is_agent)
{
    json_t *result = json_copy(session->result);
    if (is_agent)
        json_object_del(result, "expected");
    return result;
}

static void on_session_result(void *arg, bus_request_t *request, const void *message)
{
    session_t *session = find_for(arg, &request, ((const session_result_t *)message)->session);
    if (!session)
        return;
    if (!session_is_over(session) || !session->result) {
        bus_fail(&request, ERR_STATE, "the session is '%s'; its result comes with its end",
            session_state_name(session->state));
        return;
    }
    bool is_agent = bus_request_role(request) == BUS_ROLE_AGENT;
    session_outcome_t reply = {.session = session->id,
        .result = result_for(session, is_agent),
        .path = is_agent ? NULL : session->result_path};
    bus_reply(&request, &session_outcome_type, &reply);
    json_decref(reply.result);
}

static void on_session_answer(void *arg, bus_request_t *request, const void *message)
{
    session_t *session = find_for(arg, &request, ((const session_answer_t *)message)->session);
    if (!session)
        return;
    int64_t index = ((const session_answer_t *)message)->solution;
    json_t *solution =
        json_array_get(json_object_get(session->plan, "solutions"), index < 0 ? 0 : (size_t)index);
    if (!solution) {
        bus_fail(&request, ERR_NOT_FOUND, "problem '%s' has no solution number %lld",
            session->problem->id, (long long)index);
        return;
    }
    session_expectation_t reply = {
        .expected = json_object_get(session->plan, "expected"), .actions = solution};
    bus_reply(&request, &session_expectation_type, &reply);
}

static const bus_handler_t handlers[] = {
    {&problem_list_type, on_problem_list},
    {&session_act_type, on_session_act},
    {&session_answer_type, on_session_answer},
    {&session_close_type, on_session_close},
    {&session_get_type, on_session_get},
    {&session_open_type, on_session_open},
    {&session_result_type, on_session_result},
};

void orchestrator_on_session_over(orchestrator_t *self, session_t *session)
{
    metric_add(session->state == SESSION_CLOSED ? self->closed : self->failed, 1);
    end_env_grant(session);
    for (size_t i = 0; i < session->closer_count; i++)
        session_answer_info(session, &session->closers[i]);
    session->closer_count = 0;
    zlistx_add_end(self->over, session->id);
    evict(self);
}

/* ---- life cycle --------------------------------------------------------------------------- */

static void on_open_session(void *arg, const json_t *json)
{
    json_array_append_new(arg, json_deep_copy(json));
}

static void resume(orchestrator_t *self, const json_t *json)
{
    err_t err = {0};
    session_t *session = session_from_json(self, json, &err);
    if (!session || session_read_steps(session, &err) < 0) {
        log_error("session.lost", "session=%s reason=\"%s\"",
            json_string_value(json_object_get(json, "id")), err.text);
        session_destroy(&session);
        return;
    }
    zhashx_insert(self->sessions, session->id, session);
    log_info(
        "session.resumed", "session=%s state=%s", session->id, session_state_name(session->state));
    grant(session);
    session_watch_opener(session);
    session_resume(session);
}

/* The sessions of a former life that were not over. */
static int resume_all(orchestrator_t *self, err_t *err)
{
    json_t *open = json_array();
    int rc = store_each_open(self->store, on_open_session, open, err);
    size_t i;
    json_t *json;
    json_array_foreach(open, i, json) resume(self, json);
    json_decref(open);
    return rc;
}

static void make_metrics(orchestrator_t *self, metrics_t *metrics)
{
    self->opened = metrics_counter(
        metrics, "aiopslab_sessions_opened_total", "Sessions that were opened", NULL);
    self->closed = metrics_counter(
        metrics, "aiopslab_sessions_closed_total", "Sessions that ended with a verdict", NULL);
    self->failed = metrics_counter(
        metrics, "aiopslab_sessions_failed_total", "Sessions that ended without a verdict", NULL);
    self->steps = metrics_counter(metrics, "aiopslab_session_steps_total", "Steps of agents", NULL);
}

orchestrator_t *orchestrator_new(const orchestrator_config_t *config, err_t *err)
{
    AUTO(orchestrator_destroy) orchestrator_t *self = xcalloc(1, sizeof(*self));
    self->ev = config->ev;
    self->bus = config->bus;
    self->results_dir = xstrdup(config->results_dir);
    self->sessions = zhashx_new();
    zhashx_set_destructor(self->sessions, (zhashx_destructor_fn *)session_destroy);
    self->over = zlistx_new();
    zlistx_set_duplicator(self->over, (zlistx_duplicator_fn *)strdup);
    zlistx_set_destructor(self->over, (zlistx_destructor_fn *)zstr_free);
    make_metrics(self, config->metrics);
    self->problems =
        problem_registry_new(&(problem_sources_t){.folder = config->problems_dir}, err);
    self->store = self->problems ? store_new(config->database, err) : NULL;
    if (!self->store || resume_all(self, err) < 0)
        return NULL;
    bus_serve(self->bus, "orchestrator", handlers, ARRAY_SIZE(handlers), self);
    return TAKE(self);
}

void orchestrator_destroy(orchestrator_t **self_p)
{
    orchestrator_t *self = TAKE(*self_p);
    if (!self)
        return;
    zhashx_destroy(&self->sessions);
    zlistx_destroy(&self->over);
    store_destroy(&self->store);
    problem_registry_destroy(&self->problems);
    free(self->results_dir);
    free(self);
}
