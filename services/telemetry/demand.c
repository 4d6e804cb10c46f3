#include "services/telemetry/demand.h"

#include "base/auto.h"
#include "base/mem.h"
#include "proto/messages.h"
#include "services/telemetry/environment.h"
#include "services/telemetry/metric_files.h"

enum { LOG_LIMIT = 8 << 20, LOG_TIMEOUT_MS = 10000 };

/* ---- answering ---------------------------------------------------------------------------- */

void demand_answer_files(demand_t *self, json_t *files)
{
    export_t message = {.files = files};
    bus_reply(&self->request, &export_type, &message);
    json_decref(files);
    environment_demand_done(self->environment, self);
}

void demand_answer_error(demand_t *self, const err_t *err)
{
    bus_fail_err(&self->request, err);
    environment_demand_done(self->environment, self);
}

void demand_fail(demand_t *self, struct environment *environment, const char *reason)
{
    bus_fail(&self->request, ERR_UNAVAILABLE, "environment '%s': %s", environment_id(environment),
        reason);
}

/* ---- logs --------------------------------------------------------------------------------- */

static const json_t *metadata_of(const json_t *pod)
{
    return json_object_get(pod, "metadata");
}

static bool has_label(const json_t *pod, const char *key, const char *value)
{
    const json_t *labels = json_object_get(metadata_of(pod), "labels");
    const char *has = json_string_value(json_object_get(labels, key));
    return has && strcmp(has, value) == 0;
}

/* Whether the pod is of the service, by the labels that the original's applications use; the load
 * generator's is found by its job. */
static bool is_of_service(const demand_t *self, const json_t *pod)
{
    static const char *const labels[] = {"io.kompose.service", "app", "app.kubernetes.io/name"};
    if (strcmp(self->namespace, "default") == 0 && strstr(self->service, "wrk2-job"))
        return has_label(pod, "job-name", "wrk2-job");
    for (size_t i = 0; i < ARRAY_SIZE(labels); i++) {
        if (has_label(pod, labels[i], self->service))
            return true;
    }
    return false;
}

/* The first by name, as a server lists them. */
static const char *first_pod(const demand_t *self)
{
    const char *first = NULL;
    const char *key = NULL;
    json_t *pod = NULL;
    json_object_foreach((json_t *)environment_pods(self->environment), key, pod)
    {
        const json_t *metadata = metadata_of(pod);
        const char *namespace = json_string_value(json_object_get(metadata, "namespace"));
        const char *name = json_string_value(json_object_get(metadata, "name"));
        if (!namespace || !name || strcmp(namespace, self->namespace) != 0
            || !is_of_service(self, pod))
            continue;
        if (!first || strcmp(name, first) < 0)
            first = name;
    }
    return first;
}

/* Of a log too long to be sent the end is kept, from the start of a line. */
static const char *end_of(const char *text, size_t size)
{
    if (size <= LOG_LIMIT)
        return text;
    const char *line = memchr(text + size - LOG_LIMIT, '\n', LOG_LIMIT);
    return line ? line + 1 : text + size - LOG_LIMIT;
}

static void on_log(void *arg, const kube_answer_t *answer)
{
    demand_t *self = arg;
    self->call = 0;
    if (answer->err) {
        demand_answer_error(self, answer->err);
        return;
    }
    AUTO_FREE char *text = xasprintf("%s", end_of(answer->text, answer->size));
    bus_reply(&self->request, &text_type, &(text_t){.text = text});
    environment_demand_done(self->environment, self);
}

static void start_logs(demand_t *self)
{
    const char *pod = first_pod(self);
    if (!pod) {
        err_t err;
        (void)err_set(&err, ERR_NOT_FOUND,
            "Error: Your service/namespace does not exist. Use kubectl to check.");
        demand_answer_error(self, &err);
        return;
    }
    kube_log_t log = {.namespace = self->namespace, .pod = pod};
    self->call = kube_send(environment_kube(self->environment),
        kube_within(kube_read_log(&log), LOG_TIMEOUT_MS), on_log, self);
}

/* ---- life cycle --------------------------------------------------------------------------- */

void demand_start(demand_t *self, struct environment *environment)
{
    self->environment = environment;
    switch (self->kind) {
    case DEMAND_LOGS:
        start_logs(self);
        break;
    case DEMAND_METRICS:
        demand_answer_files(
            self, metric_files(environment_history(environment), self->namespace, self->minutes));
        break;
    case DEMAND_TRACES:
        demand_traces_start(self);
        break;
    }
}

demand_t *demand_new(demand_kind_t kind, bus_request_t *request, const char *namespace,
    const char *service, int64_t minutes)
{
    demand_t *self = xcalloc(1, sizeof(*self));
    self->kind = kind;
    self->request = request;
    self->namespace = xstrdup(namespace);
    self->service = xstrdup(service ? service : "");
    self->minutes = minutes;
    return self;
}

void demand_destroy(demand_t **self_p)
{
    demand_t *self = *self_p;
    *self_p = NULL;
    if (!self)
        return;
    if (self->call)
        kube_cancel(environment_kube(self->environment), self->call);
    if (self->request)
        bus_fail(&self->request, ERR_UNAVAILABLE, "telemetry is ending");
    trace_table_destroy(&self->table);
    json_decref(self->services);
    free(self->namespace);
    free(self->service);
    free(self);
}
