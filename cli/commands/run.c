/* run: agents at work on problems, with or without a lab that runs already. */
#include "cli/command.h"
#include "cli/folder.h"
#include "cli/model.h"
#include "cli/results.h"
#include "cli/timing.h"
#include "cli/trial.h"

#include "base/auto.h"
#include "base/mem.h"
#include "base/number.h"
#include "base/paths.h"
#include "problems/problem.h"

#include <limits.h>
#include <string.h>
#include <unistd.h>

enum {
    KEY_MAX_STEPS = 0x1001,
    KEY_TIMING,
    KEY_PRIVATE,
    KEY_SOLUTION,
    KEY_HEALTHY,
    KEY_SCORING,
    RESULT_SIZE = 65536 /* of most */
};

typedef struct options {
    char **problems; /* borrowed from argv */
    size_t problem_count;
    const char *agent;
    const char *results_dir;
    int64_t seed;
    int64_t max_steps;
    model_options_t model;
    int64_t solution;
    const char *scoring;
    bool is_healthy;
    bool is_json;
    bool is_timing;
    bool is_private;
} options_t;

static const struct argp_option option_table[] = {
    {"agent", 'a', "NAME", 0,
        "Who acts: heuristic (if left out), human, llm, mcp, noop, oracle, random, …", 0},
    {"seed", 's', "NUMBER", 0, "For all that is random (0)", 0},
    {"max-steps", KEY_MAX_STEPS, "NUMBER", 0, "How many actions the agent has (30)", 0},
    {"results-dir", 'd', "FOLDER", 0, "Where results go (results in the state folder)", 0},
    {"json", 'j', NULL, 0, "Print each result as a line of JSON; progress goes to stderr", 0},
    {"timing", KEY_TIMING, NULL, 0, "Print where the time went", 0},
    {"solution", KEY_SOLUTION, "NUMBER", 0, "Which of the accepted solutions the oracle plays (0)",
        0},
    {"healthy", KEY_HEALTHY, NULL, 0, "Without the fault; right is who finds nothing wrong", 0},
    {"scoring", KEY_SCORING, "RULES", 0, "original: judged by AIOpsLab's rules instead of ours", 0},
    {"private", KEY_PRIVATE, NULL, 0, "Bring an own system up even if one runs", 0},
    {0},
};

static int64_t parse_number(
    const char *text, int64_t least, const char *what, struct argp_state *state)
{
    int64_t number = 0;
    if (!number_parse(text, least, INT64_MAX, &number))
        argp_error(
            state, "%s must be a number from %lld on, not '%s'", what, (long long)least, text);
    return number;
}

