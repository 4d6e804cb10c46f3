/* A session as the store keeps it. Steps have a table of their own. */
#include "base/mem.h"
#include "services/orchestrator/session.h"

/* The members that are texts, whole numbers and trees, by name. */
#define TEXTS(X)                                                                                   \
    X(agent)                                                                                       \
    X(principal) X(scoring) X(results_dir) X(reason) X(env) X(cluster) X(load) X(result_path)
#define OPENER(X) X(opener_source) X(opener_role) X(opener_principal)
#define NUMBERS(X)                                                                                 \
    X(seed)                                                                                        \
    X(max_steps)                                                                                   \
    X(time_limit_ms)                                                                               \
    X(idle_limit_ms) X(step_count) X(acting_ms) X(shell_count) X(fault_count) X(symptom_ms)
#define FLAGS(X) X(is_ending) X(is_failing) X(is_fault_undone) X(is_healthy)
#define TREES(X) X(phases) X(env_phases) X(load_seen) X(baseline) X(solution) X(verdict) X(result)

json_t *session_to_json(const session_t *self)
{
    json_t *json = json_pack("{s:s, s:s, s:s, s:s, s:f, s:f, s:I}", "id", self->id, "problem",
        self->problem->id, "state", session_state_name(self->state), "ended_by", self->ended_by,
        "start_time", self->start_time, "end_time", self->end_time, "active_ms",
        (json_int_t)session_active_ms(self));
#define PUT_TEXT(name)                                                                             \
    if (self->name)                                                                                \
        json_object_set_new(json, #name, json_string(self->name));
#define PUT_NUMBER(name) json_object_set_new(json, #name, json_integer(self->name));
#define PUT_FLAG(name)   json_object_set_new(json, #name, json_boolean(self->name));
#define PUT_TREE(name)                                                                             \
    if (self->name)                                                                                \
        json_object_set(json, #name, self->name);
    TEXTS(PUT_TEXT)
    OPENER(PUT_TEXT)
    NUMBERS(PUT_NUMBER)
    FLAGS(PUT_FLAG)
    TREES(PUT_TREE)
    return mem_check(json);
}

/* How the agent's turn may end; the words are constants of ours. */
static const char *end_named(const char *name)
{
    static const char *const ends[] = {"submit", "max_steps", "time_limit", "idle_limit", "agent"};
    for (size_t i = 0; name && i < sizeof(ends) / sizeof(*ends); i++) {
        if (strcmp(ends[i], name) == 0)
            return ends[i];
    }
    return "";
}

static void take_members(session_t *self, const json_t *json)
{
#define TAKE_TEXT(name)                                                                            \
    if (json_object_get(json, #name))                                                              \
        self->name = xstrdup(json_string_value(json_object_get(json, #name)));
#define TAKE_NUMBER(name) self->name = json_integer_value(json_object_get(json, #name));
#define TAKE_FLAG(name)   self->name = json_is_true(json_object_get(json, #name));
#define TAKE_TREE(name)   self->name = json_incref(json_object_get(json, #name));
    TEXTS(TAKE_TEXT)
    OPENER(TAKE_TEXT)
    NUMBERS(TAKE_NUMBER)
    FLAGS(TAKE_FLAG)
    TREES(TAKE_TREE)
    self->active_before_ms = json_integer_value(json_object_get(json, "active_ms"));
    self->start_time = json_number_value(json_object_get(json, "start_time"));
    self->end_time = json_number_value(json_object_get(json, "end_time"));
    self->ended_by = end_named(json_string_value(json_object_get(json, "ended_by")));
}

session_t *session_from_json(orchestrator_t *owner, const json_t *json, err_t *err)
{
    const char *id = json_string_value(json_object_get(json, "id"));
    const char *problem_id = json_string_value(json_object_get(json, "problem"));
    const char *state = json_string_value(json_object_get(json, "state"));
    if (!id || !problem_id || !state || session_state_parse(state) == SESSION_STATES) {
        err_set(err, ERR_INVALID, "a session in the database is unreadable");
        return NULL;
    }
    const problem_t *problem = problem_registry_find(owner->problems, problem_id, err);
    if (!problem)
        return NULL;
    session_t *self = xcalloc(1, sizeof(*self));
    self->owner = owner;
    self->id = xstrdup(id);
    self->problem = problem;
    self->state = session_state_parse(state);
    self->trace = json_array();
    self->state_since_ms = ev_now(owner->ev);
    take_members(self, json);
    session_plan(self);
    if (!self->phases)
        self->phases = json_object();
    return self;
}
