/* app - the main() that all programs of the applications share.
 *
 * It reads the environment (LISTEN_PORT in place of the usual port, OTEL_EXPORTER_OTLP_ENDPOINT,
 * OTEL_SERVICE_NAME), opens the service, serves its routes until SIGTERM or SIGINT, and leaves
 * nothing unfinished. It is process 1 of its pod: signals are taken, not left to their defaults. */
#ifndef APPS_COMMON_APP_H
#define APPS_COMMON_APP_H

#include "apps/common/stats.h"
#include "apps/common/trace.h"
#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>

struct web_route;

typedef struct app {
    const char *name;
    stats_t *stats;
    tracer_t *tracer;
    int signal_fd; /* readable once the program should end */
} app_t;

typedef struct app_spec {
    const char *name; /* as which it appears in traces */
    int port;
    bool is_untraced; /* its requests make no spans */

    /* Builds the service; NULL ends the program with status 1. */
    void *(*open)(app_t *app, err_t *err);
    void (*close)(void **service_p);

    const struct web_route *routes;
    size_t route_count;
} app_spec_t;

/* Exit status: 0 after a signal, 1 when it could not start. */
int app_main(const app_spec_t *spec);

/* The value of an environment variable, or what is usual. */
const char *app_setting(const char *variable, const char *usual);

/* Waits delay_ms, or until the program should end: then true. */
bool app_wait(const app_t *self, int delay_ms);

#endif