static error_t parse_option(int key, char *value, struct argp_state *state)
{
    options_t *options = state->input;
    switch (key) {
    case ARGP_KEY_INIT:
        state->child_inputs[0] = &options->model;
        return 0;
    case 'a':
        options->agent = value;
        return 0;
    case 's':
        options->seed = parse_number(value, INT64_MIN, "the seed", state);
        return 0;
    case KEY_MAX_STEPS:
        options->max_steps = parse_number(value, 1, "--max-steps", state);
        return 0;
    case KEY_SOLUTION:
        options->solution = parse_number(value, 0, "--solution", state);
        return 0;
    case KEY_SCORING:
        if (strcmp(value, "original") != 0)
            argp_error(state, "the rules can only be 'original', not '%s'", value);
        options->scoring = value;
        return 0;
    case KEY_HEALTHY:
        options->is_healthy = true;
        return 0;
    case 'd':
        options->results_dir = value;
        return 0;
    case 'j':
        options->is_json = true;
        return 0;
    case KEY_TIMING:
        options->is_timing = true;
        return 0;
    case KEY_PRIVATE:
        options->is_private = true;
        return 0;
    case ARGP_KEY_ARGS:
        options->problems = state->argv + state->next;
        options->problem_count = (size_t)(state->argc - state->next);
        return 0;
    case ARGP_KEY_NO_ARGS:
        argp_error(state, "which problem? 'aiopslab problems' lists them");
        return EINVAL;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

/* ---- before anything is started ------------------------------------------------------------ */

/* "the agents are heuristic, human, ..." */
static char *list_agents(void)
{
    char *list = xstrdup("the agents are");
    for (size_t i = 0; i < agent_count; i++) {
        char *longer = xasprintf("%s%s %s", list, i ? "," : "", agents[i]->name);
        free(list);
        list = longer;
    }
    return list;
}

static int check_agent(const char *name)
{
    if (agent_find(name))
        return EXIT_DONE;
    AUTO_FREE const char **names = xcalloc(agent_count, sizeof(*names));
    for (size_t i = 0; i < agent_count; i++)
        names[i] = agents[i]->name;
    AUTO_FREE char *list = list_agents();
    return command_unknown("agent", name, names, agent_count, list);
}

static int check_problems(const options_t *options)
{
    err_t err = {0};
    AUTO_FREE char *data_dir = paths_data_dir();
    AUTO_FREE char *folder = xasprintf("%s/problems", data_dir);
    AUTO(problem_registry_destroy)
    problem_registry_t *registry =
        problem_registry_new(&(problem_sources_t){.folder = folder}, &err);
    if (!registry)
        return command_fail(&err);
    for (size_t i = 0; i < options->problem_count; i++) {
        if (!problem_registry_find(registry, options->problems[i], &err))
            return command_fail(&err);
    }
    return EXIT_DONE;
}

/* Absolute, since services work in folders of their own. */
static char *results_dir_of(const options_t *options, err_t *err)
{
    if (!options->results_dir) {
        AUTO_FREE char *state = paths_state_dir(err);
        return state ? xasprintf("%s/results", state) : NULL;
    }
    if (*options->results_dir == '/')
        return xstrdup(options->results_dir);
    char here[PATH_MAX];
    if (!getcwd(here, sizeof(here))) {
        err_set(err, ERR_IO, "cannot tell the present folder");
        return NULL;
    }
    return xasprintf("%s/%s", here, options->results_dir);
}

/* ---- the trials ---------------------------------------------------------------------------- */

static int play(const options_t *options, trial_t *trial, timing_t *timing, const char *problem)
{
    err_t err = {0};
    json_auto_t *result = NULL;
    trial->problem = problem;
    progress_title(trial->progress, "%s with %s, seed %lld", problem, trial->agent->name,
        (long long)trial->seed);
    progress_begin(trial->progress, "system");
    if (trial_play(trial, &result, &err) < 0) {
        progress_end(trial->progress);
        if (lab_take_interrupt(trial->lab) || strcmp(err.text, "interrupted") == 0) {
            fputs("aiopslab: interrupted; all that was started is taken down\n", stderr);
            return EXIT_INTERRUPTED;
        }
        fprintf(stderr, "aiopslab: %s\n", err.text);
        return EXIT_VOID;
    }
    timing_add(timing, result);
    return results_report(trial->progress, result, options->is_json);
}

static int play_each(const options_t *options, trial_t *trial, timing_t *timing)
{
    int worst = EXIT_DONE;
    for (size_t i = 0; i < options->problem_count; i++) {
        int status = play(options, trial, timing, options->problems[i]);
        worst = status > worst ? status : worst;
        if (status == EXIT_INTERRUPTED)
            break;
    }
    return worst;
}

static int play_all(const options_t *options, FILE *out, timing_t *timing)
{
    err_t err = {0};
    model_t model = {0};
    const agent_t *agent = agent_find(options->agent);
    AUTO_FREE char *results_dir = results_dir_of(options, &err);
    if (!results_dir)
        return command_fail(&err);
    if (folder_check_room(results_dir, RESULT_SIZE, &err) < 0) {
        err_wrap(&err, "there is no room for results");
        return command_fail(&err);
    }
    AUTO(lab_destroy) lab_t *lab = lab_open(options->is_private ? LAB_PRIVATE : LAB_ANY, &err);
    if (!lab)
        return command_fail(&err) == EXIT_USAGE ? EXIT_USAGE : EXIT_VOID;
    AUTO(progress_destroy) progress_t *progress = progress_new(lab_ev(lab), out);
    trial_t trial = {.lab = lab,
        .progress = progress,
        .agent = agent,
        .model = &model,
        .results_dir = results_dir,
        .seed = options->seed,
        .max_steps = options->max_steps,
        .solution = options->solution,
        .scoring = options->scoring,
        .is_healthy = options->is_healthy};
    int rc = agent->needs_model ? model_open(&model, &options->model, lab_ev(lab), &err) : 0;
    int status = rc < 0 ? command_fail(&err) : play_each(options, &trial, timing);
    model_close(&model);
    return status;
}

static int run(int argc, char **argv)
{
    static const struct argp_child children[] = {{&model_argp, 0, NULL, 0}, {0}};
    static const struct argp parser = {option_table, parse_option, "ID...",
        "Lets an agent work on problems, one after the other. Uses the system that 'aiopslab up' "
        "brought up; if none runs, brings up one of its own and takes it down again.\v"
        "Exit status: 0 when the agent was right in all, 1 when it was wrong in some, 2 for a "
        "wrong call, 3 when there was no verdict, 4 when a result could not be written where it "
        "should be (then it is saved elsewhere, or printed), 130 after Ctrl-C.",
        children, NULL, NULL};
    options_t options = {.agent = "heuristic"};
    int status;
    if (!command_parse(&parser, argc, argv, &options, &status))
        return status;
    status = check_agent(options.agent);
    if (status == EXIT_DONE)
        status = check_problems(&options);
    if (status != EXIT_DONE)
        return status;
    err_t err = {0};
    if (agent_find(options.agent)->needs_model && model_check(&options.model, &err) < 0)
        return command_fail(&err);
    bool has_stdout = agent_find(options.agent)->has_stdout;
    if (has_stdout && options.is_json) {
        fprintf(stderr, "aiopslab: standard output is the agent's: leave out --json, and find the "
                        "result in its file\n");
        return EXIT_USAGE;
    }
    FILE *out = options.is_json || has_stdout ? stderr : stdout;
    timing_t timing;
    timing_init(&timing);
    status = play_all(&options, out, &timing);
    if (options.is_timing)
        timing_print(&timing, out);
    timing_done(&timing);
    return status;
}

const command_t command_run = {
    .name = "run", .summary = "let an agent work on problems", .run = run};
