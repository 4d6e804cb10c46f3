/* aiopslab-loadgen */
#include "bus/service.h"
#include "services/loadgen/loadgen.h"

static void *open_loadgen(const service_t *service, err_t *err)
{
    (void)err;
    return loadgen_new(service->ev, service->bus, service->metrics);
}

static void close_loadgen(void **self_p)
{
    loadgen_destroy((loadgen_t **)self_p);
}

int main(int argc, char **argv)
{
    static const service_spec_t spec = {
        .name = "loadgen",
        .summary = "Puts environments under load and reports every second what became of it",
        .open = open_loadgen,
        .close = close_loadgen,
    };
    return service_main(argc, argv, &spec);
}
