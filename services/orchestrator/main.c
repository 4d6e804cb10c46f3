/* aiopslab-orchestrator */
#include "base/auto.h"
#include "base/mem.h"
#include "bus/service.h"
#include "services/orchestrator/orchestrator.h"

typedef struct options {
    const char *problems;
    const char *database;
    const char *results;
} options_t;

static const struct argp_option option_table[] = {
    {"problems", 'p', "FOLDER", 0, "Where the problems are (problems in the data folder)", 0},
    {"database", 'd', "FILE", 0, "Sessions and steps (orchestrator.db in the state folder)", 0},
    {"results", 'r', "FOLDER", 0, "Where results go (results in the state folder)", 0},
    {0},
};

static bool parse_option(void *option_values, int key, const char *value, err_t *err)
{
    options_t *options = option_values;
    (void)err;
    switch (key) {
    case 'p':
        options->problems = value;
        return true;
    case 'd':
        options->database = value;
        return true;
    case 'r':
        options->results = value;
        return true;
    default:
        return true;
    }
}

static char *path_or(const char *given, const char *folder, const char *name)
{
    return given ? xstrdup(given) : xasprintf("%s/%s", folder, name);
}

static void *open_orchestrator(const service_t *service, err_t *err)
{
    const options_t *options = service->options;
    AUTO_FREE char *problems = path_or(options->problems, service->data_dir, "problems");
    AUTO_FREE char *database = path_or(options->database, service->state_dir, "orchestrator.db");
    AUTO_FREE char *results = path_or(options->results, service->state_dir, "results");
    return orchestrator_new(&(orchestrator_config_t){.ev = service->ev,
                                .bus = service->bus,
                                .metrics = service->metrics,
                                .problems_dir = problems,
                                .database = database,
                                .results_dir = results},
        err);
}

static void close_orchestrator(void **self_p)
{
    orchestrator_destroy((orchestrator_t **)self_p);
}

int main(int argc, char **argv)
{
    static options_t options;
    static const service_spec_t spec = {
        .name = "orchestrator",
        .summary = "Runs sessions: environment, load, fault, the agent's turn, verdict",
        .open = open_orchestrator,
        .close = close_orchestrator,
        .options = option_table,
        .option_values = &options,
        .parse_option = parse_option,
    };
    return service_main(argc, argv, &spec);
}
