/* node_taint: the node takes no pods that do not tolerate its taint, and loses those that it has.
 */
#include "services/injector/edit.h"

static int inject(fault_work_t *work, const char *target, err_t *err)
{
    json_auto_t *before = NULL;
    int rc =
        kube_call(work->kube, kube_get(KUBE("Node", fault_namespace(work), target)), &before, err);
    if (rc < 0)
        return rc;
    json_auto_t *after = json_deep_copy(before);
    json_t *spec = json_object_get(after, "spec");
    if (!json_object_get(spec, "taints"))
        json_object_set_new(spec, "taints", json_array());
    json_array_append_new(json_object_get(spec, "taints"),
        json_pack("{s:s, s:s, s:s}", "key", fault_text(work, "key"), "value",
            fault_text(work, "value"), "effect", fault_text(work, "effect")));
    return edit_change(work, before, after, err);
}

const fault_kind_t fault_node_taint = {
    .watched = "Node", .inject = inject, .recover = edit_recover, .alive = edit_alive};
