/* problems: what there is to solve, and whether it is written as it should be. */
#include "cli/command.h"

#include "base/auto.h"
#include "base/mem.h"
#include "base/paths.h"
#include "problems/problem.h"

#include <glob.h>
#include <stdio.h>
#include <string.h>

typedef struct options {
    bool is_json;
    char **words; /* borrowed from argv */
    size_t word_count;
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
        options->words = state->argv + state->next;
        options->word_count = (size_t)(state->argc - state->next);
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

/* ---- listing ------------------------------------------------------------------------------- */

static void print_json(const problem_registry_t *registry)
{
    json_auto_t *list = json_array();
    for (size_t i = 0; i < problem_registry_count(registry); i++)
        json_array_append_new(list, problem_to_public_json(problem_registry_at(registry, i)));
    json_dumpf(list, stdout, JSON_INDENT(2));
    putchar('\n');
}

static void print_list(const problem_registry_t *registry)
{
    for (size_t i = 0; i < problem_registry_count(registry); i++) {
        const problem_t *problem = problem_registry_at(registry, i);
        printf("%-44s %s\n", problem->id, problem->family->summary);
    }
}

static problem_registry_t *read_problems(const char *folder, err_t *err)
{
    return problem_registry_new(&(problem_sources_t){.folder = folder}, err);
}

static int list(const char *folder, bool is_json)
{
    err_t err = {0};
    AUTO(problem_registry_destroy) problem_registry_t *registry = read_problems(folder, &err);
    if (!registry)
        return command_fail(&err);
    if (is_json)
        print_json(registry);
    else
        print_list(registry);
    return EXIT_DONE;
}

/* ---- checking ------------------------------------------------------------------------------ */

/* How many problems a file or folder has; -1, with the first mistake told, if it is wrong. */
static int check_one(const char *path)
{
    err_t err = {0};
    AUTO(problem_registry_destroy) problem_registry_t *registry = read_problems(path, &err);
    if (registry)
        return (int)problem_registry_count(registry);
    fprintf(stderr, "%s\n", err.text);
    return -1;
}

/* Each file for itself, so that a mistake in one does not hide those of the others. */
static int check_each(char *const *paths, size_t count)
{
    int problem_count = 0;
    bool is_wrong = false;
    for (size_t i = 0; i < count; i++) {
        int found = check_one(paths[i]);
        is_wrong = is_wrong || found < 0;
        problem_count += found < 0 ? 0 : found;
    }
    if (is_wrong)
        return EXIT_USAGE;
    printf("%zu file%s, %d problem%s: all well\n", count, count == 1 ? "" : "s", problem_count,
        problem_count == 1 ? "" : "s");
    return EXIT_DONE;
}

/* All that are shipped, and then together: ids are unique over all files. */
static int check_all(const char *folder)
{
    AUTO_FREE char *pattern = xasprintf("%s/*/*.yaml", folder);
    AUTO(globfree) glob_t found = {0};
    (void)glob(pattern, 0, NULL, &found); /* none is told by what follows */
    int status = check_each(found.gl_pathv, found.gl_pathc);
    return status == EXIT_DONE && check_one(folder) < 0 ? EXIT_USAGE : status;
}

static int run(int argc, char **argv)
{
    static const struct argp parser = {option_table, parse_option, "[check [FILE...]]",
        "Lists the problems. 'check' looks whether files are written as they should be: the keys, "
        "the application, the faults with their parameters, and the names of targets. Without FILE "
        "all are checked. Mistakes are told with file, line, column, and what was expected.\v"
        "Exit status: 0 when all is well, 2 when a file is wrong.",
        NULL, NULL, NULL};
    options_t options = {0};
    int status;
    if (!command_parse(&parser, argc, argv, &options, &status))
        return status;
    AUTO_FREE char *data_dir = paths_data_dir();
    AUTO_FREE char *folder = xasprintf("%s/problems", data_dir);
    if (options.word_count == 0)
        return list(folder, options.is_json);
    if (strcmp(options.words[0], "check") != 0) {
        static const char *const words[] = {"check"};
        return command_unknown("command of 'problems'", options.words[0], words, 1,
            "'aiopslab problems check' is the only one");
    }
    return options.word_count == 1 ? check_all(folder)
                                   : check_each(options.words + 1, options.word_count - 1);
}

const command_t command_problems = {
    .name = "problems", .summary = "list what there is to solve, or check files", .run = run};
