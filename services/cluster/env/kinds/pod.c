/* Pod. How its row is printed is in pod_row.c. */
#include "services/cluster/env/admission/limit_range.h"
#include "services/cluster/env/object.h"
#include "services/cluster/env/store.h"

#include "services/cluster/env/kinds/cells.h"
#include "services/cluster/env/kinds/checks.h"
#include "services/cluster/env/kinds/defaults.h"
#include "services/cluster/env/kinds/kinds.h"
#include "services/cluster/env/kinds/pod_account.h"
#include "services/cluster/env/kinds/pod_row.h"

#include "base/auto.h"

#include <string.h>

enum { TOLERATION_SECONDS = 300 };

/* ---- defaults ----------------------------------------------------------------------------- */

static bool has_toleration(const json_t *tolerations, const char *key)
{
    size_t i;
    json_t *toleration;
    json_array_foreach(tolerations, i, toleration)
    {
        if (!strcmp(object_string(toleration, "key"), key))
            return true;
    }
    return false;
}

/* What admission adds to every pod: how long it stays on a node that is lost. */
static void add_tolerations(json_t *spec)
{
    static const char *const keys[] = {
        "node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable"};
    if (!json_is_array(json_object_get(spec, "tolerations")))
        json_object_set_new(spec, "tolerations", json_array());
    json_t *tolerations = json_object_get(spec, "tolerations");
    for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
        if (!has_toleration(tolerations, keys[i]))
            json_array_append_new(
                tolerations, json_pack("{s:s, s:s, s:s, s:i}", "key", keys[i], "operator", "Exists",
                                 "effect", "NoExecute", "tolerationSeconds", TOLERATION_SECONDS));
    }
}

/* Whether a container asks for cpu and memory just as much as it is limited to. */
static bool is_guaranteed(const json_t *container)
{
    static const char *const resources[] = {"cpu", "memory"};
    const json_t *limits = object_at(container, "resources.limits");
    const json_t *requests = object_at(container, "resources.requests");
    for (size_t i = 0; i < ARRAY_SIZE(resources); i++) {
        const json_t *limit = json_object_get(limits, resources[i]);
        const json_t *request = json_object_get(requests, resources[i]);
        if (!limit || !request || !json_equal(limit, request))
            return false;
    }
    return true;
}

static const char *qos_class(const json_t *containers)
{
    bool is_all_guaranteed = json_array_size(containers) > 0;
    bool has_any = false;
    size_t i;
    json_t *container;
    json_array_foreach(containers, i, container)
    {
        is_all_guaranteed = is_all_guaranteed && is_guaranteed(container);
        has_any = has_any || json_object_size(object_at(container, "resources.requests"))
                  || json_object_size(object_at(container, "resources.limits"));
    }
    return is_all_guaranteed ? "Guaranteed" : has_any ? "Burstable" : "BestEffort";
}

static void set_qos_class(json_t *pod)
{
    const char *class = qos_class(object_at(pod, "spec.containers"));
    object_set(pod, "status.qosClass", json_string(class));
}

/* ---- priority ----------------------------------------------------------------------------- */

static void find_default(void *arg, json_t *class)
{
    if (object_is_true(class, "globalDefault"))
        *(json_t **)arg = class;
}

/* The class that a pod names, or the one for those that name none; NULL if there is none. */
static json_t *class_of(store_t *store, const json_t *spec)
{
    const kind_t *kind = kind_find("PriorityClass");
    const char *name = object_string(spec, "priorityClassName");
    json_t *class = NULL;
    if (*name)
        return store_get(store, kind, NULL, name);
    store_each(store, kind, NULL, find_default, &class);
    return class;
}

static void fill_priority(store_t *store, json_t *spec)
{
    json_t *class = class_of(store, spec);
    if (!class)
        return;
    json_object_set_new(spec, "priorityClassName", json_string(object_name(class)));
    json_object_set_new(spec, "priority", json_integer(object_integer(class, "value", 0)));
    default_string(spec, "preemptionPolicy", object_string(class, "preemptionPolicy"));
}

