/* How many replicas the resource metrics call for. */
#include "services/cluster/env/controllers/autoscale.h"

#include "base/auto.h"
#include "base/mem.h"
#include "services/cluster/env/controllers/pods.h"
#include "services/cluster/env/object.h"
#include "services/cluster/env/quantity.h"
#include "services/cluster/env/selector.h"

#include <math.h>

/* Less than so much off the target changes nothing. */
static const double tolerance = 0.1;

/* Sums over the target's pods, in thousandths of a core, or bytes. */
typedef struct sums {
    usage_t *usage;
    selector_t *selector;
    const char *resource;
    int64_t used;
    int64_t requested;
    int64_t pods;  /* with a value */
    char *missing; /* the container without a request, "c of Pod web-1"; or NULL */
} sums_t;

/* ---- pods --------------------------------------------------------------------------------- */

static bool is_cpu(const char *resource)
{
    return strcmp(resource, "cpu") == 0;
}

static void add_requests(sums_t *self, const json_t *pod)
{
    size_t i = 0;
    json_t *container = NULL;
    json_array_foreach(object_at(pod, "spec.containers"), i, container)
    {
        const json_t *request =
            json_object_get(object_at(container, "resources.requests"), self->resource);
        if (!request && !self->missing)
            self->missing = xasprintf(
                "container %s of Pod %s", object_string(container, "name"), object_name(pod));
        self->requested +=
            is_cpu(self->resource) ? quantity_millis(request) : quantity_units(request);
    }
}

static void add_pod(void *arg, json_t *pod)
{
    sums_t *self = arg;
    usage_amount_t amount;
    if (!pod_is_active(pod) || !selector_matches(self->selector, object_at(pod, "metadata.labels")))
        return;
    if (!pod_is_ready(pod) || !usage_of_pod(self->usage, pod, &amount))
        return; /* what just begins says nothing yet */
    self->pods++;
    self->used += is_cpu(self->resource) ? amount.cpu_nanos / 1000000 : amount.memory_bytes;
    add_requests(self, pod);
}

/* ---- one metric --------------------------------------------------------------------------- */

static int64_t scaled(double ratio, int64_t pods, int64_t now)
{
    if (fabs(ratio - 1) <= tolerance)
        return now;
    return (int64_t)ceil(ratio * (double)pods - 1e-9);
}

static json_t *quantity(const char *resource, int64_t amount)
{
    return is_cpu(resource) ? json_sprintf("%lldm", (long long)amount)
                            : json_sprintf("%lld", (long long)amount);
}

/* Replicas wanted, or -1 with why in *why_p (for free()). *current_p is what is seen. */
static int64_t evaluate(
    const json_t *metric, const sums_t *sums, int64_t now, json_t **current_p, char **why_p)
{
    const json_t *target = object_at(metric, "resource.target");
    const json_t *share = json_object_get(target, "averageUtilization");
    const json_t *average = json_object_get(target, "averageValue");
    if (sums->pods == 0) {
        *why_p = xasprintf("unable to get metrics for resource %s: no metrics returned from "
                           "resource metrics API",
            sums->resource);
        return -1;
    }
    *current_p =
        json_pack("{s:o}", "averageValue", quantity(sums->resource, sums->used / sums->pods));
    if (!share)
        return scaled((double)sums->used / (double)sums->pods
                          / (double)(is_cpu(sums->resource) ? quantity_millis(average)
                                                            : quantity_units(average)),
            sums->pods, now);
    if (sums->missing) {
        *why_p = xasprintf("missing request for %s in %s", sums->resource, sums->missing);
        return -1;
    }
    int64_t utilization = sums->requested ? sums->used * 100 / sums->requested : 0;
    json_object_set_new(*current_p, "averageUtilization", json_integer(utilization));
    return scaled((double)utilization / (double)json_integer_value(share), sums->pods, now);
}

static char *name_of(const json_t *metric, const char *resource)
{
    return xasprintf("%s resource%s", resource,
        object_at(metric, "resource.target.averageUtilization")
            ? " utilization (percentage of request)"
            : "");
}

static void add_status(advice_t *self, const char *resource, json_t *current)
{
    json_array_append_new(self->status, json_pack("{s:s, s:{s:s, s:o}}", "type", "Resource",
                                            "resource", "name", resource, "current", current));
}

static void consider(advice_t *self, store_t *store, usage_t *usage, const json_t *metric,
    const json_t *target, int64_t now)
{
    const char *resource = object_string(metric, "resource.name");
    AUTO_FREE char *why = NULL;
    json_t *current = NULL;
    sums_t sums = {.usage = usage, .resource = resource};
    int64_t replicas = -1;
    sums.selector = selector_new(object_at(target, "spec.selector"), NULL);
    if (strcmp(object_string(metric, "type"), "Resource") != 0) {
        why = xasprintf("metrics of type %s are not served here", object_string(metric, "type"));
    } else if (sums.selector) {
        store_each(store, kind_find("Pod"), object_namespace(target), add_pod, &sums);
        replicas = evaluate(metric, &sums, now, &current, &why);
    }
    if (current)
        add_status(self, resource, current);
    if (replicas < 0) {
        self->broken++;
        if (!self->problem)
            self->problem = xasprintf("failed to get %s utilization: %s", resource, why ? why : "");
    } else if (!self->because || replicas > self->replicas) {
        free(self->because);
        self->because = name_of(metric, resource);
        self->replicas = replicas;
    }
    free(sums.missing);
    selector_destroy(&sums.selector);
}

advice_t advice_new(
    store_t *store, usage_t *usage, const json_t *autoscaler, const json_t *target, int64_t now)
{
    advice_t self = {.replicas = now, .status = json_array()};
    size_t i = 0;
    json_t *metric = NULL;
    json_array_foreach(object_at(autoscaler, "spec.metrics"), i, metric)
    {
        consider(&self, store, usage, metric, target, now);
    }
    self.count = i;
    /* with a metric unknown it may need more than the others say, but not less */
    if (self.broken && self.replicas < now)
        self.replicas = now;
    return self;
}

void advice_done(advice_t *self)
{
    json_decref(self->status);
    free(self->because);
    free(self->problem);
}
