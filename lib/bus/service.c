#include "bus/service.h"

#include "base/auto.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/paths.h"
#include "metrics/metrics_http.h"
#include "schema/schema.h"

#include <errno.h>

enum { DRAIN_MS = 5000, KEY_METRICS_PORT = 0x1001 };

typedef struct settings {
    const service_spec_t *spec;
    const char *endpoint;
    const char *instance;
    const char *config_path;
    const char *keys;
    const char *metrics_address;
} settings_t;

/* ---- command line -------------------------------------------------------------------------- */

static const struct argp_option common_options[] = {
    {"bus", 'b', "ENDPOINT", 0, "Where the broker takes requests (ipc in the run directory)", 0},
    {"name", 'n', "INSTANCE", 0, "Which instance of the service this is (random)", 0},
    {"config", 'c', "FILE", 0, "Read settings from a YAML file", 0},
    {"keys", 'k', "FOLDER", 0, "CURVE keys, for a tcp endpoint (keys in the state directory)", 0},
    {"metrics-port", KEY_METRICS_PORT, "[HOST:]PORT", 0, "Answer GET /metrics there", 0},
    {"verbose", 'v', NULL, 0, "Log more", 0},
    {0},
};

static error_t parse_own(settings_t *settings, int key, char *value, struct argp_state *state)
{
    const service_spec_t *spec = settings->spec;
    err_t err;
    if (key == ARGP_KEY_ARG) {
        argp_error(state, "unexpected argument '%s'", value);
        return EINVAL;
    }
    bool is_special = key == ARGP_KEY_INIT || key == ARGP_KEY_END || key == ARGP_KEY_SUCCESS
                      || key == ARGP_KEY_FINI || key == ARGP_KEY_NO_ARGS || key == ARGP_KEY_ERROR
                      || key == ARGP_KEY_ARGS;
    if (is_special || !spec->parse_option)
        return ARGP_ERR_UNKNOWN;
    if (!spec->parse_option(spec->option_values, key, value, &err)) {
        argp_error(state, "%s", err.text);
        return EINVAL;
    }
    return 0;
}

static error_t parse_option(int key, char *value, struct argp_state *state)
{
    settings_t *settings = state->input;
    switch (key) {
    case 'b':
        settings->endpoint = value;
        return 0;
    case 'n':
        settings->instance = value;
        return 0;
    case 'c':
        settings->config_path = value;
        return 0;
    case 'k':
        settings->keys = value;
        return 0;
    case KEY_METRICS_PORT:
        settings->metrics_address = value;
        return 0;
    case 'v':
        log_set_level(LOG_LEVEL_DEBUG);
        return 0;
    default:
        return parse_own(settings, key, value, state);
    }
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

static int parse_command_line(settings_t *settings, int argc, char **argv)
{
    AUTO_FREE struct argp_option *options = all_options(settings->spec);
    AUTO_FREE char *version = xasprintf("aiopslab-%s " AIO_VERSION, settings->spec->name);
    const struct argp parser = {
        options, parse_option, NULL, settings->spec->summary, NULL, NULL, NULL};
    argp_program_version = version;
    argp_err_exit_status = 2;
    int rc = argp_parse(&parser, argc, argv, 0, NULL, settings);
    argp_program_version = NULL;
    return rc;
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
    void *config;
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

static int load_config(run_t *self, const settings_t *settings, err_t *err)
{
    if (!settings->config_path)
        return 0;
    if (!settings->spec->config_schema)
        return err_set(err, ERR_INVALID, "%s takes no --config", settings->spec->name);
    int rc = schema_load(settings->config_path, settings->spec->config_schema, &self->config, err);
    return rc < 0 ? -ERR_INVALID : 0; /* a file that is not there is a wrong call, too */
}

static int open_bus(run_t *self, const settings_t *settings, err_t *err)
{
    AUTO_FREE char *endpoint = settings->endpoint ? xstrdup(settings->endpoint)
                                                  : xasprintf("ipc://%s/requests", self->run_dir);
    self->bus = bus_new(self->ev,
        &(bus_config_t){.name = settings->spec->name,
            .instance = settings->instance,
            .endpoint = endpoint,
            .keys = settings->keys},
        err);
    if (!self->bus)
        return -(int)err->code;
    register_bus_metrics(self);
    if (!settings->metrics_address)
        return 0;
    self->http = metrics_http_new(self->ev, self->metrics, settings->metrics_address, err);
    return self->http ? 0 : -(int)err->code;
}

static int prepare(run_t *self, const settings_t *settings, err_t *err)
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
    int rc = load_config(self, settings, err);
    if (rc == 0)
        rc = open_bus(self, settings, err);
    if (rc < 0)
        return rc;
    self->service = (service_t){
        .ev = self->ev,
        .bus = self->bus,
        .metrics = self->metrics,
        .name = settings->spec->name,
        .instance = strchr(bus_source(self->bus), '@') + 1,
        .run_dir = self->run_dir,
        .state_dir = self->state_dir,
        .data_dir = self->data_dir,
        .bin_dir = self->bin_dir,
        .config = self->config,
        .options = settings->spec->option_values,
    };
    return 0;
}

static void run_done(run_t *self, const service_spec_t *spec)
{
    metrics_http_destroy(&self->http);
    bus_destroy(&self->bus);
    metrics_destroy(&self->metrics);
    ev_destroy(&self->ev);
    if (self->config)
        schema_free(spec->config_schema, self->config);
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
    settings_t settings = {.spec = spec};
    err_t err = {0};
    if (parse_command_line(&settings, argc, argv) != 0)
        return 2;
    zsys_handler_set(NULL); /* signals are the loop's */
    run_t run = {0};
    int rc = prepare(&run, &settings, &err);
    bool is_wrong_call = rc == -ERR_INVALID;
    if (rc == 0)
        rc = serve(&run, spec, &err);
    run_done(&run, spec);
    if (rc == 0)
        return EXIT_SUCCESS;
    log_error("service.failed", "service=%s reason=\"%s\"", spec->name, err.text);
    return is_wrong_call ? 2 : EXIT_FAILURE;
}