static int admit_priority(store_t *store, const json_t *pod, err_t *err)
{
    const json_t *spec = json_object_get(pod, "spec");
    const char *name = object_string(spec, "priorityClassName");
    if (!*name || class_of(store, spec))
        return 0;
    return err_set(err, ERR_FORBIDDEN, "no PriorityClass with name %s was found", name);
}

static int admit(store_t *store, json_t *pod, err_t *err)
{
    int rc = admit_priority(store, pod, err);
    limit_range_fill(store, pod);
    set_qos_class(pod);
    return rc < 0 ? rc : pod_admit_account(store, pod, err);
}

static void fill(store_t *store, json_t *object, const json_t *old)
{
    json_t *spec = default_object(object, "spec");
    if (!spec)
        return;
    if (!old)
        fill_priority(store, spec);
    default_string(spec, "serviceAccountName", "default");
    default_pod_spec(spec);
    default_true(spec, "enableServiceLinks");
    default_string(spec, "preemptionPolicy", "PreemptLowerPriority");
    default_integer(spec, "priority", 0);
    add_tolerations(spec);
    if (old)
        return;
    object_set(object, "status", json_pack("{s:s}", "phase", "Pending"));
    set_qos_class(object);
}

/* ---- validation --------------------------------------------------------------------------- */

/* The spec without what may be changed of a pod that exists. */
static json_t *fixed_part(const json_t *object)
{
    json_t *spec = json_deep_copy(json_object_get(object, "spec"));
    static const char *const lists[] = {"containers", "initContainers"};
    for (size_t i = 0; i < ARRAY_SIZE(lists); i++) {
        size_t j;
        json_t *container;
        json_array_foreach(json_object_get(spec, lists[i]), j, container)
            json_object_del(container, "image");
    }
    json_object_del(spec, "activeDeadlineSeconds");
    json_object_del(spec, "terminationGracePeriodSeconds");
    json_object_del(spec, "tolerations");
    json_object_del(spec, "ephemeralContainers");
    return spec;
}

static void validate(const json_t *object, const json_t *old, causes_t *causes)
{
    check_metadata(causes, object, NAME_SUBDOMAIN);
    check_pod_spec(causes, "spec", json_object_get(object, "spec"), false);
    check_ephemeral(causes, object, old);
    if (!old)
        return;
    json_auto_t *fixed = fixed_part(object);
    json_auto_t *old_fixed = fixed_part(old);
    if (!json_equal(fixed, old_fixed))
        causes_forbidden(causes, "spec",
            "pod updates may not change fields other than `spec.containers[*].image`,"
            "`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec.tolerations` "
            "(only additions to existing tolerations),`spec.terminationGracePeriodSeconds` "
            "(allow it to be set to 1 if it was previously negative)");
}

static const char *const short_names[] = {"po", NULL};
static const char *const categories[] = {"all", NULL};
static const char *const fields[] = {"spec.nodeName", "spec.restartPolicy", "spec.schedulerName",
    "spec.serviceAccountName", "spec.hostNetwork", "status.phase", "status.podIP",
    "status.nominatedNodeName", NULL};
static const kind_column_t columns[] = {COLUMN_NAME, COLUMN("Ready"), COLUMN("Status"),
    COLUMN("Restarts"), COLUMN_AGE, COLUMN_WIDE("IP"), COLUMN_WIDE("Node"),
    COLUMN_WIDE("Nominated Node"), COLUMN_WIDE("Readiness Gates"), {0}};

const kind_t kind_pod = {
    .name = "Pod",
    .group = "",
    .version = "v1",
    .plural = "pods",
    .singular = "pod",
    .type = "core/v1.Pod",
    .short_names = short_names,
    .categories = categories,
    .fields = fields,
    .is_namespaced = true,
    .has_status = true,
    .columns = columns,
    .fill = fill,
    .admit = admit,
    .validate = validate,
    .row = pod_row,
};
