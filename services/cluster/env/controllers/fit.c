#include "services/cluster/env/controllers/fit.h"

#include "base/auto.h"
#include "base/mem.h"
#include "services/cluster/env/object.h"
#include "services/cluster/env/quantity.h"

typedef struct trial {
    const node_info_t *info;
    const json_t *pod;
    json_t *reasons;
} trial_t;

static void object_to(trial_t *self, const char *reason)
{
    json_int_t count = json_integer_value(json_object_get(self->reasons, reason));
    json_object_set_new(self->reasons, reason, json_integer(count + 1));
}

/* ---- demands ------------------------------------------------------------------------------ */

/* A container without a request but with a limit asks for the limit. */
static int64_t asked(const json_t *container, const char *resource)
{
    const json_t *request = json_object_get(object_at(container, "resources.requests"), resource);
    const json_t *limit = json_object_get(object_at(container, "resources.limits"), resource);
    return quantity_millis(request ? request : limit);
}

demand_t demand_of(const json_t *pod)
{
    demand_t demand = {.pods = 1000};
    size_t i = 0;
    json_t *container = NULL;
    json_array_foreach(object_at(pod, "spec.containers"), i, container)
    {
        demand.cpu += asked(container, "cpu");
        demand.memory += asked(container, "memory");
    }
    json_array_foreach(object_at(pod, "spec.initContainers"), i, container)
    {
        int64_t cpu = asked(container, "cpu");
        int64_t memory = asked(container, "memory");
        demand.cpu = cpu > demand.cpu ? cpu : demand.cpu;
        demand.memory = memory > demand.memory ? memory : demand.memory;
    }
    return demand;
}

static void each_host_port(const json_t *pod, void (*fn)(void *arg, const char *port), void *arg)
{
    size_t i = 0, j = 0;
    json_t *container = NULL;
    json_t *port = NULL;
    json_array_foreach(object_at(pod, "spec.containers"), i, container)
    {
        json_array_foreach(json_object_get(container, "ports"), j, port)
        {
            int64_t number = object_integer(port, "hostPort", 0);
            const char *protocol = object_string(port, "protocol");
            if (!number)
                continue;
            AUTO_FREE char *name =
                xasprintf("%lld/%s", (long long)number, *protocol ? protocol : "TCP");
            fn(arg, name);
        }
    }
}

static void take_port(void *arg, const char *port)
{
    json_object_set_new(((node_info_t *)arg)->ports, port, json_true());
}

void node_info_init(node_info_t *self, const json_t *node)
{
    *self = (node_info_t){.node = node, .pods = json_array(), .ports = json_object()};
}

void node_info_done(node_info_t *self)
{
    json_decref(self->pods);
    json_decref(self->ports);
}

void node_info_add(node_info_t *self, json_t *pod)
{
    json_array_append(self->pods, pod);
    demand_t demand = demand_of(pod);
    self->used.cpu += demand.cpu;
    self->used.memory += demand.memory;
    self->used.pods += demand.pods;
    each_host_port(pod, take_port, self);
}

/* ---- taints and labels -------------------------------------------------------------------- */

static bool tolerates(const json_t *toleration, const json_t *taint)
{
    const char *effect = object_string(toleration, "effect");
    const char *key = object_string(toleration, "key");
    if (*effect && strcmp(effect, object_string(taint, "effect")) != 0)
        return false;
    if (*key && strcmp(key, object_string(taint, "key")) != 0)
        return false;
    if (strcmp(object_string(toleration, "operator"), "Exists") == 0)
        return true;
    return *key && strcmp(object_string(toleration, "value"), object_string(taint, "value")) == 0;
}

bool fit_tolerates(const json_t *toleration, const json_t *taint)
{
    return tolerates(toleration, taint);
}

static bool is_tolerated(const json_t *pod, const json_t *taint)
{
    size_t i = 0;
    json_t *toleration = NULL;
    json_array_foreach(object_at(pod, "spec.tolerations"), i, toleration)
    {
        if (tolerates(toleration, taint))
            return true;
    }
    return strcmp(object_string(taint, "effect"), "PreferNoSchedule") == 0;
}

