#include "broker/broker.h"

#include "base/auto.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/options.h"
#include "base/paths.h"
#include "metrics/metrics_http.h"
#include "schema/settings.h"

#include <argp.h>
#include <signal.h>
#include <sys/file.h>

const char *argp_program_version = "aiopslab-broker " AIO_VERSION;

enum { EXIT_USAGE = 2 };

typedef struct options {
    const char *run_dir;
    const char *listen;
    const char *keys;
    const char *metrics_address;
    const char *config_path;
} options_t;

static const struct argp_option option_table[] = {
    {"run", 'r', "FOLDER", 0, "Where the socket files go (the run directory)", 0},
    {"listen", 'l', "tcp://HOST:PORT", 0,
        "Also listen on TCP ports PORT, PORT+1 and PORT+2, for CURVE keys", 0},
    {"keys", 'k', "FOLDER", 0, "Where the keys are (keys in the state directory)", 0},
    {"metrics-port", 'm', "[HOST:]PORT", 0, "Answer GET /metrics in Prometheus text", 0},
    {"config", 'c', "FILE", 0, "Take settings from a YAML file; options given here outdo it", 0},
    {"verbose", 'v', NULL, 0, "Log more", 0},
    {0},
};

/* From the command line or the file. */
static int set_option(void *arg, int key, char *value, err_t *err)
{
    options_t *options = arg;
    (void)err;
    switch (key) {
    case 'r':
        options->run_dir = value;
        return 0;
    case 'l':
        options->listen = value;
        return 0;
    case 'k':
        options->keys = value;
        return 0;
    case 'm':
        options->metrics_address = value;
        return 0;
    case 'c':
        options->config_path = value;
        return 0;
    default:
        log_set_level(LOG_LEVEL_DEBUG);
        return 0;
    }
}

static error_t parse_option(int key, char *value, struct argp_state *state)
{
    if (key == ARGP_KEY_ARG) {
        argp_error(state, "unexpected argument '%s'", value);
        return EINVAL;
    }
    if (key >= ARGP_KEY_END) /* argp's own keys are from here on */
        return ARGP_ERR_UNKNOWN;
    return set_option(state->input, key, value, NULL);
}

static int fail(const err_t *err)
{
    log_error("broker.failed", "reason=\"%s\"", err->text);
    return err->code == ERR_INVALID ? EXIT_USAGE : EXIT_FAILURE;
}

/* Returns false if the call is wrong, which then has been said. */
static bool read_command_line(options_t *options, int argc, char **argv, settings_t **config_p)
{
    static const struct argp parser = {option_table, parse_option, NULL,
        "Carries requests and events between the programs of aiopslab.", NULL, NULL, NULL};
    AUTO_FREE char *complaint = options_complaint(option_table, argc, argv);
    err_t err = {0};
    if (complaint) {
        fprintf(stderr, "aiopslab-broker: %s\n", complaint);
        return false;
    }
    argp_err_exit_status = EXIT_USAGE;
    if (argp_parse(&parser, argc, argv, 0, NULL, options) != 0)
        return false;
    if (!options->config_path)
        return true;
    *config_p = settings_new(options->config_path, &err);
    if (!*config_p
        || settings_take(*config_p, "broker", option_table, set_option, options, &err) < 0) {
        fail(&err);
        return false;
    }
    /* Again, since the command line outdoes the file. */
    return argp_parse(&parser, argc, argv, 0, NULL, options) == 0;
}

static char *keys_folder(const options_t *options, err_t *err)
{
    if (options->keys)
        return xstrdup(options->keys);
    AUTO_FREE char *state = paths_state_dir(err);
    return state ? xasprintf("%s/keys", state) : NULL;
}

/* Two brokers on one run directory would take each other's socket files. */
static int lock_run_dir(const char *run_dir, err_t *err)
{
    AUTO_FREE char *path = xasprintf("%s/broker.lock", run_dir);
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0)
        return err_set(err, ERR_IO, "cannot open '%s': %s", path, strerror(errno));
    if (flock(fd, LOCK_EX | LOCK_NB) < 0) {
        close(fd);
        return err_set(err, ERR_EXISTS, "another broker runs in '%s'", run_dir);
    }
    return fd; /* held until the process ends */
}

static broker_t *open_broker(ev_t *ev, const options_t *options, err_t *err)
{
    AUTO_FREE char *run_dir = options->run_dir ? xstrdup(options->run_dir) : paths_run_dir(err);
    AUTO_FREE char *keys = run_dir ? keys_folder(options, err) : NULL;
    if (!keys || (options->run_dir && paths_make_private(run_dir, err) < 0)
        || lock_run_dir(run_dir, err) < 0)
        return NULL;
    AUTO_FREE char *requests = xasprintf("ipc://%s/requests", run_dir);
    AUTO_FREE char *publish = xasprintf("ipc://%s/publish", run_dir);
    AUTO_FREE char *events = xasprintf("ipc://%s/events", run_dir);
    AUTO_FREE char *agents = xasprintf("ipc://%s/agents", run_dir);
    AUTO_FREE char *agent_events = xasprintf("ipc://%s/agent-events", run_dir);
    broker_t *broker = broker_new(ev,
        &(broker_config_t){.requests = requests,
            .publish = publish,
            .events = events,
            .agents = agents,
            .agent_events = agent_events,
            .listen = options->listen,
            .keys = keys},
        err);
    if (broker)
        log_info("broker.started", "requests=%s port=%d", requests, broker_port(broker));
    return broker;
}

int main(int argc, char **argv)
{
    options_t options = {0};
    AUTO(settings_destroy) settings_t *config = NULL; /* holds the texts that options points to */
    if (!read_command_line(&options, argc, argv, &config))
        return EXIT_USAGE;

    err_t err;
    zsys_handler_set(NULL); /* signals are the loop's */
    AUTO(ev_destroy) ev_t *ev = ev_new();
    ev_stop_on_signals(ev);
    AUTO(broker_destroy) broker_t *broker = open_broker(ev, &options, &err);
    if (!broker)
        return fail(&err);
    AUTO(metrics_http_destroy) metrics_http_t *http = NULL;
    if (options.metrics_address) {
        http = metrics_http_new(ev, broker_metrics(broker), options.metrics_address, &err);
        if (!http)
            return fail(&err);
        log_info("broker.metrics", "port=%d", metrics_http_port(http));
    }
    ev_run(ev);
    log_info("broker.stopped", "reason=signal");
    return EXIT_SUCCESS;
}
