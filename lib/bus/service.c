#include "bus/service.h"

#include "base/auto.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/options.h"
#include "base/paths.h"
#include "metrics/metrics_http.h"
#include "schema/settings.h"

#include <errno.h>

enum { DRAIN_MS = 5000, KEY_METRICS_PORT = 0x1001, EXIT_USAGE = 2 };

typedef struct command_line {
    const service_spec_t *spec;
    const char *endpoint;
    const char *instance;
    const char *config_path;
    const char *keys;
    const char *metrics_address;
} command_line_t;

/* ---- command line -------------------------------------------------------------------------- */

static const struct argp_option common_options[] = {
    {"bus", 'b', "ENDPOINT", 0, "Where the broker takes requests (ipc in the run directory)", 0},
    {"name", 'n', "INSTANCE", 0, "Which instance of the service this is (random)", 0},
    {"config", 'c', "FILE", 0, "Take settings from a YAML file; options given here outdo it", 0},
    {"keys", 'k', "FOLDER", 0, "CURVE keys, for a tcp endpoint (keys in the state directory)", 0},
    {"metrics-port", KEY_METRICS_PORT, "[HOST:]PORT", 0, "Answer GET /metrics there", 0},
    {"verbose", 'v', NULL, 0, "Log more", 0},
    {0},
};

/* From the command line or the file. */
static int set_option(void *arg, int key, char *value, err_t *err)
{
    command_line_t *line = arg;
    const service_spec_t *spec = line->spec;
    switch (key) {
    case 'b':
        line->endpoint = value;
        return 0;
    case 'n':
        line->instance = value;
        return 0;
    case 'c':
        line->config_path = value;
        return 0;
    case 'k':
        line->keys = value;
        return 0;
    case KEY_METRICS_PORT:
        line->metrics_address = value;
        return 0;
    case 'v':
        log_set_level(LOG_LEVEL_DEBUG);
        return 0;
    default:
        return spec->parse_option(spec->option_values, key, value, err) ? 0 : -ERR_INVALID;
    }
}

static error_t parse_option(int key, char *value, struct argp_state *state)
{
    err_t err = {0};
    if (key == ARGP_KEY_ARG) {
        argp_error(state, "unexpected argument '%s'", value);
        return EINVAL;
    }
    if (key >= ARGP_KEY_END) /* argp's own keys are from here on */
        return ARGP_ERR_UNKNOWN;
    if (set_option(state->input, key, value, &err) == 0)
        return 0;
    argp_error(state, "%s", err.text);
    return EINVAL;
}

static size_t option_count(const struct argp_option *options)
{
    size_t count = 0;
    while (options && (options[count].name || options[count].key || options[count].doc))
        count++;
    return count;
}

/* The common options and those of the spec, in one table. */
static struct argp_option *all_options(const service_spec_t *spec)
{
    size_t common = option_count(common_options);
    size_t own = option_count(spec->options);
    struct argp_option *options = xcalloc(common + own + 1, sizeof(*options));
    memcpy(options, common_options, common * sizeof(*options));
    if (own)
        memcpy(options + common, spec->options, own * sizeof(*options));
    return options;
}

static int read_config(
    command_line_t *line, const struct argp_option *options, settings_t **config_p, err_t *err)
{
    *config_p = settings_new(line->config_path, err);
    return *config_p ? settings_take(*config_p, line->spec->name, options, set_option, line, err)
                     : -(int)err->code;
}

/* Returns false if the call is wrong, which then has been said. */
static bool read_command_line(command_line_t *line, int argc, char **argv, settings_t **config_p)
{
    AUTO_FREE struct argp_option *options = all_options(line->spec);
    AUTO_FREE char *complaint = options_complaint(options, argc, argv);
    AUTO_FREE char *version = xasprintf("aiopslab-%s " AIO_VERSION, line->spec->name);
    const struct argp parser = {options, parse_option, NULL, line->spec->summary, NULL, NULL, NULL};
    err_t err = {0};
    if (complaint) {
        fprintf(stderr, "aiopslab-%s: %s\n", line->spec->name, complaint);
        return false;
    }
    argp_program_version = version;
    argp_err_exit_status = EXIT_USAGE;
    error_t rc = argp_parse(&parser, argc, argv, 0, NULL, line);
    if (rc == 0 && line->config_path && read_config(line, options, config_p, &err) < 0) {
        log_error("service.failed", "service=%s reason=\"%s\"", line->spec->name, err.text);
        rc = EINVAL;
    }
    if (rc == 0 && line->config_path) /* again, since the command line outdoes the file */
        rc = argp_parse(&parser, argc, argv, 0, NULL, line);
    argp_program_version = NULL;
    return rc == 0;
}

/* ---- running ------------------------------------------------------------------------------- */

typedef struct run {
    service_t service;
    ev_t *ev;
    bus_t *bus;
    metrics_t *metrics;
    metrics_http_t *http;
    char *run_dir;
    char *state_dir;
    char *data_dir;
    char *bin_dir;
} run_t;