static bool check_taints(trial_t *self)
{
    size_t i = 0;
    json_t *taint = NULL;
    json_array_foreach(object_at(self->info->node, "spec.taints"), i, taint)
    {
        if (is_tolerated(self->pod, taint))
            continue;
        AUTO_FREE char *reason = xasprintf("node(s) had untolerated taint {%s: %s}",
            object_string(taint, "key"), object_string(taint, "value"));
        object_to(self, reason);
        return false;
    }
    return true;
}

static bool check_schedulable(trial_t *self)
{
    static const char *const key = "node.kubernetes.io/unschedulable";
    json_auto_t *taint = json_pack("{s:s, s:s}", "key", key, "effect", "NoSchedule");
    if (!object_is_true(self->info->node, "spec.unschedulable") || is_tolerated(self->pod, taint))
        return true;
    object_to(self, "node(s) were unschedulable");
    return false;
}

static bool has_label(const json_t *node, const char *key, const json_t *value)
{
    const char *has = object_label(node, key);
    return has && json_is_string(value) && strcmp(has, json_string_value(value)) == 0;
}

static bool is_among(const json_t *node, const char *key, const json_t *values)
{
    size_t i = 0;
    json_t *value = NULL;
    json_array_foreach(values, i, value)
    {
        if (has_label(node, key, value))
            return true;
    }
    return false;
}

static bool meets_number(const json_t *node, const char *key, const json_t *values, bool is_more)
{
    const char *has = object_label(node, key);
    const char *bound = json_string_value(json_array_get(values, 0));
    if (!has || !bound)
        return false;
    long long a = strtoll(has, NULL, 10);
    long long b = strtoll(bound, NULL, 10);
    return is_more ? a > b : a < b;
}

static bool meets(const json_t *node, const json_t *expression)
{
    const char *key = object_string(expression, "key");
    const char *operator= object_string(expression, "operator");
    const json_t *values = json_object_get(expression, "values");
    if (strcmp(operator, "In") == 0)
        return is_among(node, key, values);
    if (strcmp(operator, "NotIn") == 0)
        return !is_among(node, key, values);
    if (strcmp(operator, "Exists") == 0)
        return object_label(node, key) != NULL;
    if (strcmp(operator, "DoesNotExist") == 0)
        return object_label(node, key) == NULL;
    return meets_number(node, key, values, strcmp(operator, "Gt") == 0);
}

static bool meets_all(const json_t *node, const json_t *expressions)
{
    size_t i = 0;
    json_t *expression = NULL;
    json_array_foreach(expressions, i, expression)
    {
        if (!meets(node, expression))
            return false;
    }
    return true;
}

/* The only field that nodes are picked by is their name. */
static bool meets_fields(const json_t *node, const json_t *fields)
{
    size_t i = 0;
    json_t *field = NULL;
    json_array_foreach(fields, i, field)
    {
        bool is_in = strcmp(object_string(field, "operator"), "In") == 0;
        size_t j = 0;
        bool is_named = false;
        json_t *name = NULL;
        json_array_foreach(json_object_get(field, "values"), j, name)
        {
            is_named = is_named
                       || (json_is_string(name)
                           && strcmp(json_string_value(name), object_name(node)) == 0);
        }
        if (is_named != is_in)
            return false;
    }
    return true;
}

static bool meets_term(const json_t *node, const json_t *term)
{
    const json_t *expressions = json_object_get(term, "matchExpressions");
    const json_t *fields = json_object_get(term, "matchFields");
    bool is_empty = !json_array_size(expressions) && !json_array_size(fields);
    return !is_empty && meets_all(node, expressions) && meets_fields(node, fields);
}

static bool matches_affinity(const json_t *node, const json_t *pod)
{
    const json_t *terms =
        object_at(pod, "spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution."
                       "nodeSelectorTerms");
    size_t i = 0;
    json_t *term = NULL;
    json_array_foreach(terms, i, term)
    {
        if (meets_term(node, term))
            return true;
    }
    return !terms;
}

