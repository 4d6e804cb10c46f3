/* Preemption: room for a pod by taking away less important ones.
 *
 * As kube-scheduler does it: on each node all less important pods are thought away; if the pod fits
 * then, as many as possible are left, the most important first. Of the nodes that would do, the
 * one is taken whose losses weigh least. */
#include "services/cluster/env/controllers/schedule.h"

#include "base/auto.h"
#include "base/mem.h"
#include "services/cluster/env/events.h"
#include "services/cluster/env/object.h"
#include "services/cluster/env/selector.h"

static const event_source_t source = {SCHEDULER, NULL};

/* What a node would cost. */
typedef struct plan {
    size_t node;
    json_t *victims; /* the most important first; owned */
    size_t violations;
    int64_t highest;
    int64_t sum;
} plan_t;

/* ---- one node ----------------------------------------------------------------------------- */

static int compare_priority(const void *left, const void *right)
{
    int64_t a = pod_priority(*(json_t *const *)left);
    int64_t b = pod_priority(*(json_t *const *)right);
    return a > b ? -1 : a < b;
}

/* The less important pods of a node, the most important of them first; the others go to *kept_p. */
static json_t *candidates(const node_info_t *info, const json_t *pod, json_t **kept_p)
{
    size_t count = 0;
    AUTO_FREE json_t **list = xcalloc(json_array_size(info->pods) + 1, sizeof(*list));
    json_t *sorted = json_array();
    size_t i = 0;
    json_t *other = NULL;
    *kept_p = json_array();
    json_array_foreach(info->pods, i, other)
    {
        if (pod_priority(other) < pod_priority(pod))
            list[count++] = other;
        else
            json_array_append(*kept_p, other);
    }
    qsort(list, count, sizeof(*list), compare_priority);
    for (i = 0; i < count; i++)
        json_array_append(sorted, list[i]);
    return sorted;
}

/* Whether the pod fits the node if only these others are on it. */
static bool fits_with(
    round_t *self, size_t node, const json_t *pod, const json_t *others, json_t *reasons)
{
    node_info_t real = self->nodes[node];
    bool is_final = false;
    size_t i = 0;
    json_t *other = NULL;
    node_info_init(&self->nodes[node], real.node);
    json_array_foreach(others, i, other)
    {
        node_info_add(&self->nodes[node], other);
    }
    bool is_fitting = round_fits(self, &self->nodes[node], pod, reasons, &is_final);
    node_info_done(&self->nodes[node]);
    self->nodes[node] = real;
    return is_fitting;
}

typedef struct budget_check {
    const json_t *pod;
    bool is_violated;
} budget_check_t;

static void check_budget(void *arg, json_t *budget)
{
    budget_check_t *self = arg;
    AUTO(selector_destroy)
    selector_t *selector = selector_new(object_at(budget, "spec.selector"), NULL);
    self->is_violated =
        self->is_violated
        || (selector && selector_matches(selector, object_at(self->pod, "metadata.labels"))
            && object_integer(budget, "status.disruptionsAllowed", 0) <= 0);
}

static bool violates_budget(const round_t *self, const json_t *pod)
{
    budget_check_t check = {.pod = pod};
    store_each(
        self->store, kind_find("PodDisruptionBudget"), object_namespace(pod), check_budget, &check);
    return check.is_violated;
}

/* Fills the plan; false, with a reason, if nothing on this node would help. */
static bool plan_node(round_t *self, size_t node, const json_t *pod, json_t *reasons, plan_t *plan)
{
    json_t *kept = NULL;
    json_auto_t *others = candidates(&self->nodes[node], pod, &kept);
    size_t i = 0;
    json_t *other = NULL;
    *plan = (plan_t){.node = node, .victims = json_array(), .highest = INT64_MIN};
    bool is_helpful = json_array_size(others) > 0;
    if (!is_helpful)
        reason_add(reasons, "No preemption victims found for incoming pod");
    is_helpful = is_helpful && fits_with(self, node, pod, kept, reasons);
    json_array_foreach(others, i, other)
    {
        json_auto_t *ignored = json_object();
        if (!is_helpful)
            break;
        json_array_append(kept, other);
        if (fits_with(self, node, pod, kept, ignored))
            continue;
        (void)json_array_remove(kept, json_array_size(kept) - 1);
        json_array_append(plan->victims, other);
        plan->violations += violates_budget(self, other);
        plan->highest = pod_priority(other) > plan->highest ? pod_priority(other) : plan->highest;
        plan->sum += pod_priority(other);
    }
    json_decref(kept);
    return is_helpful;
}

