/* faults: what can be broken, and how. */
#include "cli/command.h"

#include "base/auto.h"
#include "faults/catalogue.h"

#include <stdio.h>
#include <string.h>

typedef struct options {
    const char *name; /* NULL: all */
    bool is_json;
} options_t;

static const struct argp_option option_table[] = {
    {"json", 'j', NULL, 0, "As JSON", 0},
    {0},
};

static error_t parse_option(int key, char *value, struct argp_state *state)
{
    options_t *options = state->input;
    switch (key) {
    case 'j':
        options->is_json = true;
        return 0;
    case ARGP_KEY_ARG:
        if (options->name) {
            argp_error(state, "unexpected argument '%s'", value);
            return EINVAL;
        }
        options->name = value;
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static void print_json(json_t *json /* taken */)
{
    json_dumpf(json, stdout, JSON_INDENT(2));
    putchar('\n');
    json_decref(json);
}

static void list(const options_t *options)
{
    size_t count;
    const fault_spec_t *specs = fault_specs(&count);
    json_t *all = json_array();
    for (size_t i = 0; i < count; i++) {
        json_array_append_new(all, fault_spec_to_json(&specs[i]));
        if (!options->is_json)
            printf("%-24s %-16s %s\n", specs[i].name, specs[i].level, specs[i].summary);
    }
    if (options->is_json)
        print_json(all);
    else
        json_decref(all);
}

static void print_parameter(const fault_parameter_t *parameter)
{
    const char *unit = parameter->type == FAULT_TEXT ? "characters" : parameter->unit;
    printf("  --param %s=…  %s\n      ", parameter->name, parameter->doc);
    if (parameter->usual)
        printf("%s if left out", *parameter->usual ? parameter->usual : "empty");
    else
        printf("needed");
    printf("; %lld to %lld%s%s\n", (long long)parameter->least, (long long)parameter->most,
        *unit ? " " : "", unit);
}

static void show(const fault_spec_t *spec)
{
    printf("%s: %s.\n", spec->name, spec->summary);
    printf("level:    %s\n", spec->level);
    printf("strikes:  %s\n", *spec->strikes ? spec->strikes : "nothing");
    printf("symptom:  %s\n", spec->symptom);
    if (*spec->needs)
        printf("needs:    %s\n", spec->needs);
    for (size_t i = 0; i < spec->parameter_count; i++)
        print_parameter(&spec->parameters[i]);
}

static int run(int argc, char **argv)
{
    static const struct argp parser = {option_table, parse_option, "[NAME]",
        "Lists the faults that can be injected, or shows one of them.", NULL, NULL, NULL};
    options_t options = {0};
    int status;
    err_t err = {0};
    if (!command_parse(&parser, argc, argv, &options, &status))
        return status;
    if (!options.name) {
        list(&options);
        return EXIT_DONE;
    }
    const fault_spec_t *spec = fault_spec_find(options.name, &err);
    if (!spec)
        return command_fail(&err);
    if (options.is_json)
        print_json(fault_spec_to_json(spec));
    else
        show(spec);
    return EXIT_DONE;
}

const command_t command_faults = {
    .name = "faults", .summary = "list what can be broken, and how", .run = run};
