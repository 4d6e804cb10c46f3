/* What a pod gets from its ServiceAccount (plugin/pkg/admission/serviceaccount). */
#include "services/cluster/env/kinds/pod_account.h"

#include "services/cluster/env/object.h"
#include "services/cluster/env/store.h"

#include "base/auto.h"
#include "base/mem.h"

#define VOLUME_PREFIX "kube-api-access-"
#define MOUNT_PATH    "/var/run/secrets/kubernetes.io/serviceaccount"

enum { TOKEN_SECONDS = 3607, FILE_MODE = 0644, SUFFIX_LENGTH = 5 };

static bool wants_token(const json_t *pod, const json_t *account)
{
    const json_t *of_pod = object_at(pod, "spec.automountServiceAccountToken");
    const json_t *of_account = json_object_get(account, "automountServiceAccountToken");
    return json_is_boolean(of_pod) ? json_is_true(of_pod) : !json_is_false(of_account);
}

/* A copied pod may have a volume of this kind already. */
static const char *present_volume(const json_t *spec)
{
    size_t i;
    json_t *volume;
    json_array_foreach(json_object_get(spec, "volumes"), i, volume)
    {
        const char *name = object_string(volume, "name");
        if (!strncmp(name, VOLUME_PREFIX, sizeof(VOLUME_PREFIX) - 1))
            return name;
    }
    return NULL;
}

/* Five letters that follow from the pod's uid; for free(). */
static char *new_name(const json_t *pod)
{
    static const char letters[] = "bcdfghjklmnpqrst";
    static const char digits[] = "0123456789abcdef";
    char suffix[SUFFIX_LENGTH + 1] = "";
    const char *uid = object_uid(pod);
    for (size_t i = 0; i < SUFFIX_LENGTH && uid[i]; i++) {
        const char *digit = strchr(digits, uid[i]);
        suffix[i] = letters[digit ? digit - digits : 0];
    }
    return xasprintf(VOLUME_PREFIX "%s", suffix);
}

static json_t *new_volume(const char *name)
{
    return json_pack("{s:s, s:{s:i, s:[{s:{s:i, s:s}}, {s:{s:s, s:[{s:s, s:s}]}}, "
                     "{s:{s:[{s:s, s:{s:s, s:s}}]}}]}}",
        "name", name, "projected", "defaultMode", FILE_MODE, "sources", "serviceAccountToken",
        "expirationSeconds", TOKEN_SECONDS, "path", "token", "configMap", "name",
        "kube-root-ca.crt", "items", "key", "ca.crt", "path", "ca.crt", "downwardAPI", "items",
        "path", "namespace", "fieldRef", "apiVersion", "v1", "fieldPath", "metadata.namespace");
}

static json_t *list_of(json_t *object, const char *key)
{
    if (!json_is_array(json_object_get(object, key)))
        json_object_set_new(object, key, json_array());
    return json_object_get(object, key);
}

static bool is_mounted(const json_t *container)
{
    size_t i;
    json_t *mount;
    json_array_foreach(json_object_get(container, "volumeMounts"), i, mount)
    {
        if (!strcmp(object_string(mount, "mountPath"), MOUNT_PATH))
            return true;
    }
    return false;
}

/* Returns whether any container needed it. */
static bool mount_in(json_t *containers, const char *name)
{
    bool is_needed = false;
    size_t i;
    json_t *container;
    json_array_foreach(containers, i, container)
    {
        if (!json_is_object(container) || is_mounted(container))
            continue;
        is_needed = true;
        json_array_append_new(list_of(container, "volumeMounts"),
            json_pack("{s:s, s:b, s:s}", "name", name, "readOnly", 1, "mountPath", MOUNT_PATH));
    }
    return is_needed;
}

static void mount_token(json_t *pod)
{
    json_t *spec = json_object_get(pod, "spec");
    const char *present = present_volume(spec);
    AUTO_FREE char *name = present ? xstrdup(present) : new_name(pod);
    bool is_needed = mount_in(json_object_get(spec, "initContainers"), name);
    is_needed = mount_in(json_object_get(spec, "containers"), name) || is_needed;
    if (is_needed && !present)
        json_array_append_new(list_of(spec, "volumes"), new_volume(name));
}

int pod_admit_account(store_t *store, json_t *pod, err_t *err)
{
    const char *namespace = object_namespace(pod);
    const char *name = object_string(pod, "spec.serviceAccountName");
    const json_t *account = store_get(store, kind_find("ServiceAccount"), namespace, name);
    json_t *secrets = json_object_get(account, "imagePullSecrets");
    if (!account && !strcmp(name, "default"))
        return 0; /* the namespace is so young that it has none yet */
    if (!account)
        return err_set(err, ERR_FORBIDDEN,
            "error looking up service account %s/%s: serviceaccount \"%s\" not found", namespace,
            name, name);
    json_t *spec = json_object_get(pod, "spec");
    if (json_array_size(secrets) && !json_array_size(json_object_get(spec, "imagePullSecrets")))
        json_object_set(spec, "imagePullSecrets", secrets);
    if (wants_token(pod, account))
        mount_token(pod);
    return 0;
}