static bool is_repelled(const json_t *pod, const json_t *taint)
{
    size_t i = 0;
    json_t *toleration = NULL;
    if (strcmp(object_string(taint, "effect"), "PreferNoSchedule") != 0)
        return false;
    json_array_foreach(object_at(pod, "spec.tolerations"), i, toleration)
    {
        if (tolerates(toleration, taint))
            return false;
    }
    return true;
}

int64_t fit_preference(const json_t *node, const json_t *pod)
{
    enum { TAINT_WEIGHT = 100 };
    int64_t sum = 0;
    size_t i = 0;
    json_t *each = NULL;
    json_array_foreach(
        object_at(
            pod, "spec.affinity.nodeAffinity.preferredDuringSchedulingIgnoredDuringExecution"),
        i, each)
    {
        if (meets_term(node, json_object_get(each, "preference")))
            sum += object_integer(each, "weight", 0);
    }
    json_array_foreach(object_at(node, "spec.taints"), i, each)
    {
        sum -= is_repelled(pod, each) ? TAINT_WEIGHT : 0;
    }
    return sum;
}

bool fit_is_picked(const json_t *node, const json_t *pod)
{
    const char *key = NULL;
    json_t *value = NULL;
    bool is_matching = matches_affinity(node, pod);
    json_object_foreach(object_at(pod, "spec.nodeSelector"), key, value)
    {
        is_matching = is_matching && has_label(node, key, value);
    }
    return is_matching;
}

void fit_daemon(const json_t *node, const json_t *pod, bool *should_run_p, bool *may_stay_p)
{
    size_t i = 0;
    json_t *taint = NULL;
    *should_run_p = *may_stay_p = fit_is_picked(node, pod);
    json_array_foreach(object_at(node, "spec.taints"), i, taint)
    {
        bool is_driven = strcmp(object_string(taint, "effect"), "NoExecute") == 0;
        if (is_tolerated(pod, taint))
            continue;
        *should_run_p = false;
        *may_stay_p = *may_stay_p && !is_driven;
    }
}

static bool check_labels(trial_t *self)
{
    bool is_matching = fit_is_picked(self->info->node, self->pod);
    if (!is_matching)
        object_to(self, "node(s) didn't match Pod's node affinity/selector");
    return is_matching;
}

/* ---- room --------------------------------------------------------------------------------- */

typedef struct port_check {
    const json_t *used;
    bool is_taken;
} port_check_t;

static void look_for_port(void *arg, const char *port)
{
    port_check_t *self = arg;
    self->is_taken = self->is_taken || json_object_get(self->used, port);
}

static bool check_ports(trial_t *self)
{
    port_check_t check = {.used = self->info->ports};
    each_host_port(self->pod, look_for_port, &check);
    if (check.is_taken)
        object_to(self, "node(s) didn't have free ports for the requested pod ports");
    return !check.is_taken;
}

static bool check_resources(trial_t *self)
{
    const json_t *room = object_at(self->info->node, "status.allocatable");
    const demand_t *used = &self->info->used;
    demand_t demand = demand_of(self->pod);
    bool is_fitting = true;
    const struct {
        const char *name;
        const char *reason;
        int64_t wanted;
        int64_t taken;
    } resources[] = {
        {"pods", "Too many pods", demand.pods, used->pods},
        {"cpu", "Insufficient cpu", demand.cpu, used->cpu},
        {"memory", "Insufficient memory", demand.memory, used->memory},
    };
    for (size_t i = 0; i < ARRAY_SIZE(resources); i++) {
        const json_t *limit = json_object_get(room, resources[i].name);
        if (!limit || resources[i].wanted == 0
            || resources[i].wanted <= quantity_millis(limit) - resources[i].taken)
            continue;
        object_to(self, resources[i].reason);
        is_fitting = false;
    }
    return is_fitting;
}

bool fit_check(const node_info_t *self, const json_t *pod, json_t *reasons, bool *is_final)
{
    trial_t trial = {.info = self, .pod = pod, .reasons = reasons};
    *is_final = true;
    if (!check_schedulable(&trial) || !check_taints(&trial) || !check_labels(&trial))
        return false;
    *is_final = false;
    return check_ports(&trial) && check_resources(&trial);
}
