#include "services/injector/workload.h"

#include "base/auto.h"
#include "base/mem.h"
#include "services/injector/edit.h"

#include <string.h>
#include <time.h>

enum { EFFECT_MS = 60 * 1000 };

static const char revision_key[] = "deployment.kubernetes.io/revision";

/* ---- parts -------------------------------------------------------------------------------- */

static const char *text_of(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    return text ? text : "";
}

static const json_t *metadata_of(const json_t *object)
{
    return json_object_get(object, "metadata");
}

static const char *name_of(const json_t *object)
{
    return text_of(metadata_of(object), "name");
}

static json_t *template_of(const json_t *workload)
{
    return json_object_get(json_object_get(workload, "spec"), "template");
}

json_t *workload_pod_spec(const json_t *workload)
{
    return json_object_get(template_of(workload), "spec");
}

json_t *workload_container(const fault_work_t *work, const json_t *workload, err_t *err)
{
    const char *name = fault_text_or(work, "container", "");
    json_t *containers = json_object_get(workload_pod_spec(workload), "containers");
    size_t i;
    json_t *container;
    json_array_foreach(containers, i, container)
    {
        if (!*name || strcmp(text_of(container, "name"), name) == 0)
            return container;
    }
    (void)err_set(err, ERR_NOT_FOUND, "'%s' has no container '%.60s'", name_of(workload), name);
    return NULL;
}

json_t *workload_list(json_t *object, const char *key)
{
    json_t *list = json_object_get(object, key);
    if (!list) {
        list = json_array();
        json_object_set_new(object, key, list);
    }
    return list;
}

int workload_get(fault_work_t *work, const char *name, json_t **object_p, err_t *err)
{
    static const char *const kinds[] = {"Deployment", "StatefulSet", "DaemonSet"};
    for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
        err_t cause = {0};
        int rc = kube_call(
            work->kube, kube_get(KUBE(kinds[i], fault_namespace(work), name)), object_p, &cause);
        if (rc == 0)
            return 0;
        if (rc != -ERR_NOT_FOUND)
            return err_set(err, cause.code, "%s", cause.text);
    }
    return err_set(err, ERR_NOT_FOUND, "there is no workload '%.60s' in namespace '%s'", name,
        fault_namespace(work));
}

/* ---- until it has taken effect ------------------------------------------------------------ */

/* "app=geo,tier=back" of a workload's selector; for free(). */
static char *selector_of(const json_t *workload)
{
    json_t *labels = json_object_get(
        json_object_get(json_object_get(workload, "spec"), "selector"), "matchLabels");
    char *selector = xstrdup("");
    const char *key;
    json_t *value;
    json_object_foreach(labels, key, value)
    {
        char *longer =
            xasprintf("%s%s%s=%s", selector, *selector ? "," : "", key, json_string_value(value));
        free(selector);
        selector = longer;
    }
    return selector;
}

/* Whether the kubelet has tried to run its containers, or the scheduler to place it, with whatever
 * luck. */
static bool was_tried(const json_t *pod)
{
    static const char *const lists[] = {"initContainerStatuses", "containerStatuses"};
    const json_t *status = json_object_get(pod, "status");
    for (size_t k = 0; k < ARRAY_SIZE(lists); k++) {
        size_t i;
        json_t *container;
        json_array_foreach(json_object_get(status, lists[k]), i, container)
        {
            const json_t *state = json_object_get(container, "state");
            const char *reason = text_of(json_object_get(state, "waiting"), "reason");
            bool is_to_come = !*reason || strcmp(reason, "ContainerCreating") == 0
                              || strcmp(reason, "PodInitializing") == 0;
            if (json_object_get(state, "running") || json_object_get(state, "terminated")
                || !is_to_come)
                return true;
        }
    }
    size_t i;
    json_t *condition;
    json_array_foreach(json_object_get(status, "conditions"), i, condition)
    {
        if (strcmp(text_of(condition, "type"), "PodScheduled") == 0
            && strcmp(text_of(condition, "status"), "False") == 0)
            return true;
    }
    return false;
}

