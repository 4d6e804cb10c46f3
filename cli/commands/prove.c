/* prove: that problems are what they say, by agents whose success or failure is known beforehand.
 */
#include "cli/command.h"
#include "cli/folder.h"
#include "cli/lab.h"
#include "cli/progress.h"
#include "cli/prove/proof.h"
#include "cli/prove/table.h"

#include "base/auto.h"
#include "base/mem.h"
#include "base/number.h"
#include "base/paths.h"

#include <limits.h>
#include <string.h>
#include <unistd.h>

enum { KEY_ALL = 0x1001 };

typedef struct options {
    char **problems; /* borrowed from argv */
    size_t problem_count;
    bool is_all;
    int64_t seed, repeat, parallel;
    const char *json_path, *page_path;
} options_t;

static const struct argp_option option_table[] = {
    {"all", KEY_ALL, NULL, 0, "Every problem", 0},
    {"repeat", 'r', "NUMBER", 0, "How many seeds (1)", 0},
    {"seed", 's', "NUMBER", 0, "The first of them (0)", 0},
    {"parallel", 'p', "NUMBER", 0, "How many sessions at once (2)", 0},
    {"json", 'j', "FILE", 0, "Writes what was proven as JSON", 0},
    {"page", 'o', "FILE", 0, "Writes it as a page of Markdown", 0},
    {0},
};

static int64_t parse_number(const char *text, int64_t least, int64_t most, struct argp_state *state)
{
    int64_t number = 0;
    if (!number_parse(text, least, most, &number))
        argp_error(state, "'%s' is not a number from %lld to %lld", text, (long long)least,
            (long long)most);
    return number;
}

static error_t parse_option(int key, char *value, struct argp_state *state)
{
    options_t *options = state->input;
    switch (key) {
    case KEY_ALL:
        options->is_all = true;
        return 0;
    case 'r':
        options->repeat = parse_number(value, 1, 1000, state);
        return 0;
    case 's':
        options->seed = parse_number(value, 0, INT32_MAX, state);
        return 0;
    case 'p':
        options->parallel = parse_number(value, 1, 64, state);
        return 0;
    case 'j':
        options->json_path = value;
        return 0;
    case 'o':
        options->page_path = value;
        return 0;
    case ARGP_KEY_ARGS:
        options->problems = state->argv + state->next;
        options->problem_count = (size_t)(state->argc - state->next);
        return 0;
    case ARGP_KEY_END:
        if (options->is_all == (options->problem_count > 0))
            argp_error(state, "which problems? Give their ids, or --all");
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

/* ---- what is to be proven ------------------------------------------------------------------ */

/* Whether the healthy twin of the family is proven by this one: by its mitigation, which says most,
 * or else by the first. */
static bool is_first(const problem_t *problem)
{
    const problem_family_t *family = problem->family;
    for (uint32_t i = 0; i < family->problem_count; i++) {
        if (family->problems[i].task == TASK_MITIGATION)
            return problem == &family->problems[i];
    }
    return problem == &family->problems[0];
}

static void add(const options_t *options, proofs_t *proofs, const problem_t *problem)
{
    for (int64_t i = 0; i < options->repeat; i++)
        proofs_add(proofs, problem, options->seed + i, is_first(problem));
}

static int collect(const options_t *options, const problem_registry_t *registry, proofs_t *proofs)
{
    err_t err = {0};
    for (size_t i = 0; options->is_all && i < problem_registry_count(registry); i++)
        add(options, proofs, problem_registry_at(registry, i));
    for (size_t i = 0; i < options->problem_count; i++) {
        const problem_t *problem = problem_registry_find(registry, options->problems[i], &err);
        if (!problem)
            return command_fail(&err);
        add(options, proofs, problem);
    }
    return EXIT_DONE;
}

/* ---- proving it ---------------------------------------------------------------------------- */

static void on_end(void *arg, const proof_t *proof)
{
    progress_t *progress = arg;
    AUTO_FREE char *outcome = proof_outcome(proof);
    progress_verdict(progress, proof_is_right(proof), "  %s  %s with %s%s, seed %lld: %s",
        proof_is_right(proof) ? "right" : "WRONG", proof->problem->id, proof->agent,
        proof->is_healthy ? " without the fault" : "", (long long)proof->seed, outcome);
}

static int write_all(const options_t *options, const proofs_t *proofs, err_t *err)
{
    int rc = 0;
    json_auto_t *json = table_to_json(proofs);
    if (options->json_path) {
        AUTO_FREE char *text = json_dumps(json, JSON_INDENT(1));
        rc = folder_write(options->json_path, text, err);
    }
    if (rc == 0 && options->page_path) {
        AUTO_FREE char *page = table_to_page(proofs);
        rc = folder_write(options->page_path, page, err);
    }
    return rc;
}

static int conclude(const options_t *options, const proofs_t *proofs)
{
    err_t err = {0};
    size_t right = 0;
    for (size_t i = 0; i < proofs->count; i++)
        right += proof_is_right(&proofs->items[i]);
    printf("%zu of %zu are as they should be\n", right, proofs->count);
    if (write_all(options, proofs, &err) < 0)
        return command_fail(&err);
    return right == proofs->count ? EXIT_DONE : EXIT_WRONG;
}

static int prove(const options_t *options, proofs_t *proofs)
{
    err_t err = {0};
    AUTO(lab_destroy) lab_t *lab = lab_open(LAB_ANY, &err);
    if (!lab || lab_await_services(lab, &err) < 0)
        return command_fail(&err) == EXIT_USAGE ? EXIT_USAGE : EXIT_VOID;
    AUTO(progress_destroy) progress_t *progress = progress_new(lab_ev(lab), stdout);
    AUTO_FREE char *results_dir = xasprintf("%s/proofs", lab_run_dir(lab));
    bool is_done = proofs_run(
        proofs, lab_run_dir(lab), results_dir, (size_t)options->parallel, on_end, progress);
    if (is_done)
        return conclude(options, proofs);
    fputs("aiopslab: interrupted\n", stderr);
    return EXIT_INTERRUPTED;
}

static int run(int argc, char **argv)
{
    static const struct argp parser = {option_table, parse_option, "ID...|--all",
        "Proves that problems are what they say: the oracle's solutions pass, agents that do "
        "nothing, guess, delete, scale to zero, restart or roll back all get what they should, the "
        "fault shows in the load in time, and without the fault it does not and all is well. Uses "
        "the system that runs, or one of its own.\v"
        "Exit status: 0 when all is as it should be, 1 when something is not, 3 when nothing could "
        "be proven, 130 after Ctrl-C.",
        NULL, NULL, NULL};
    options_t options = {.repeat = 1, .parallel = 2};
    err_t err = {0};
    int status;
    if (!command_parse(&parser, argc, argv, &options, &status))
        return status;
    AUTO_FREE char *data_dir = paths_data_dir();
    AUTO_FREE char *folder = xasprintf("%s/problems", data_dir);
    AUTO(problem_registry_destroy)
    problem_registry_t *registry =
        problem_registry_new(&(problem_sources_t){.folder = folder}, &err);
    if (!registry)
        return command_fail(&err);
    proofs_t proofs = {0};
    status = collect(&options, registry, &proofs);
    if (status == EXIT_DONE)
        status = prove(&options, &proofs);
    proofs_done(&proofs);
    return status;
}

const command_t command_prove = {
    .name = "prove", .summary = "prove that problems are what they say", .run = run};
