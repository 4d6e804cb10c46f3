/* The smallest agent in C: smallest_agent PROBLEM, where `aiopslab up` runs.
 *
 * One program plays both sides here: the operator, who opens the session, and the agent, who holds
 * nothing but a key to which the session is granted. On another machine the agent's side alone
 * connects to tcp://HOST:PORT with .role = "agent", and is told the session's id. */
#include "base/auto.h"
#include "base/mem.h"
#include "base/paths.h"
#include "bus/bus.h"
#include "proto/messages.h"

#include <stdio.h>

enum { OPEN_MS = 20000, ACT_MS = 660000 };

/* Asks the orchestrator, and waits; ends the program if it cannot be. */
static void *ask(bus_t *bus, const codec_type_t *type, const void *message, int64_t timeout_ms,
    const codec_type_t *expected)
{
    err_t err;
    void *reply = NULL;
    bus_call_t call = {
        .target = "orchestrator", .type = type, .message = message, .timeout_ms = timeout_ms};
    if (bus_call(bus, &call, expected, &reply, &err) == 0)
        return reply;
    fprintf(stderr, "%s: %s\n", type->name, err.text);
    exit(EXIT_FAILURE);
}

/* ---- the operator's side ------------------------------------------------------------------- */

static char *open_session(bus_t *operator, const char * problem, const char *principal)
{
    session_open_t open = {.problem = problem, .agent = "smallest-c", .principal = principal};
    session_opened_t *opened =
        ask(operator, & session_open_type, &open, OPEN_MS, &session_opened_type);
    char *session = xstrdup(opened->session);
    codec_free(&session_opened_type, opened);
    return session;
}

/* ---- the agent's side ---------------------------------------------------------------------- */

typedef struct agent {
    ev_t *ev;
    bus_t *bus;
    const char *session;
    int64_t step;
    bool is_waiting;
} agent_t;

/* Stopping the loop while an answer is awaited would end that. */
static void on_change(void *arg, const bus_event_t *event)
{
    agent_t *self = arg;
    (void)event;
    if (self->is_waiting)
        ev_stop(self->ev);
}

/* Not for ever: an event may be lost. */
static void await_change(agent_t *self)
{
    int timer = ev_after(self->ev, 1000, (ev_timer_fn *)ev_stop, self->ev);
    self->is_waiting = true;
    ev_run(self->ev);
    self->is_waiting = false;
    ev_cancel(self->ev, timer);
}

static bool is_one_of(const char *word, const char *const *words)
{
    while (*words && strcmp(word, *words) != 0)
        words++;
    return *words;
}

/* Waits until the session's state is one of some; session.get tells it, events tell when to ask. */
static session_info_t *await_state(agent_t *self, const char *const *states)
{
    session_get_t get = {self->session};
    for (;;) {
        session_info_t *info = ask(self->bus, &session_get_type, &get, 0, &session_info_type);
        if (is_one_of(info->state, states))
            return info;
        codec_free(&session_info_type, info);
        await_change(self);
    }
}

/* One action a step; a repeated step is answered again, and not done twice. */
static void act(agent_t *self, const char *action)
{
    session_act_t message = {self->session, ++self->step, action};
    session_observation_t *seen =
        ask(self->bus, &session_act_type, &message, ACT_MS, &session_observation_type);
    printf("%s\n", seen->observation);
    codec_free(&session_observation_type, seen);
}

static bool play(agent_t *self)
{
    static const char *const turn[] = {"active", "closed", "failed", NULL};
    AUTO_FREE char *topic = xasprintf("session/%s/state", self->session);
    bus_subscribe(self->bus, topic, on_change, self);
    session_info_t *briefing = await_state(self, turn);
    printf("%s\n", briefing->description ? briefing->description : briefing->reason);
    codec_free(&session_info_type, briefing);

    act(self, "exec_shell(\"kubectl get pods -A\")");
    act(self, "submit(\"No\")");

    codec_free(&session_info_type, await_state(self, turn + 1));
    session_result_t message = {self->session};
    session_outcome_t *outcome =
        ask(self->bus, &session_result_type, &message, 0, &session_outcome_type);
    bool is_success = json_is_true(json_object_get(outcome->result, "success"));
    codec_free(&session_outcome_type, outcome);
    return is_success;
}

int main(int argc, char **argv)
{
    err_t err;
    AUTO_FREE char *run_dir = argc == 2 ? paths_run_dir(&err) : NULL;
    if (!run_dir) {
        fprintf(stderr, "usage: smallest_agent PROBLEM\n");
        return 2;
    }
    zsys_handler_set(NULL); /* Ctrl-C simply ends it */
    AUTO(ev_destroy) ev_t *ev = ev_new();
    AUTO_FREE char *endpoint = xasprintf("ipc://%s/agents", run_dir);
    AUTO(bus_destroy) bus_t *operator= bus_new(ev, &(bus_config_t){.name = "operator"}, &err);
    AUTO(bus_destroy)
    bus_t *bus = bus_new(ev, &(bus_config_t){.name = "agent", .endpoint = endpoint}, &err);
    if (!operator|| !bus) {
        fprintf(stderr, "%s\n", err.text);
        return EXIT_FAILURE;
    }
    AUTO_FREE char *session = open_session(operator, argv[1], bus_principal(bus));
    agent_t agent = {.ev = ev, .bus = bus, .session = session};
    bool is_success = play(&agent);
    printf("%s\n", is_success ? "success" : "failure");
    return is_success ? EXIT_SUCCESS : EXIT_FAILURE;
}