static void register_bus_metrics(run_t *self)
{
    const bus_counts_t *counts = bus_counts(self->bus);
    const struct {
        const char *name;
        const char *help;
        const uint64_t *value;
    } counters[] = {
        {"aiopslab_bus_requests_sent_total", "Requests sent", &counts->requests_sent},
        {"aiopslab_bus_requests_resent_total", "Requests sent again", &counts->requests_resent},
        {"aiopslab_bus_replies_total", "Replies received", &counts->replies},
        {"aiopslab_bus_timeouts_total", "Requests without an answer", &counts->timeouts},
        {"aiopslab_bus_requests_served_total", "Requests received", &counts->requests_served},
        {"aiopslab_bus_requests_refused_total", "Requests answered with an error",
            &counts->requests_refused},
        {"aiopslab_bus_events_published_total", "Events published", &counts->events_published},
        {"aiopslab_bus_events_dropped_total", "Events that found no room", &counts->events_dropped},
        {"aiopslab_bus_events_received_total", "Events received", &counts->events_received},
        {"aiopslab_bus_events_lost_total", "Events the broker dropped for us",
            &counts->events_lost},
        {"aiopslab_bus_connects_total", "Times the broker welcomed us", &counts->connects},
    };
    for (size_t i = 0; i < ARRAY_SIZE(counters); i++)
        metrics_counter_at(
            self->metrics, counters[i].name, counters[i].help, NULL, counters[i].value);
}

static int open_bus(run_t *self, const command_line_t *line, err_t *err)
{
    AUTO_FREE char *endpoint =
        line->endpoint ? xstrdup(line->endpoint) : xasprintf("ipc://%s/requests", self->run_dir);
    self->bus = bus_new(self->ev,
        &(bus_config_t){.name = line->spec->name,
            .instance = line->instance,
            .endpoint = endpoint,
            .keys = line->keys},
        err);
    if (!self->bus)
        return -(int)err->code;
    register_bus_metrics(self);
    if (!line->metrics_address)
        return 0;
    self->http = metrics_http_new(self->ev, self->metrics, line->metrics_address, err);
    return self->http ? 0 : -(int)err->code;
}

static int prepare(run_t *self, const command_line_t *line, err_t *err)
{
    self->ev = ev_new();
    ev_stop_on_signals(self->ev);
    self->metrics = metrics_new();
    self->run_dir = paths_run_dir(err);
    self->state_dir = self->run_dir ? paths_state_dir(err) : NULL;
    self->data_dir = paths_data_dir();
    self->bin_dir = paths_bin_dir();
    if (!self->state_dir)
        return -(int)err->code;
    int rc = open_bus(self, line, err);
    if (rc < 0)
        return rc;
    self->service = (service_t){
        .ev = self->ev,
        .bus = self->bus,
        .metrics = self->metrics,
        .name = line->spec->name,
        .instance = strchr(bus_source(self->bus), '@') + 1,
        .run_dir = self->run_dir,
        .state_dir = self->state_dir,
        .data_dir = self->data_dir,
        .bin_dir = self->bin_dir,
        .options = line->spec->option_values,
    };
    return 0;
}

static void run_done(run_t *self)
{
    metrics_http_destroy(&self->http);
    bus_destroy(&self->bus);
    metrics_destroy(&self->metrics);
    ev_destroy(&self->ev);
    free(self->run_dir);
    free(self->state_dir);
    free(self->data_dir);
    free(self->bin_dir);
}

static void on_drained(void *arg)
{
    ev_stop(arg);
}

static void drain(run_t *self, const service_spec_t *spec)
{
    int64_t drain_ms = spec->drain_ms ? spec->drain_ms : DRAIN_MS;
    log_info("service.draining", "service=%s pending=%zu", spec->name, bus_pending(self->bus));
    bus_drain(self->bus, drain_ms, on_drained, self->ev);
    ev_run(self->ev);
}

static int serve(run_t *self, const service_spec_t *spec, err_t *err)
{
    void *instance = spec->open(&self->service, err);
    if (!instance)
        return -(int)err->code;
    log_info("service.started", "service=%s source=%s", spec->name, bus_source(self->bus));
    ev_run(self->ev);
    drain(self, spec);
    spec->close(&instance);
    log_info("service.stopped", "service=%s", spec->name);
    return 0;
}

int service_main(int argc, char **argv, const service_spec_t *spec)
{
    command_line_t line = {.spec = spec};
    AUTO(settings_destroy) settings_t *config = NULL; /* holds the texts that line points to */
    err_t err = {0};
    if (!read_command_line(&line, argc, argv, &config))
        return EXIT_USAGE;
    zsys_handler_set(NULL); /* signals are the loop's */
    run_t run = {0};
    int rc = prepare(&run, &line, &err);
    bool is_wrong_call = rc == -ERR_INVALID;
    if (rc == 0)
        rc = serve(&run, spec, &err);
    run_done(&run);
    if (rc == 0)
        return EXIT_SUCCESS;
    log_error("service.failed", "service=%s reason=\"%s\"", spec->name, err.text);
    return is_wrong_call ? EXIT_USAGE : EXIT_FAILURE;
}
