/* wrong_selector: the Service selects no pod, so it has no endpoints. */
#include "services/injector/edit.h"

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
    return edit_change(work, before, after, err);
}

const fault_kind_t fault_wrong_selector = {
    .watched = "Service", .inject = inject, .recover = edit_recover, .alive = edit_alive};
