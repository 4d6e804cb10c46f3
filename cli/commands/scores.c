/* scores: what results of sessions say together. */
#include "cli/scores/scores.h"
#include "cli/command.h"

#include "base/auto.h"
#include "base/mem.h"
#include "base/paths.h"

#include <glob.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

typedef struct options {
    bool is_json;
    char **paths; /* borrowed from argv */
    size_t path_count;
} options_t;

static const struct argp_option option_table[] = {
    {"json", 'j', NULL, 0, "As JSON", 0},
    {0},
};

static error_t parse_option(int key, char *value, struct argp_state *state)
{
    options_t *options = state->input;
    (void)value;
    switch (key) {
    case 'j':
        options->is_json = true;
        return 0;
    case ARGP_KEY_ARGS:
        options->paths = state->argv + state->next;
        options->path_count = (size_t)(state->argc - state->next);
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static int read_file(const char *path, json_t *results, err_t *err)
{
    json_error_t why;
    json_t *result = json_load_file(path, 0, &why);
    if (!result)
        return err_set(err, ERR_INVALID, "'%s' cannot be read: %s", path, why.text);
    bool is_result = json_is_string(json_object_get(result, "problem_id"))
                     && json_is_string(json_object_get(result, "agent"));
    if (is_result)
        json_array_append(results, result);
    json_decref(result);
    return is_result ? 0 : err_set(err, ERR_INVALID, "'%s' is no result of a session", path);
}

static int read_path(const char *path, json_t *results, err_t *err)
{
    struct stat status;
    if (stat(path, &status) == 0 && !S_ISDIR(status.st_mode))
        return read_file(path, results, err);
    AUTO_FREE char *pattern = xasprintf("%s/*.json", path);
    AUTO(globfree) glob_t found = {0};
    if (glob(pattern, 0, NULL, &found) != 0)
        return err_set(err, ERR_NOT_FOUND, "there are no results in '%s'", path);
    int rc = 0;
    for (size_t i = 0; i < found.gl_pathc && rc == 0; i++)
        rc = read_file(found.gl_pathv[i], results, err);
    return rc;
}

static double number(const json_t *score, const char *key)
{
    return json_number_value(json_object_get(score, key));
}

static void print_table(const json_t *scores)
{
    printf("%-14s %-13s %9s %7s %15s %8s %8s %8s %9s %9s\n", "agent", "task", "right", "rate",
        "95 % interval", "pass@3", "pass^3", "chance", "constant", "majority");
    size_t i;
    json_t *score;
    json_array_foreach((json_t *)scores, i, score)
    {
        const json_t *at = json_object_get(json_object_get(score, "pass_at"), "3");
        const json_t *all = json_object_get(json_object_get(score, "pass_all"), "3");
        char at_text[16] = "-";
        char all_text[16] = "-";
        if (at)
            (void)snprintf(at_text, sizeof(at_text), "%.2f", json_real_value(at));
        if (all)
            (void)snprintf(all_text, sizeof(all_text), "%.2f", json_real_value(all));
        printf(
            "%-14s %-13s %4.0f/%-4.0f %6.0f%% %5.0f%% to %3.0f%% %8s %8s %7.0f%% %8.0f%% %8.0f%%\n",
            json_string_value(json_object_get(score, "agent")),
            json_string_value(json_object_get(score, "task")), number(score, "successes"),
            number(score, "tries"), 100 * number(score, "rate"), 100 * number(score, "low"),
            100 * number(score, "high"), at_text, all_text, 100 * number(score, "chance"),
            100 * number(score, "constant"), 100 * number(score, "majority"));
    }
}

static int run(int argc, char **argv)
{
    static const struct argp parser = {option_table, parse_option, "[FILE|FOLDER...]",
        "Adds results of sessions up, by agent and task: how often it was right, the interval in "
        "which its rate lies, pass@k and pass^k over repeats, and beside them what chance, one "
        "answer to everything, and the most frequent answer would have scored. Without arguments: "
        "of the results in the state folder.",
        NULL, NULL, NULL};
    options_t options = {0};
    err_t err = {0};
    int status;
    if (!command_parse(&parser, argc, argv, &options, &status))
        return status;
    json_auto_t *results = json_array();
    AUTO_FREE char *state_dir = options.path_count ? NULL : paths_state_dir(&err);
    AUTO_FREE char *usual = state_dir ? xasprintf("%s/results", state_dir) : NULL;
    int rc = usual ? read_path(usual, results, &err) : -(int)err.code;
    for (size_t i = 0; i < options.path_count && rc == 0; i++)
        rc = read_path(options.paths[i], results, &err);
    if (rc < 0)
        return command_fail(&err);
    json_auto_t *scores = scores_of(results);
    if (options.is_json)
        json_dumpf(scores, stdout, JSON_INDENT(2));
    else
        print_table(scores);
    return EXIT_DONE;
}

const command_t command_scores = {
    .name = "scores", .summary = "add results of sessions up", .run = run};