/* It gets no requests any more, and may take its time to end. */
static bool is_going(const json_t *pod)
{
    return json_object_get(metadata_of(pod), "deletionTimestamp") != NULL;
}

typedef struct effect {
    const json_t *old_pods; /* object: their uids */
    bool is_new_wanted;
} effect_t;

static bool has_taken_effect(void *arg, const json_t *pods, err_t *why)
{
    const effect_t *effect = arg;
    bool is_new_there = false;
    const char *key;
    json_t *pod;
    json_object_foreach((json_t *)pods, key, pod)
    {
        if (is_going(pod))
            continue;
        if (json_object_get(effect->old_pods, text_of(metadata_of(pod), "uid"))) {
            (void)err_set(why, ERR_TIMEOUT, "pod '%s' is from before the fault", name_of(pod));
            return false;
        }
        is_new_there = is_new_there || was_tried(pod);
    }
    if (is_new_there || !effect->is_new_wanted)
        return true;
    (void)err_set(why, ERR_TIMEOUT, "no new pod was tried");
    return false;
}

static int list_pods(fault_work_t *work, const char *selector, json_t **old_pods_p, err_t *err)
{
    json_auto_t *list = NULL;
    int rc = kube_call(work->kube,
        kube_list(KUBE("Pod", fault_namespace(work), NULL), selector, NULL), &list, err);
    if (rc < 0)
        return rc;
    json_t *old_pods = json_object();
    size_t i;
    json_t *pod;
    json_array_foreach(json_object_get(list, "items"), i, pod)
        json_object_set_new(old_pods, text_of(metadata_of(pod), "uid"), json_true());
    *old_pods_p = old_pods;
    return 0;
}

/* ---- by force ----------------------------------------------------------------------------- */

static bool is_observed(void *arg, const json_t *deployments, err_t *why)
{
    (void)arg;
    const char *key;
    json_t *deployment;
    json_object_foreach((json_t *)deployments, key, deployment)
    {
        json_int_t seen = json_integer_value(
            json_object_get(json_object_get(deployment, "status"), "observedGeneration"));
        if (seen < json_integer_value(json_object_get(metadata_of(deployment), "generation"))) {
            (void)err_set(why, ERR_TIMEOUT, "its controller has not seen the change");
            return false;
        }
    }
    return true;
}

static bool is_old_set(const json_t *set, const json_t *deployment)
{
    const json_t *owner = json_array_get(json_object_get(metadata_of(set), "ownerReferences"), 0);
    const char *revision =
        text_of(json_object_get(metadata_of(deployment), "annotations"), revision_key);
    return strcmp(text_of(owner, "uid"), text_of(metadata_of(deployment), "uid")) == 0
           && strcmp(
                  text_of(json_object_get(metadata_of(set), "annotations"), revision_key), revision)
                  != 0
           && json_integer_value(json_object_get(json_object_get(set, "spec"), "replicas")) > 0;
}

/* Scales old ReplicaSets of the Deployment down, which a rollout does only once it has new pods. */
static int end_old_sets(fault_work_t *work, const char *name, const char *selector, err_t *err)
{
    json_auto_t *deployment = NULL;
    json_auto_t *sets = NULL;
    json_auto_t *patch = json_pack("{s:{s:i}}", "spec", "replicas", 0);
    kube_ref_t ref = KUBE("Deployment", fault_namespace(work), name);
    int rc = kube_wait_call(work->kube, ref, NULL, is_observed, NULL, EFFECT_MS, err);
    if (rc == 0)
        rc = kube_call(work->kube, kube_get(ref), &deployment, err);
    if (rc == 0)
        rc = kube_call(work->kube,
            kube_list(KUBE("ReplicaSet", fault_namespace(work), NULL), selector, NULL), &sets, err);
    size_t i;
    json_t *set;
    json_array_foreach(json_object_get(sets, "items"), i, set)
    {
        if (rc == 0 && is_old_set(set, deployment))
            rc = kube_call(work->kube,
                kube_patch(
                    KUBE("ReplicaSet", fault_namespace(work), name_of(set)), KUBE_MERGE, patch),
                NULL, err);
    }
    return rc;
}

