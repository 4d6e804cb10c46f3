/* What a built-in agent holds, against all of the system: its session, and nothing else; and what
 * becomes of a session when `aiopslab run` is killed. */
#include "base/auto.h"
#include "base/mem.h"
#include "tests/e2e/session/lab.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define TEST(rule) cmocka_unit_test_setup_teardown(rule, lab_set_up, lab_tear_down)

#define NOOP "noop_detection_hotel_reservation-1"

enum { SETUP_MS = 60000, END_MS = 60000 };

/* ---- an agent's connection ------------------------------------------------------------------ */

static bus_t *agent_bus(lab_t *lab)
{
    AUTO_FREE char *endpoint = xasprintf("ipc://%s/run/agents", lab->folder);
    bus_t *bus =
        bus_new(lab->ev, &(bus_config_t){.name = "agent-test", .endpoint = endpoint}, NULL);
    assert_non_null(bus);
    return bus;
}

static char *open_for(lab_t *lab, const char *principal)
{
    session_open_t open = {
        .problem = NOOP, .agent = "e2e", .principal = principal, .idle_limit_ms = 60000};
    bus_call_t call = {.target = "orchestrator",
        .type = &session_open_type,
        .message = &open,
        .timeout_ms = SETUP_MS};
    void *reply = NULL;
    assert_int_equal(bus_call(lab->bus, &call, &session_opened_type, &reply, NULL), 0);
    char *session = xstrdup(((const session_opened_t *)reply)->session);
    codec_free(&session_opened_type, reply);
    return session;
}

static err_code_t ask(bus_t *bus, const char *target, const codec_type_t *type, const void *message,
    const codec_type_t *expected, void **reply_p)
{
    err_t err = {0};
    bus_call_t call = {.target = target, .type = type, .message = message, .timeout_ms = 60000};
    return bus_call(bus, &call, expected, reply_p, &err) == 0 ? ERR_NONE : err.code;
}

/* The code with which a request without a good answer is refused. */
static err_code_t refusal(
    bus_t *bus, const char *target, const codec_type_t *type, const void *message)
{
    return ask(bus, target, type, message, &ok_type, NULL);
}

static void expect_refusals(bus_t *agent, const char *own, const char *other)
{
    const struct {
        const char *target;
        const codec_type_t *type;
        const void *message;
        err_code_t code;
    } requests[] = {
        {"orchestrator", &session_answer_type, &(session_answer_t){.session = own}, ERR_FORBIDDEN},
        {"orchestrator", &problem_list_type, &(problem_list_t){}, ERR_FORBIDDEN},
        {"orchestrator", &session_get_type, &(session_get_t){other}, ERR_NOT_FOUND},
        {"orchestrator", &session_close_type, &(session_close_t){other}, ERR_NOT_FOUND},
        {"orchestrator", &session_act_type, &(session_act_t){other, 1, "submit()"}, ERR_NOT_FOUND},
        {"cluster", &env_list_type, &(env_list_t){}, ERR_FORBIDDEN},
        {"injector", &fault_check_type, &(fault_check_t){"f"}, ERR_FORBIDDEN},
        {"injector", &fault_recover_type, &(fault_recover_t){"f"}, ERR_FORBIDDEN},
        {"evaluator", &session_get_type, &(session_get_t){own}, ERR_FORBIDDEN},
        {"broker", &broker_status_type, &(broker_status_t){}, ERR_FORBIDDEN},
        {"broker", &broker_last_type, &(broker_last_t){"session/"}, ERR_FORBIDDEN},
        {"broker", &broker_grant_type, &(broker_grant_t){.principal = "x"}, ERR_FORBIDDEN},
    };
    for (size_t i = 0; i < ARRAY_SIZE(requests); i++)
        assert_int_equal(refusal(agent, requests[i].target, requests[i].type, requests[i].message),
            requests[i].code);
}

typedef struct heard {
    const char *own;
    int own_count;
    int other_count;
} heard_t;

static void on_event(void *arg, const bus_event_t *event)
{
    heard_t *heard = arg;
    bool is_own = event->session && strcmp(event->session, heard->own) == 0;
    *(is_own ? &heard->own_count : &heard->other_count) += 1;
}

static json_t *result_of(bus_t *agent, const char *session)
{
    void *reply = NULL;
    assert_int_equal(ask(agent, "orchestrator", &session_result_type, &(session_result_t){session},
                         &session_outcome_type, &reply),
        ERR_NONE);
    assert_null(((session_outcome_t *)reply)->path);
    json_t *result = json_incref(((session_outcome_t *)reply)->result);
    codec_free(&session_outcome_type, reply);
    return result;
}

