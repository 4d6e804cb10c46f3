/* status: what runs. */
#include "cli/command.h"
#include "cli/lab.h"
#include "cli/programs.h"

#include "base/auto.h"
#include "base/mem.h"

#include <stdio.h>
#include <string.h>

enum { KEY_JSON = 'j', CALL_MS = 3000 };

static const struct argp_option option_table[] = {
    {"json", KEY_JSON, NULL, 0, "As JSON", 0},
    {0},
};

static error_t parse_option(int key, char *value, struct argp_state *state)
{
    switch (key) {
    case KEY_JSON:
        *(bool *)state->input = true;
        return 0;
    case ARGP_KEY_ARG:
        argp_error(state, "unexpected argument '%s'", value);
        return EINVAL;
    default:
        return ARGP_ERR_UNKNOWN;
    }
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
    json_int_t pid = number_of(process, "pid");
    const char *reason = json_string_value(json_object_get(process, "reason"));
    bool is_broker = strcmp(name, program_names[0]) == 0;
    bool is_there = is_broker || number_of(service, "instances") > 0;
    printf("%-13s %-5s", name, is_there ? "up" : "down");
    if (pid)
        printf("  pid %-8lld", (long long)pid);
    if (service)
        printf("  %lld instance%s, %lld answered", (long long)number_of(service, "instances"),
            number_of(service, "instances") == 1 ? "" : "s",
            (long long)number_of(service, "answered"));
    if (number_of(process, "restarts") > 0)
        printf("  started again %lld time%s, last because of: %s",
            (long long)number_of(process, "restarts"),
            number_of(process, "restarts") == 1 ? "" : "s", reason ? reason : "?");
    putchar('\n');
}

static void print_table(const lab_t *lab, const json_t *processes, const json_t *report)
{
    printf("in %s\n", lab_run_dir(lab));
    for (size_t i = 0; i < program_count; i++)
        print_row(program_names[i], find_by_name(processes, program_names[i]),
            find_by_name(json_object_get(report, "services"), program_names[i]));
}

static void print_json(const lab_t *lab, json_t *processes, json_t *report)
{
    json_auto_t *all = json_pack(
        "{s:s, s:O, s:O}", "run_dir", lab_run_dir(lab), "processes", processes, "broker", report);
    json_dumpf(all, stdout, JSON_INDENT(2));
    putchar('\n');
}

static int show(bool is_json, err_t *err)
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
    json_t *report = ((broker_report_t *)reply)->report;
    if (is_json)
        print_json(lab, processes, report);
    else
        print_table(lab, processes, report);
    codec_free(&broker_report_type, reply);
    return 0;
}

static int run(int argc, char **argv)
{
    static const struct argp parser = {
        option_table, parse_option, NULL, "Tells what runs.", NULL, NULL, NULL};
    bool is_json = false;
    int status;
    err_t err = {0};
    if (!command_parse(&parser, argc, argv, &is_json, &status))
        return status;
    return show(is_json, &err) < 0 ? command_fail(&err) : EXIT_DONE;
}

const command_t command_status = {.name = "status", .summary = "tell what runs", .run = run};
