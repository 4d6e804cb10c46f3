#include "services/injector/keys.h"

#include "base/auto.h"
#include "base/base64.h"
#include "base/mem.h"
#include "services/injector/edit.h"
#include "services/injector/workload.h"

#include <string.h>

/* ---- who uses it -------------------------------------------------------------------------- */

/* Whether a pod's specification refers to the object, in any of the places where it may: each of
 * them is a member of one of these names, or below one. */
static bool is_user(const json_t *value, const char *kind, const char *name)
{
    static const char *const config_map[] = {"configMap", "configMapRef", "configMapKeyRef"};
    static const char *const secret[] = {"secret", "secretRef", "secretKeyRef"};
    const char *const *members = strcmp(kind, "Secret") == 0 ? secret : config_map;
    size_t i;
    const char *key;
    json_t *below;
    json_array_foreach((json_t *)value, i, below)
    {
        if (is_user(below, kind, name))
            return true;
    }
    json_object_foreach((json_t *)value, key, below)
    {
        json_t *named = json_object_get(below, "name");
        named = named ? named : json_object_get(below, "secretName");
        bool is_place = strcmp(key, members[0]) == 0 || strcmp(key, members[1]) == 0
                        || strcmp(key, members[2]) == 0;
        if (is_place && json_is_string(named) && strcmp(json_string_value(named), name) == 0)
            return true;
        if (is_user(below, kind, name))
            return true;
    }
    return false;
}

static int restart_users(fault_work_t *work, const char *kind, const char *name, err_t *err)
{
    static const char *const workloads[] = {"Deployment", "StatefulSet", "DaemonSet"};
    for (size_t k = 0; k < ARRAY_SIZE(workloads); k++) {
        json_auto_t *list = NULL;
        int rc = kube_call(work->kube,
            kube_list(KUBE(workloads[k], fault_namespace(work), NULL), NULL, NULL), &list, err);
        size_t i;
        json_t *item;
        json_array_foreach(json_object_get(list, "items"), i, item)
        {
            if (rc == 0 && is_user(workload_pod_spec(item), kind, name))
                rc = workload_restart(work,
                    json_string_value(json_object_get(json_object_get(item, "metadata"), "name")),
                    WORKLOAD_SWAP, err);
        }
        if (rc < 0)
            return rc;
    }
    return 0;
}

/* ---- the object --------------------------------------------------------------------------- */

static json_t *encoded(const char *kind, const char *value)
{
    if (strcmp(kind, "Secret") != 0)
        return json_string(value);
    AUTO_FREE char *text = base64_encode(value, strlen(value));
    return json_string(text);
}

int keys_break(
    fault_work_t *work, const char *kind, const char *name, const char *value, err_t *err)
{
    json_auto_t *before = NULL;
    int rc = kube_call(work->kube, kube_get(KUBE(kind, fault_namespace(work), name)), &before, err);
    if (rc < 0)
        return rc;
    json_auto_t *after = json_deep_copy(before);
    json_t *data = json_object_get(after, "data");
    const char *key = fault_text(work, "key");
    if (!*key)
        key = json_object_iter_key(json_object_iter(data));
    if (!key || !json_object_get(data, key))
        return err_set(
            err, ERR_NOT_FOUND, "%s '%s' has no key '%.60s'", kind, name, key ? key : "");
    if (value)
        json_object_set_new(data, key, encoded(kind, value));
    else
        json_object_del(data, key);
    rc = edit_change(work, before, after, err);
    return rc < 0 ? rc : restart_users(work, kind, name, err);
}
