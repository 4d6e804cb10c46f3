#include "cli/turn.h"

#include "base/auto.h"
#include "base/mem.h"
#include "cli/ask.h"

#include <zmq.h>

enum {
    CALL_MS = 10000,
    ACT_MS = 660000, /* a command of the agent may take ten minutes */
};

struct turn {
    lab_t *lab; /* borrowed; runs the loop */
    bus_t *bus; /* the agent's own */
    char *session;
    int64_t step; /* the last one taken */
};

void turn_principal(const keys_pair_t *pair, char principal[KEY_NAME_LIMIT + 1])
{
    uint8_t key[KEY_SIZE] = {0};
    zmq_z85_decode(key, pair->public_text);
    keys_local_name(key, principal);
}

turn_t *turn_new(
    lab_t *lab, const char *name, const char *session, const keys_pair_t *pair, err_t *err)
{
    AUTO(turn_destroy) turn_t *self = xcalloc(1, sizeof(*self));
    AUTO_FREE char *endpoint = xasprintf("ipc://%s/agents", lab_run_dir(lab));
    AUTO_FREE char *program = xasprintf("agent-%s", name);
    self->lab = lab;
    self->session = xstrdup(session);
    self->bus = bus_new(
        lab_ev(lab), &(bus_config_t){.name = program, .endpoint = endpoint, .pair = pair}, err);
    return self->bus ? TAKE(self) : NULL;
}

void turn_destroy(turn_t **self_p)
{
    turn_t *self = TAKE(*self_p);
    if (!self)
        return;
    bus_destroy(&self->bus);
    free(self->session);
    free(self);
}

int turn_brief(turn_t *self, session_info_t **info_p, err_t *err)
{
    session_get_t message = {.session = self->session};
    bus_call_t call = {.type = &session_get_type, .message = &message, .timeout_ms = CALL_MS};
    return ask_orchestrator(self->lab, self->bus, call, &session_info_type, (void **)info_p, err);
}

int turn_act(turn_t *self, const char *action, session_observation_t **seen_p, err_t *err)
{
    session_act_t message = {.session = self->session, .step = self->step + 1, .action = action};
    bus_call_t call = {.type = &session_act_type,
        .message = &message,
        .timeout_ms = ACT_MS,
        .session = self->session};
    int rc = ask_orchestrator(
        self->lab, self->bus, call, &session_observation_type, (void **)seen_p, err);
    self->step += rc == 0 ? 1 : 0;
    return rc;
}

int turn_give_up(turn_t *self, err_t *err)
{
    session_close_t message = {.session = self->session};
    bus_call_t call = {.type = &session_close_type, .message = &message, .timeout_ms = CALL_MS};
    return ask_orchestrator(self->lab, self->bus, call, &session_info_type, NULL, err);
}
