/* problems: what there is to solve. */
#include "cli/command.h"

#include "base/auto.h"
#include "base/mem.h"
#include "base/paths.h"
#include "problems/problem.h"

#include <stdio.h>

static const struct argp_option option_table[] = {
    {"json", 'j', NULL, 0, "As JSON", 0},
    {0},
};

static error_t parse_option(int key, char *value, struct argp_state *state)
{
    switch (key) {
    case 'j':
        *(bool *)state->input = true;
        return 0;
    case ARGP_KEY_ARG:
        argp_error(state, "unexpected argument '%s'", value);
        return EINVAL;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

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

static int run(int argc, char **argv)
{
    static const struct argp parser = {
        option_table, parse_option, NULL, "Lists the problems.", NULL, NULL, NULL};
    bool is_json = false;
    int status;
    err_t err = {0};
    if (!command_parse(&parser, argc, argv, &is_json, &status))
        return status;
    AUTO_FREE char *data_dir = paths_data_dir();
    AUTO_FREE char *folder = xasprintf("%s/problems", data_dir);
    AUTO(problem_registry_destroy)
    problem_registry_t *registry = problem_registry_new(folder, &err);
    if (!registry)
        return command_fail(&err);
    if (is_json)
        print_json(registry);
    else
        print_list(registry);
    return EXIT_DONE;
}

const command_t command_problems = {
    .name = "problems", .summary = "list what there is to solve", .run = run};
