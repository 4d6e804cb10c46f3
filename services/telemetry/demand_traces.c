/* Traces are asked of the namespace's Jaeger, service by service as the original does. A trace in
 * which several services took part comes with each of them, and is written once; a service that is
 * in enough traces of others is not asked for again. */
#include "base/auto.h"
#include "base/mem.h"
#include "services/telemetry/demand.h"
#include "services/telemetry/environment.h"

#include <ctype.h>

#define JAEGER      "jaeger"
#define JAEGER_PORT "16686"

enum { TRACES_PER_SERVICE = 100, ENOUGH_TRACES = 20, TIMEOUT_MS = 8000 };

static void ask_next(demand_t *self);

/* Percent-encodes what is no letter, digit, '-', '_' or '.'. */
static char *escaped(const char *text)
{
    char *out = xcalloc(1, 3 * strlen(text) + 1);
    char *to = out;
    for (; *text; text++) {
        if (isalnum((unsigned char)*text) || strchr("-_.", *text))
            *to++ = *text;
        else
            to += snprintf(to, 4, "%%%02X", (unsigned char)*text);
    }
    return out;
}

static void ask(demand_t *self, const char *path, kube_done_fn *on_answer)
{
    kube_request_t *request = kube_service_proxy(self->namespace, JAEGER, JAEGER_PORT, path);
    self->call = kube_send(
        environment_kube(self->environment), kube_within(request, TIMEOUT_MS), on_answer, self);
}

static void finish(demand_t *self)
{
    AUTO_FREE char *text = trace_table_text(self->table);
    demand_answer_files(self, json_pack("[{s:s, s:s}]", "path", "traces.csv", "text", text));
}

static void on_traces(void *arg, const kube_answer_t *answer)
{
    demand_t *self = arg;
    err_t err = {0};
    self->call = 0;
    if (answer->err) {
        demand_answer_error(self, answer->err);
        return;
    }
    if (trace_table_add(self->table, answer->text, answer->size, &err) < 0) {
        demand_answer_error(self, &err);
        return;
    }
    ask_next(self);
}

static void ask_next(demand_t *self)
{
    const char *service = json_string_value(json_array_get(self->services, self->next_service++));
    if (!service) {
        finish(self);
        return;
    }
    if (strcmp(service, "jaeger-all-in-one") == 0 /* it traces itself */
        || trace_table_count(self->table, service) >= ENOUGH_TRACES) {
        ask_next(self);
        return;
    }
    int64_t end_us = zclock_time() * 1000;
    AUTO_FREE char *name = escaped(service);
    AUTO_FREE char *path =
        xasprintf("/api/traces?service=%s&lookback=%lldm&start=%lld&end=%lld&limit=%d", name,
            (long long)self->minutes, (long long)(end_us - self->minutes * 60000000),
            (long long)end_us, TRACES_PER_SERVICE);
    ask(self, path, on_traces);
}

static void on_services(void *arg, const kube_answer_t *answer)
{
    demand_t *self = arg;
    self->call = 0;
    if (answer->err) {
        demand_answer_error(self, answer->err);
        return;
    }
    self->services = trace_table_services(answer->text, answer->size);
    ask_next(self);
}

void demand_traces_start(demand_t *self)
{
    self->minutes = self->minutes < 1 ? 1 : self->minutes > 1440 ? 1440 : self->minutes;
    self->table = trace_table_new();
    ask(self, "/api/services", on_services);
}
