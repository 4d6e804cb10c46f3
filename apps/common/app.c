#include "apps/common/app.h"

#include "apps/common/console.h"
#include "apps/common/dial.h"
#include "apps/common/web.h"
#include "base/auto.h"
#include "base/number.h"

#include <malloc.h>
#include <poll.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <unistd.h>

const char *app_setting(const char *variable, const char *usual)
{
    const char *value = getenv(variable);
    return value && *value ? value : usual;
}

bool app_wait(const app_t *self, int delay_ms)
{
    struct pollfd signal = {.fd = self->signal_fd, .events = POLLIN};
    return poll(&signal, 1, delay_ms) > 0;
}

/* Blocks the signals in this thread and so in all that follow. */
static int take_signals(void)
{
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGTERM);
    sigprocmask(SIG_BLOCK, &signals, NULL);
    signal(SIGPIPE, SIG_IGN);
    return signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK);
}

static int serve(app_t *self, const app_spec_t *spec, void *service)
{
    err_t err = {0};
    int port = (int)number_or(app_setting("LISTEN_PORT", NULL), 0, UINT16_MAX, spec->port);
    web_t *web = web_new(self, port, spec->routes, spec->route_count, service, &err);
    if (!web) {
        console_fatal("%s", err.text);
        return EXIT_FAILURE;
    }
    console_info("Listening on :%d", port);
    while (!app_wait(self, -1)) {
        /* interrupted: not yet */
    }
    console_info("Received a signal to end, shutting down");
    web_destroy(&web);
    return EXIT_SUCCESS;
}

static int open_and_serve(app_t *self, const app_spec_t *spec)
{
    err_t err = {0};
    void *service = spec->open(self, &err);
    if (!service) {
        if (app_wait(self, 0))
            return EXIT_SUCCESS;
        console_fatal("%s", err.text);
        return EXIT_FAILURE;
    }
    int status = serve(self, spec, service);
    spec->close(&service);
    return status;
}

int app_main(const app_spec_t *spec)
{
    app_t self = {
        .name = app_setting("OTEL_SERVICE_NAME", spec->name), .signal_fd = take_signals()};
    dial_limit_lookups();
    mallopt(M_ARENA_MAX, 2); /* threads wait most of the time; an arena each would cost memory */
    console_info("Starting %s", spec->name);
    self.stats = stats_new();
    self.tracer = tracer_new(self.name,
        spec->is_untraced ? NULL : app_setting("OTEL_EXPORTER_OTLP_ENDPOINT", ""), self.stats);

    int status = open_and_serve(&self, spec);

    tracer_destroy(&self.tracer);
    stats_destroy(&self.stats);
    close(self.signal_fd);
    return status;
}
