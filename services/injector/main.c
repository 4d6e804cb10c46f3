/* aiopslab-injector */
#include "base/auto.h"
#include "base/mem.h"
#include "bus/service.h"
#include "services/injector/injector.h"

typedef struct options {
    const char *records;
} options_t;

static const struct argp_option option_table[] = {
    {"records", 'r', "FOLDER", 0,
        "What was changed and is to be undone (faults in the state folder)", 0},
    {0},
};

static bool parse_option(void *option_values, int key, const char *value, err_t *err)
{
    options_t *options = option_values;
    (void)err;
    if (key == 'r')
        options->records = value;
    return true;
}

static void *open_injector(const service_t *service, err_t *err)
{
    const options_t *options = service->options;
    AUTO_FREE char *records =
        options->records ? xstrdup(options->records) : xasprintf("%s/faults", service->state_dir);
    return injector_new(
        &(injector_config_t){
            .ev = service->ev, .bus = service->bus, .metrics = service->metrics, .folder = records},
        err);
}

static void close_injector(void **self_p)
{
    injector_destroy((injector_t **)self_p);
}

int main(int argc, char **argv)
{
    static options_t options;
    static const service_spec_t spec = {
        .name = "injector",
        .summary = "Breaks things on purpose, watches that they stay broken, and mends them",
        .open = open_injector,
        .close = close_injector,
        .options = option_table,
        .option_values = &options,
        .parse_option = parse_option,
    };
    return service_main(argc, argv, &spec);
}
