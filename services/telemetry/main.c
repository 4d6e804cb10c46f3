/* aiopslab-telemetry */
#include "base/number.h"
#include "bus/service.h"
#include "services/telemetry/telemetry.h"

typedef struct options {
    int64_t window_min;
    int64_t memory_mib;
} options_t;

static const struct argp_option option_table[] = {
    {"window", 'w', "MINUTES", 0, "How far back metrics are kept (30)", 0},
    {"memory", 'm', "MIB", 0, "Memory for the metrics of one environment (32)", 0},
    {0},
};

static bool parse_option(void *option_values, int key, const char *value, err_t *err)
{
    options_t *options = option_values;
    bool is_good = key == 'w' ? number_parse(value, 1, 24L * 60, &options->window_min)
                              : number_parse(value, 1, 4096, &options->memory_mib);
    if (!is_good)
        (void)err_set(err, ERR_INVALID, "'%s' is no number within the limits (%s)", value,
            key == 'w' ? "1 to 1440 minutes" : "1 to 4096 MiB");
    return is_good;
}

static void *open_telemetry(const service_t *service, err_t *err)
{
    const options_t *options = service->options;
    (void)err;
    return telemetry_new(&(telemetry_config_t){.ev = service->ev,
        .bus = service->bus,
        .metrics = service->metrics,
        .window_ms = options->window_min * 60000,
        .memory_limit = (size_t)options->memory_mib << 20});
}

static void close_telemetry(void **self_p)
{
    telemetry_destroy((telemetry_t **)self_p);
}

int main(int argc, char **argv)
{
    static options_t options;
    static const service_spec_t spec = {
        .name = "telemetry",
        .summary = "Collects metrics, logs, traces and events of every environment",
        .open = open_telemetry,
        .close = close_telemetry,
        .options = option_table,
        .option_values = &options,
        .parse_option = parse_option,
    };
    return service_main(argc, argv, &spec);
}
