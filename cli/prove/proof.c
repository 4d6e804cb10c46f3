#include "cli/prove/proof.h"

#include "base/auto.h"
#include "base/mem.h"

#include <string.h>

/* ---- what is to be proven ------------------------------------------------------------------ */

static proof_t *add(proofs_t *self, const problem_t *problem, const char *agent, int64_t seed,
    proof_outcome_t wanted)
{
    self->items = mem_check(realloc(self->items, (self->count + 1) * sizeof(*self->items)));
    proof_t *proof = &self->items[self->count++];
    *proof =
        (proof_t){.problem = problem, .agent = agent, .seed = seed, .wanted = wanted, .fd = -1};
    return proof;
}

/* Whether "nothing is wrong" is the right answer. */
static bool is_nothing(const problem_t *problem)
{
    const problem_expected_t *expected = problem->expected;
    if (problem->task == TASK_DETECTION)
        return strcmp(expected->anomaly, "No") == 0;
    return problem->task == TASK_LOCALIZATION && expected->component_count == 0;
}

static bool is_among(char *const *names, uint32_t count, const char *name)
{
    for (uint32_t i = 0; i < count; i++) {
        if (strcmp(names[i], name) == 0)
            return true;
    }
    return false;
}

/* What the problem says of a way that costs no thought. */
static proof_outcome_t lazy_outcome(const problem_mitigation_t *when, const char *agent)
{
    if (is_among(when->gambles, when->gamble_count, agent))
        return PROOF_ANY;
    return is_among(when->cures, when->cure_count, agent) ? PROOF_SUCCESS : PROOF_FAILURE;
}

static void add_lazy(proofs_t *self, const problem_t *problem, int64_t seed)
{
    static const char *const agents[] = {"deleter", "scaler", "restarter", "roller"};
    for (size_t i = 0; i < ARRAY_SIZE(agents); i++) {
        bool needs_culprit = i < 2;
        if (needs_culprit && problem->mitigated_when->recreate_count == 0)
            continue;
        add(self, problem, agents[i], seed, lazy_outcome(problem->mitigated_when, agents[i]));
    }
}

void proofs_add(proofs_t *self, const problem_t *problem, int64_t seed, bool is_first)
{
    for (uint32_t i = 0; i <= problem->other_count; i++)
        add(self, problem, "oracle", seed, PROOF_SUCCESS)->solution = i;
    if (problem->task == TASK_MITIGATION) {
        add(self, problem, "noop", seed, PROOF_FAILURE);
        add(self, problem, "random", seed, PROOF_ANY);
        add_lazy(self, problem, seed);
    }
    if (is_first && !is_nothing(problem))
        add(self, problem, "onlooker", seed, PROOF_SUCCESS)->is_healthy = true;
}

void proofs_done(proofs_t *self)
{
    for (size_t i = 0; i < self->count; i++) {
        json_decref(self->items[i].result);
        free(self->items[i].said);
    }
    free(self->items);
}

/* ---- what came of it ----------------------------------------------------------------------- */

int64_t proof_symptom_ms(const proof_t *self)
{
    const json_t *after = json_object_get(self->result, "symptom_after_ms");
    return json_is_integer(after) ? json_integer_value(after) : -1;
}

bool proof_is_right(const proof_t *self)
{
    const json_t *success = json_object_get(self->result, "success");
    if (!json_is_boolean(success))
        return false;
    if (self->is_healthy && proof_symptom_ms(self) >= 0)
        return false; /* what is said to show the fault shows without it */
    return self->wanted == PROOF_ANY || json_is_true(success) == (self->wanted == PROOF_SUCCESS);
}

char *proof_outcome(const proof_t *self)
{
    const json_t *success = json_object_get(self->result, "success");
    const char *reason = json_string_value(json_object_get(self->result, "reason"));
    if (json_is_boolean(success))
        return xstrdup(json_is_true(success) ? "success" : "failure");
    return xasprintf("no verdict: %s", reason ? reason : "the run ended without a result");
}
