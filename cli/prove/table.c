#include "cli/prove/table.h"

#include "base/auto.h"
#include "base/mem.h"

#include <stdio.h>
#include <string.h>

static const char *const columns[] = {
    "oracle", "noop", "random", "deleter", "scaler", "restarter", "roller", "onlooker"};

json_t *table_to_json(const proofs_t *proofs)
{
    static const char *const wanted[] = {
        [PROOF_FAILURE] = "failure", [PROOF_SUCCESS] = "success", [PROOF_ANY] = "any"};
    json_t *list = json_array();
    json_int_t right = 0;
    for (size_t i = 0; i < proofs->count; i++) {
        const proof_t *proof = &proofs->items[i];
        AUTO_FREE char *outcome = proof_outcome(proof);
        int64_t symptom_ms = proof_symptom_ms(proof);
        right += proof_is_right(proof);
        json_array_append_new(
            list, json_pack("{s:s, s:s, s:I, s:I, s:b, s:s, s:s, s:b, s:o}", "problem",
                      proof->problem->id, "agent", proof->agent, "seed", (json_int_t)proof->seed,
                      "solution", (json_int_t)proof->solution, "healthy", (int)proof->is_healthy,
                      "wanted", wanted[proof->wanted], "outcome", outcome, "right",
                      (int)proof_is_right(proof), "symptom_after_ms",
                      symptom_ms >= 0 ? json_integer(symptom_ms) : json_null()));
    }
    return json_pack("{s:I, s:I, s:o}", "right", right, "wrong", (json_int_t)proofs->count - right,
        "proofs", list);
}

/* "3/3" of what an agent did with a problem; "" if it did not try; in bold what should not be. */
static void print_cell(
    FILE *out, const proofs_t *proofs, const problem_t *problem, const char *agent)
{
    size_t tries = 0;
    size_t successes = 0;
    bool is_right = true;
    for (size_t i = 0; i < proofs->count; i++) {
        const proof_t *proof = &proofs->items[i];
        if (proof->problem != problem || strcmp(proof->agent, agent) != 0)
            continue;
        tries++;
        successes += json_is_true(json_object_get(proof->result, "success"));
        is_right = is_right && proof_is_right(proof);
    }
    const char *mark = is_right ? "" : "**";
    if (tries)
        fprintf(out, " %s%zu/%zu%s |", mark, successes, tries, mark);
    else
        fputs(" |", out);
}

/* The longest time until the fault showed. */
static void print_symptom(FILE *out, const proofs_t *proofs, const problem_t *problem)
{
    int64_t longest_ms = -1;
    for (size_t i = 0; i < proofs->count; i++) {
        const proof_t *proof = &proofs->items[i];
        int64_t symptom_ms = proof->is_healthy ? -1 : proof_symptom_ms(proof);
        if (proof->problem == problem && symptom_ms > longest_ms)
            longest_ms = symptom_ms;
    }
    const problem_symptom_t *symptom = problem->family->symptom;
    if (longest_ms >= 0)
        fprintf(out, " %.1f s of %.0f s |\n", (double)longest_ms / 1000,
            (double)symptom->within_ms / 1000);
    else
        fputs(" |\n", out);
}

static void print_wrong(FILE *out, const proofs_t *proofs)
{
    bool is_first = true;
    for (size_t i = 0; i < proofs->count; i++) {
        const proof_t *proof = &proofs->items[i];
        if (proof_is_right(proof))
            continue;
        AUTO_FREE char *outcome = proof_outcome(proof);
        fprintf(out, "%s* `%s`, %s%s, seed %lld: %s\n",
            is_first ? "\nNot as it should be:\n\n" : "", proof->problem->id, proof->agent,
            proof->is_healthy ? " without the fault" : "", (long long)proof->seed, outcome);
        is_first = false;
    }
}

char *table_to_page(const proofs_t *proofs)
{
    char *page = NULL;
    size_t size = 0;
    FILE *out = mem_check(open_memstream(&page, &size));
    fputs("# Proofs\n\n*Written by `aiopslab prove`; how to read it: "
          "[scoring](scoring.md#proof).*\n\n"
          "Successes of all tries, one try for each seed. Set in bold: not what it should be.\n\n"
          "| problem |",
        out);
    for (size_t i = 0; i < ARRAY_SIZE(columns); i++)
        fprintf(out, " %s |", columns[i]);
    fputs(" shows after |\n| --- |", out);
    for (size_t i = 0; i <= ARRAY_SIZE(columns); i++)
        fputs(" --- |", out);
    fputc('\n', out);
    const problem_t *before = NULL;
    for (size_t i = 0; i < proofs->count; i++) {
        const problem_t *problem = proofs->items[i].problem;
        if (problem == before)
            continue;
        before = problem;
        fprintf(out, "| %s |", problem->id);
        for (size_t k = 0; k < ARRAY_SIZE(columns); k++)
            print_cell(out, proofs, problem, columns[k]);
        print_symptom(out, proofs, problem);
    }
    print_wrong(out, proofs);
    fclose(out);
    return page;
}
