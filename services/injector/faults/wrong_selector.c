/* wrong_selector: the Service selects no pod, so it has no endpoints. */
#include "services/injector/edit.h"

enum { EFFECT_MS = 60 * 1000 };

static bool has_addresses(const json_t *endpoints)
{
    const json_t *subset = json_array_get(json_object_get(endpoints, "subsets"), 0);
    return json_array_size(json_object_get(subset, "addresses")) > 0;
}

static bool are_empty(void *arg, const json_t *objects, err_t *why)
{
    (void)arg;
    const char *key;
    json_t *endpoints;
    json_object_foreach((json_t *)objects, key, endpoints)
    {
        if (has_addresses(endpoints)) {
            (void)err_set(why, ERR_TIMEOUT, "'%s' still has endpoints", key);
            return false;
        }
    }
    return true;
}

static int inject(fault_work_t *work, const char *target, err_t *err)
{
    json_auto_t *before = NULL;
    int rc = kube_call(
        work->kube, kube_get(KUBE("Service", fault_namespace(work), target)), &before, err);
    if (rc < 0)
        return rc;
    json_auto_t *after = json_deep_copy(before);
    json_t *selector = json_object_get(json_object_get(after, "spec"), "selector");
    void *first = json_object_iter(selector);
    if (!first)
        return err_set(err, ERR_STATE, "the service '%s' has no selector", target);
    const char *value = json_string_value(json_object_iter_value(first));
    json_object_iter_set_new(
        selector, first, json_sprintf("%s%s", value, fault_text(work, "suffix")));
    rc = edit_change(work, before, after, err);
    return rc < 0 ? rc
                  : kube_wait_call(work->kube, KUBE("Endpoints", fault_namespace(work), target),
                      NULL, are_empty, NULL, EFFECT_MS, err);
}

/* Also over once there are pods that it selects. */
static int alive(fault_work_t *work, err_t *err)
{
    int rc = edit_alive(work, err);
    size_t i;
    json_t *name;
    json_array_foreach(work->record->struck, i, name)
    {
        json_auto_t *endpoints = NULL;
        if (rc == 0)
            rc = edit_look(work, "Endpoints", json_string_value(name), &endpoints, err);
        if (has_addresses(endpoints))
            work->finding = FAULT_REPAIRED;
    }
    return rc;
}

const fault_kind_t fault_wrong_selector = {
    .watched = "Service", .inject = inject, .recover = edit_recover, .alive = alive};
