/* up: a lab that stays until `down`. */
#include "cli/command.h"
#include "cli/lab.h"
#include "cli/programs.h"

#include "base/auto.h"

#include <stdio.h>
#include <stdlib.h>

typedef struct options {
    const char *listen;
    const char *config;
} options_t;

static const struct argp_option option_table[] = {
    {"listen", 'l', "tcp://HOST:PORT", 0,
        "Also take agents and other machines on TCP ports PORT, PORT+1 and PORT+2, by key", 0},
    {"config", 'c', "FOLDER", 0, "Settings of the services: SERVICE.yaml for each that has some",
        0},
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
        options->config = realpath(value, NULL); /* for the rest of the process's life */
        if (!options->config)
            argp_error(state, "there is no folder '%s'", value);
        return 0;
    case ARGP_KEY_ARG:
        argp_error(state, "unexpected argument '%s'", value);
        return EINVAL;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static int start(const options_t *options, err_t *err)
{
    AUTO(lab_destroy) lab_t *lab = lab_start(options->listen, options->config, err);
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
        "started "
        "again.",
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