static void an_agent_plays_its_session_and_reaches_nothing_else(void **state)
{
    lab_t *lab = *state;
    AUTO_FREE char *other = open_for(lab, "somebody-else");
    AUTO(bus_destroy) bus_t *agent = agent_bus(lab);
    AUTO_FREE char *own = open_for(lab, bus_principal(agent));
    heard_t heard = {.own = own};
    bus_subscribe(agent, "session/", on_event, &heard);
    bus_subscribe(agent, "env/", on_event, &heard);
    AUTO_FREE char *topic = xasprintf("session/%s/", own);
    bus_subscribe(agent, topic, on_event, &heard);
    AUTO_FREE char *there = lab_await(lab, own, "active", SETUP_MS);
    assert_string_equal(there, "active");

    expect_refusals(agent, own, other);
    void *seen = NULL;
    session_act_t act = {own, 1, "submit(\"No\")"};
    assert_int_equal(
        ask(agent, "orchestrator", &session_act_type, &act, &session_observation_type, &seen),
        ERR_NONE);
    assert_true(((session_observation_t *)seen)->is_done);
    codec_free(&session_observation_type, seen);
    AUTO_FREE char *end = lab_await(lab, own, "closed", END_MS);
    assert_string_equal(end, "closed");
    json_auto_t *result = result_of(agent, own);
    assert_true(json_is_true(json_object_get(result, "success")));
    assert_null(json_object_get(result, "expected"));
    assert_true(heard.own_count > 0);
    assert_int_equal(heard.other_count, 0);
}

/* ---- the command ---------------------------------------------------------------------------- */

/* Starts `aiopslab run NOOP --agent NAME` in the lab that runs. What it reads comes from the pipe
 * whose other end is returned. */
static pid_t start_run(lab_t *lab, const char *agent, int *input_p)
{
    AUTO_FREE char *program = xasprintf("%s/aiopslab", getenv("AIOPSLAB_BIN"));
    AUTO_FREE char *log = xasprintf("%s/run.log", lab->folder);
    int input[2];
    assert_int_equal(pipe2(input, O_CLOEXEC), 0);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        sigset_t none;
        sigemptyset(&none);
        sigprocmask(SIG_SETMASK, &none, NULL);
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        int out = open(log, O_WRONLY | O_CREAT | O_APPEND, 0600);
        dup2(input[0], STDIN_FILENO);
        dup2(out, STDOUT_FILENO);
        dup2(out, STDERR_FILENO);
        execl(program, program, "run", NOOP, "--agent", agent, (char *)NULL);
        _exit(127);
    }
    close(input[0]);
    *input_p = input[1];
    return pid;
}

typedef struct seen {
    ev_t *ev;
    const char *wanted;
    char session[64];
    char state[16];
    char reason[256];
} seen_t;

static void on_session(void *arg, const bus_event_t *event)
{
    seen_t *seen = arg;
    if (event->type != &session_info_type)
        return;
    const session_info_t *info = event->message;
    snprintf(seen->session, sizeof(seen->session), "%s", info->session);
    snprintf(seen->state, sizeof(seen->state), "%s", info->state);
    snprintf(seen->reason, sizeof(seen->reason), "%s", info->reason ? info->reason : "");
    if (strcmp(seen->state, seen->wanted) == 0)
        ev_stop(seen->ev);
}

static void await_state(seen_t *seen, const char *state, int64_t within_ms)
{
    seen->wanted = state;
    int timer = ev_after(seen->ev, within_ms, (ev_timer_fn *)ev_stop, seen->ev);
    if (strcmp(seen->state, state) != 0)
        ev_run(seen->ev);
    ev_cancel(seen->ev, timer);
    if (strcmp(seen->state, state) != 0)
        fail_msg("the session is '%s', not '%s' in time", seen->state, state);
}

static void a_killed_run_takes_its_session_along(void **state)
{
    lab_t *lab = *state;
    seen_t seen = {.ev = lab->ev};
    int input;
    bus_subscribe(lab->bus, "session/", on_session, &seen);
    pid_t run = start_run(lab, "human", &input);
    await_state(&seen, "active", SETUP_MS);
    kill(run, SIGKILL);
    assert_int_equal(waitpid(run, NULL, 0), run);
    int64_t killed_at = ev_now(lab->ev);
    await_state(&seen, "failed", END_MS);
    print_message("gone after %lld ms\n", (long long)(ev_now(lab->ev) - killed_at));
    assert_non_null(strstr(seen.reason, "the program that opened it, 'cli@"));
    assert_int_equal(lab_count_envs(lab), 0);
    close(input);
}

/* Whether the broker's log tells that such an agent came in as one. */
static bool has_come_as_agent(lab_t *lab, const char *agent)
{
    AUTO_FREE char *command = xasprintf(
        "grep -q 'event=peer.joined source=agent-%s@[0-9a-f]* role=agent ' '%s/broker.log'", agent,
        lab->folder);
    return system(command) == 0; /* NOLINT(cert-env33-c): a fixed command of a test */
}

static void built_in_agents_come_in_as_any_agent(void **state)
{
    static const char *const agents[] = {"heuristic", "noop", "oracle", "random"};
    lab_t *lab = *state;
    for (size_t i = 0; i < ARRAY_SIZE(agents); i++) {
        int input;
        int status;
        pid_t run = start_run(lab, agents[i], &input);
        assert_int_equal(waitpid(run, &status, 0), run);
        close(input);
        assert_true(WIFEXITED(status) && WEXITSTATUS(status) <= 1);
        assert_true(has_come_as_agent(lab, agents[i]));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(an_agent_plays_its_session_and_reaches_nothing_else),
        TEST(a_killed_run_takes_its_session_along),
        TEST(built_in_agents_come_in_as_any_agent),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
