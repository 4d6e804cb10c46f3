/* loadgen - the load worker: what runs in the pod that stands for wrk2's. */
#include "apps/loadgen/worker.h"
#include "base/auto.h"

#include <argp.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

const char *argp_program_version = "loadgen " AIO_VERSION;

typedef struct arguments {
    worker_config_t config;
    err_t err;
} arguments_t;

static const struct argp_option options[] = {
    {"rate", 'R', "N", 0, "Requests a second (100)", 0},
    {"duration", 'd', "SECONDS", 0, "How long (10); 0: until SIGTERM", 0},
    {"connections", 'c', "N", 0, "Connections kept open (2)", 0},
    {"distribution", 'D', "NAME", 0, "Gaps between requests: constant or exponential (constant)",
        0},
    {"mix", 'm', "NAME", 0, "Which requests (mixed-workload_type_1)", 0},
    {"seed", 's', "N", 0, "For the values in requests and the gaps between them (1)", 0},
    {"timeout", 'T', "SECONDS", 0, "When a request counts as failed (10)", 0},
    {0},
};

/* A number within bounds, or the program ends with status 2. */
static double number(struct argp_state *state, const char *what, const char *text, double most)
{
    char *end = NULL;
    double value = strtod(text, &end);
    if (!*text || *end || !isfinite(value) || value < 0 || value > most)
        argp_error(state, "%s '%s' is not a number from 0 to %g", what, text, most);
    return value;
}

static error_t parse_number(int key, char *value, struct argp_state *state)
{
    worker_config_t *config = &((arguments_t *)state->input)->config;
    switch (key) {
    case 'R':
        config->rate = number(state, "rate", value, 1e6);
        return 0;
    case 'd':
        config->duration_ms = (int64_t)(number(state, "duration", value, 1e7) * 1000);
        return 0;
    case 'c':
        config->connection_count =
            (int)number(state, "connections", value, WORKER_CONNECTION_LIMIT);
        return 0;
    case 's':
        config->seed = strtoull(value, NULL, 10);
        return 0;
    case 'T':
        config->timeout_ms = (int64_t)(number(state, "timeout", value, 3600) * 1000);
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static error_t parse(int key, char *value, struct argp_state *state)
{
    arguments_t *self = state->input;
    switch (key) {
    case 'D':
        if (arrivals_parse(value, &self->config.arrivals, &self->err) < 0)
            argp_error(state, "%s", self->err.text);
        return 0;
    case 'm':
        self->config.mix = mix_find(value, &self->err);
        if (!self->config.mix)
            argp_error(state, "%s", self->err.text);
        return 0;
    case ARGP_KEY_ARG:
        if (self->config.url)
            argp_error(state, "one URL is enough");
        self->config.url = value;
        return 0;
    case ARGP_KEY_END:
        if (!self->config.url)
            argp_error(state, "where to? Give a URL");
        if (self->config.rate <= 0 || self->config.connection_count < 1)
            argp_error(state, "rate and connections must be more than 0");
        return 0;
    default:
        return parse_number(key, value, state);
    }
}

int main(int argc, char **argv)
{
    static const struct argp argp = {.options = options,
        .parser = parse,
        .args_doc = "URL",
        .doc =
            "Sends HTTP requests at a rate, whatever the server does, and tells every second "
            "what became of them: a line of JSON each, then wrk2's summary, then one last line."};
    argp_err_exit_status = 2;
    arguments_t arguments = {.config = {.mix = mix_find("mixed-workload_type_1", NULL),
                                 .rate = 100,
                                 .duration_ms = 10000,
                                 .connection_count = 2,
                                 .timeout_ms = 10000,
                                 .seed = 1}};
    argp_parse(&argp, argc, argv, 0, NULL, &arguments);
    if (worker_run(&arguments.config, &arguments.err) < 0) {
        fprintf(stderr, "loadgen: %s\n", arguments.err.text);
        return EXIT_FAILURE;
    }
    return EXIT_SUCCESS;
}
