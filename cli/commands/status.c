/* status: what runs. */
#include "cli/command.h"
#include "cli/lab.h"
#include "cli/machine.h"
#include "cli/programs.h"

#include "base/auto.h"
#include "base/mem.h"

#include <stdio.h>
#include <string.h>

enum { CALL_MS = 3000 };

typedef struct options {
    char **services; /* borrowed from argv; none: all */
    size_t service_count;
    bool is_json;
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
        options->services = state->argv + state->next;
        options->service_count = (size_t)(state->argc - state->next);
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static int check_services(const options_t *options)
{
    AUTO_FREE char *list = xstrdup("they are");
    for (size_t i = 0; i < program_count; i++) {
        char *longer = xasprintf("%s%s %s", list, i ? "," : "", program_names[i]);
        free(list);
        list = longer;
    }
    for (size_t i = 0; i < options->service_count; i++) {
        if (!program_is_known(options->services[i]))
            return command_unknown(
                "service", options->services[i], program_names, program_count, list);
    }
    return EXIT_DONE;
}

static bool is_wanted(const options_t *options, const char *name)
{
    bool is_named = options->service_count == 0;
    for (size_t i = 0; i < options->service_count; i++)
        is_named |= strcmp(options->services[i], name) == 0;
    return is_named;
}

static json_t *find_by_name(const json_t *list, const char *name)
{
    size_t i;
    json_t *item;
    json_array_foreach(list, i, item)
    {
        const char *own = json_string_value(json_object_get(item, "name"));
        if (own && strcmp(own, name) == 0)
            return item;
    }
    return NULL;
}

static json_int_t number_of(const json_t *object, const char *key)
{
    return json_integer_value(json_object_get(object, key));
}

/* What the supervisor wrote down; empty if there is none. */
static json_t *read_processes(const lab_t *lab)
{
    AUTO_FREE char *path = xasprintf("%s/services.json", lab_run_dir(lab));
    json_t *list = json_load_file(path, 0, NULL);
    return list ? list : json_array();
}

static void print_row(const char *name, const json_t *process, const json_t *service)
{
    json_int_t restarts = number_of(process, "restarts");
    const char *reason = json_string_value(json_object_get(process, "reason"));
    bool is_broker = strcmp(name, program_names[0]) == 0;
    bool is_there = is_broker || number_of(service, "instances") > 0;
    AUTO_FREE char *pid = number_of(process, "pid")
                              ? xasprintf("%lld", (long long)number_of(process, "pid"))
                              : xstrdup("-");
    AUTO_FREE char *answered =
        service ? xasprintf("%lld", (long long)number_of(service, "answered")) : xstrdup("-");
    printf("%-13s %-5s %8s %9s", name, is_there ? "up" : "down", pid, answered);
    if (restarts > 0)
        printf("  started again %lld time%s, last because of: %s", (long long)restarts,
            restarts == 1 ? "" : "s", reason ? reason : "?");
    putchar('\n');
}

static void print_table(
    const options_t *options, const lab_t *lab, const json_t *processes, const json_t *report)
{
    printf("in %s\n%-13s %-5s %8s %9s\n", lab_run_dir(lab), "SERVICE", "STATE", "PID", "ANSWERED");
    for (size_t i = 0; i < program_count; i++) {
        if (is_wanted(options, program_names[i]))
            print_row(program_names[i], find_by_name(processes, program_names[i]),
                find_by_name(json_object_get(report, "services"), program_names[i]));
    }
}

static void print_missing(const json_t *missing)
{
    size_t i;
    json_t *text;
    json_array_foreach(missing, i, text)
        printf("%s %s\n", i ? "           " : "not here:  ", json_string_value(text));
}

static void print_json(const lab_t *lab, json_t *processes, json_t *report, json_t *missing)
{
    json_auto_t *all = json_pack("{s:s, s:O, s:O, s:O}", "run_dir", lab_run_dir(lab), "processes",
        processes, "broker", report, "missing", missing);
    json_dumpf(all, stdout, JSON_INDENT(2));
    putchar('\n');
}

static int show(const options_t *options, err_t *err)
{
    AUTO(lab_destroy) lab_t *lab = lab_open(LAB_RUNNING, err);
    if (!lab)
        return -(int)err->code;
    void *reply = NULL;
    bus_call_t call = {.target = "broker",
        .type = &broker_status_type,
        .message = &(broker_status_t){},
        .timeout_ms = CALL_MS};
    int rc = lab_call(lab, &call, &broker_report_type, &reply, err);
    if (rc < 0)
        return err_wrap(err, "the broker does not answer");
    json_auto_t *processes = read_processes(lab);
    json_auto_t *missing = machine_missing();
    json_t *report = ((broker_report_t *)reply)->report;
    if (options->is_json) {
        print_json(lab, processes, report, missing);
    } else {
        print_table(options, lab, processes, report);
        print_missing(missing);
    }
    codec_free(&broker_report_type, reply);
    return 0;
}

static int run(int argc, char **argv)
{
    static const struct argp parser = {option_table, parse_option, "[SERVICE...]",
        "Tells what runs, and what this machine lacks.", NULL, NULL, NULL};
    options_t options = {0};
    int status;
    err_t err = {0};
    if (!command_parse(&parser, argc, argv, &options, &status))
        return status;
    status = check_services(&options);
    if (status != EXIT_DONE)
        return status;
    return show(&options, &err) < 0 ? command_fail(&err) : EXIT_DONE;
}

const command_t command_status = {
    .name = "status", .summary = "tell what runs, and what this machine lacks", .run = run};