/* ---- changing ----------------------------------------------------------------------------- */

int workload_change(fault_work_t *work, const json_t *before, const json_t *after,
    workload_effect_t effect, err_t *err)
{
    AUTO_FREE char *selector = selector_of(before);
    json_auto_t *old_pods = NULL;
    int rc = list_pods(work, selector, &old_pods, err);
    if (rc == 0)
        rc = edit_change(work, before, after, err);
    if (rc == 0 && effect != WORKLOAD_ROLL && strcmp(text_of(before, "kind"), "Deployment") == 0)
        rc = end_old_sets(work, name_of(before), selector, err);
    if (rc == 0 && effect != WORKLOAD_ROLL) {
        effect_t wanted = {.old_pods = old_pods,
            .is_new_wanted = effect == WORKLOAD_SWAP && json_object_size(old_pods)};
        rc = kube_wait_call(work->kube, KUBE("Pod", fault_namespace(work), NULL), selector,
            has_taken_effect, &wanted, EFFECT_MS, err);
    }
    return rc < 0 ? err_wrap(err, "workload '%s'", name_of(before)) : 0;
}

int workload_edit(fault_work_t *work, const char *name, workload_edit_fn *edit,
    workload_effect_t effect, err_t *err)
{
    json_auto_t *before = NULL;
    int rc = workload_get(work, name, &before, err);
    if (rc < 0)
        return rc;
    json_auto_t *after = json_deep_copy(before);
    json_t *container = workload_container(work, after, err);
    rc = container ? edit(work, after, container, err) : -ERR_NOT_FOUND;
    return rc < 0 ? rc : workload_change(work, before, after, effect, err);
}

int workload_restart(fault_work_t *work, const char *name, workload_effect_t effect, err_t *err)
{
    json_auto_t *before = NULL;
    int rc = workload_get(work, name, &before, err);
    if (rc < 0)
        return rc;
    char when[32];
    time_t now = time(NULL);
    struct tm broken;
    (void)strftime(when, sizeof(when), "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&now, &broken));
    json_auto_t *after = json_deep_copy(before);
    json_auto_t *stamp = json_pack(
        "{s:{s:{s:s}}}", "metadata", "annotations", "kubectl.kubernetes.io/restartedAt", when);
    json_object_update_recursive(template_of(after), stamp);
    work->is_aside = true;
    rc = workload_change(work, before, after, effect, err);
    work->is_aside = false;
    return rc;
}

int workload_mount_claim(fault_work_t *work, json_t *workload, json_t *container, err_t *err)
{
    (void)err;
    const char *target =
        json_string_value(json_object_get(json_object_get(workload, "metadata"), "name"));
    json_array_append_new(workload_list(workload_pod_spec(workload), "volumes"),
        json_pack("{s:s, s:{s:o}}", "name", "data", "persistentVolumeClaim", "claimName",
            json_sprintf("%s-data", target)));
    json_array_append_new(workload_list(container, "volumeMounts"),
        json_pack("{s:s, s:s}", "name", "data", "mountPath", fault_text(work, "path")));
    return 0;
}

int workload_claim_is_pending(fault_work_t *work, err_t *err)
{
    int rc = edit_alive(work, err);
    size_t i;
    json_t *name;
    json_array_foreach(work->record->struck, i, name)
    {
        json_auto_t *claim = NULL;
        AUTO_FREE char *claim_name = xasprintf("%s-data", json_string_value(name));
        if (rc == 0)
            rc = edit_look(work, "PersistentVolumeClaim", claim_name, &claim, err);
        if (strcmp(text_of(json_object_get(claim, "status"), "phase"), "Bound") == 0)
            work->finding = FAULT_REPAIRED;
    }
    return rc;
}
