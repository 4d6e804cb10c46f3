/* aiopslab-evaluator */
#include "bus/service.h"
#include "services/evaluator/evaluator.h"

static void *open_evaluator(const service_t *service, err_t *err)
{
    (void)err;
    return evaluator_new(service->ev, service->bus, service->metrics);
}

static void close_evaluator(void **self_p)
{
    evaluator_destroy((evaluator_t **)self_p);
}

int main(int argc, char **argv)
{
    static const service_spec_t spec = {
        .name = "evaluator",
        .summary = "Says whether an agent succeeded, and by what",
        .open = open_evaluator,
        .close = close_evaluator,
    };
    return service_main(argc, argv, &spec);
}
