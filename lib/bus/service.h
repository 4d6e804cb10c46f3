/* service - the main() that all services share.
 *
 *     static const service_spec_t spec = {
 *         .name = "injector",
 *         .summary = "Breaks things on purpose, and mends them",
 *         .open = injector_open,
 *         .close = injector_close,
 *     };
 *
 *     int main(int argc, char **argv)
 *     {
 *         return service_main(argc, argv, &spec);
 *     }
 *
 * Options: --bus ENDPOINT, --name INSTANCE, --config FILE, --keys FOLDER, --metrics-port PORT,
 * --verbose, --help, --version, and those of the spec. The file says the same as the command line
 * (see schema/settings.h), which outdoes it. Exit status: 0 after SIGTERM or SIGINT, 1 when it
 * could not start, 2 for a wrong command line or configuration. On a signal it asks the broker for
 * no more requests, answers those it has (for at most drain_ms), closes, and goes. It starts
 * without a broker, and keeps looking for one for ever. */
#ifndef BUS_SERVICE_H
#define BUS_SERVICE_H

#include "base/err.h"
#include "base/ev.h"
#include "bus/bus.h"
#include "metrics/metrics.h"

#include <argp.h>

/* What a service is given; all of it is borrowed from service_main(). */
typedef struct service {
    ev_t *ev;
    bus_t *bus;
    metrics_t *metrics;   /* served at /metrics if --metrics-port is given */
    const char *name;     /* the spec's */
    const char *instance; /* --name, or a random one */
    const char *run_dir;
    const char *state_dir;
    const char *data_dir;
    const char *bin_dir;
    void *options; /* the spec's, filled by its parse_option */
} service_t;

typedef struct service_spec {
    const char *name;    /* as which it serves on the bus, such as "injector" */
    const char *summary; /* the first line of --help */

    /* Builds the service: bus_serve(), timers and so on. NULL is a failure to start. */
    void *(*open)(const service_t *service, err_t *err);

    /* Takes it down; called once, also after a failed drain. */
    void (*close)(void **self_p);

    int64_t drain_ms; /* 0: 5 s */

    const struct argp_option *options; /* further options, or NULL */
    void *option_values;               /* where parse_option puts them */
    /* Returns false if the value is no good; *err then says why. */
    bool (*parse_option)(void *option_values, int key, const char *value, err_t *err);
} service_spec_t;

int service_main(int argc, char **argv, const service_spec_t *spec);

#endif
