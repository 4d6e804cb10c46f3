/* up: a lab that stays until `down`. */
#include "cli/command.h"
#include "cli/lab.h"
#include "cli/programs.h"

#include "base/auto.h"
#include "base/mem.h"
#include "schema/settings.h"

#include <stdio.h>
#include <stdlib.h>

typedef struct options {
    const char *listen;
    const char *config;
} options_t;

static const struct argp_option option_table[] = {
    {"listen", 'l', "tcp://HOST:PORT", 0,
        "Also take agents and other machines on TCP ports PORT, PORT+1 and PORT+2, by key", 0},
    {"config", 'c', "FILE", 0,
        "Settings from a YAML file: a mapping of programs, each with its options by long name", 0},
    {0},
};

static error_t parse_option(int key, char *value, struct argp_state *state)
{
    options_t *options = state->input;
    switch (key) {
    case 'l':
        options->listen = value;
        return 0;
    case 'c':
        options->config = value;
        return 0;
    case ARGP_KEY_ARG:
        argp_error(state, "unexpected argument '%s'", value);
        return EINVAL;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

/* The file of settings as the programs, which work in another folder, will find it; what can be
 * told of it at once is told. */
static int check_config(const char *path, char **absolute_p, err_t *err)
{
    AUTO(settings_destroy) settings_t *settings = path ? settings_new(path, err) : NULL;
    if (!path)
        return 0;
    if (!settings || settings_check(settings, program_names, program_count, err) < 0) {
        err->code = ERR_INVALID; /* a file that is not there is a wrong call, too */
        return -ERR_INVALID;
    }
    *absolute_p = mem_check(realpath(path, NULL));
    return 0;
}

static int start(const options_t *options, err_t *err)
{
    AUTO_FREE char *config = NULL;
    int checked = check_config(options->config, &config, err);
    if (checked < 0)
        return checked;
    AUTO(lab_destroy) lab_t *lab = lab_start(options->listen, config, err);
    if (!lab)
        return -(int)err->code;
    int64_t began = ev_now(lab_ev(lab));
    int rc = lab_await_services(lab, err);
    if (rc < 0) {
        lab_abandon(lab);
        return rc;
    }
    printf("up after %.1f s: %zu services; they log to %s/log\n",
        (double)(ev_now(lab_ev(lab)) - began) / 1000, program_count - 1, lab_run_dir(lab));
    return 0;
}

static int run(int argc, char **argv)
{
    static const struct argp parser = {option_table, parse_option, NULL,
        "Brings the broker and all services up, to stay until 'aiopslab down'. What dies is "
        "started again.\v"
        "A file of settings is read as if its keys were options:\n\n"
        "  broker: {listen: 'tcp://0.0.0.0:7700', metrics-port: 9100}\n"
        "  orchestrator:\n"
        "    results: /srv/results\n\n"
        "'aiopslab-PROGRAM --help' lists what each program takes.",
        NULL, NULL, NULL};
    options_t options = {0};
    int status;
    err_t err = {0};
    if (!command_parse(&parser, argc, argv, &options, &status))
        return status;
    return start(&options, &err) < 0 ? command_fail(&err) : EXIT_DONE;
}

const command_t command_up = {
    .name = "up", .summary = "bring broker and services up, to stay", .run = run};
