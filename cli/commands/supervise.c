/* supervise: what `up` and private labs start; see cli/supervisor.h. */
#include "cli/command.h"
#include "cli/supervisor.h"

#include "base/log.h"

#include <fcntl.h>
#include <stdio.h>

static const struct argp_option option_table[] = {
    {"run", 'r', "FOLDER", 0, "The run directory", 0},
    {"state", 's', "FOLDER", 0, "The state directory", 0},
    {"listen", 'l', "ENDPOINT", 0, "Passed on to the broker", 0},
    {"config", 'c', "FILE", 0, "Passed on to all programs", 0},
    {"private", 'p', NULL, 0, "End at the end of file of descriptor 3, and remove the folders", 0},
    {0},
};

static error_t parse_option(int key, char *value, struct argp_state *state)
{
    supervisor_options_t *options = state->input;
    switch (key) {
    case 'r':
        options->run_dir = value;
        return 0;
    case 's':
        options->state_dir = value;
        return 0;
    case 'l':
        options->listen = value;
        return 0;
    case 'c':
        options->config_path = value;
        return 0;
    case 'p':
        options->is_private = true;
        options->owner_fd = SUPERVISOR_OWNER_FD;
        return 0;
    case ARGP_KEY_END:
        if (!options->run_dir || !options->state_dir)
            argp_error(state, "--run and --state are needed");
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static int run(int argc, char **argv)
{
    static const struct argp parser = {
        option_table, parse_option, NULL, "Keeps broker and services running.", NULL, NULL, NULL};
    supervisor_options_t options = {.owner_fd = -1, .report_fd = -1};
    int status;
    if (!command_parse(&parser, argc, argv, &options, &status))
        return status;
    if (fcntl(SUPERVISOR_REPORT_FD, F_SETFD, FD_CLOEXEC) == 0)
        options.report_fd = SUPERVISOR_REPORT_FD;
    if (options.owner_fd >= 0)
        (void)fcntl(options.owner_fd, F_SETFD, FD_CLOEXEC);
    err_t err = {0};
    if (supervisor_run(&options, &err) == 0)
        return EXIT_DONE;
    log_error("supervisor.failed", "reason=\"%s\"", err.text);
    if (options.report_fd >= 0)
        dprintf(options.report_fd, "%s %s\n", err_code_name(err.code), err.text);
    return EXIT_WRONG;
}

const command_t command_supervise = {.name = "supervise", .run = run};