static bool is_cheaper(const plan_t *a, const plan_t *b)
{
    if (a->violations != b->violations)
        return a->violations < b->violations;
    if (a->highest != b->highest)
        return a->highest < b->highest;
    if (a->sum != b->sum)
        return a->sum < b->sum;
    return json_array_size(a->victims) < json_array_size(b->victims);
}

/* ---- all nodes ---------------------------------------------------------------------------- */

static void evict(const round_t *self, const json_t *pod, const char *node, const json_t *victim)
{
    const kind_t *kind = kind_find("Pod");
    AUTO_FREE char *name = xstrdup(object_name(victim));
    json_auto_t *kept = json_incref((json_t *)victim);
    if (object_is_deleted(victim))
        return;
    (void)store_update(self->store, kind,
        pod_with_condition(
            victim, (condition_t){"DisruptionTarget", "True", "PreemptionByScheduler",
                        SCHEDULER ": preempting to accommodate a higher priority pod", false}),
        STORE_STATUS, NULL); /* it is there */
    (void)store_delete(self->store, kind, object_namespace(kept), name, NULL, NULL);
    event_record(self->store, source, kept, NULL, "Normal", "Preempted",
        "Preempted by pod %s on node %s", object_uid(pod), node);
}

/* The victims of an earlier round may still be on their way out. */
static bool is_waiting_for_victims(const round_t *self, const json_t *pod)
{
    const char *nominated = object_string(pod, "status.nominatedNodeName");
    for (size_t i = 0; i < self->node_count; i++) {
        size_t j = 0;
        json_t *other = NULL;
        if (strcmp(object_name(self->nodes[i].node), nominated) != 0)
            continue;
        json_array_foreach(self->nodes[i].pods, j, other)
        {
            if (object_is_deleted(other) && pod_priority(other) < pod_priority(pod))
                return true;
        }
    }
    return false;
}

static bool find_cheapest(
    round_t *self, const json_t *pod, const outcome_t *outcome, json_t *reasons, plan_t *best)
{
    bool is_found = false;
    for (size_t i = 0; i < self->node_count; i++) {
        plan_t plan;
        if (outcome->is_final[i]) {
            reason_add(reasons, "Preemption is not helpful for scheduling");
            continue;
        }
        bool is_helpful = plan_node(self, i, pod, reasons, &plan);
        if (is_helpful && (!is_found || is_cheaper(&plan, best))) {
            if (is_found)
                json_decref(best->victims);
            *best = plan;
            is_found = true;
        } else {
            json_decref(plan.victims);
        }
    }
    return is_found;
}

const char *preempt(round_t *self, json_t *pod, const outcome_t *outcome, char **why_p)
{
    json_auto_t *reasons = json_object();
    plan_t best = {0};
    size_t i = 0;
    json_t *victim = NULL;
    if (strcmp(object_string(pod, "spec.preemptionPolicy"), "Never") == 0) {
        *why_p = xstrdup("not eligible due to preemptionPolicy=Never.");
        return NULL;
    }
    if (is_waiting_for_victims(self, pod)) {
        *why_p = xstrdup("not eligible due to a terminating pod on the nominated node.");
        return NULL;
    }
    if (!find_cheapest(self, pod, outcome, reasons, &best)) {
        *why_p = reasons_text(self->node_count, reasons);
        return NULL;
    }
    const char *node = object_name(self->nodes[best.node].node);
    json_array_foreach(best.victims, i, victim)
    {
        evict(self, pod, node, victim);
    }
    json_decref(best.victims);
    return node;
}
