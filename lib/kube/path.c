/* Where each kind lives. A client that met kinds of its own would ask the server (discovery); ours
 * needs those that its callers name. */
#include "kube/kube.h"

#include "base/auto.h"
#include "base/mem.h"

static const struct kind {
    const char *name;
    const char *prefix;
    const char *plural;
    bool is_cluster_wide;
} kinds[] = {
    {"ClusterRole", "/apis/rbac.authorization.k8s.io/v1", "clusterroles", true},
    {"ClusterRoleBinding", "/apis/rbac.authorization.k8s.io/v1", "clusterrolebindings", true},
    {"ConfigMap", "/api/v1", "configmaps", false},
    {"CronJob", "/apis/batch/v1", "cronjobs", false},
    {"DaemonSet", "/apis/apps/v1", "daemonsets", false},
    {"Deployment", "/apis/apps/v1", "deployments", false},
    {"EndpointSlice", "/apis/discovery.k8s.io/v1", "endpointslices", false},
    {"Endpoints", "/api/v1", "endpoints", false},
    {"Event", "/api/v1", "events", false},
    {"HorizontalPodAutoscaler", "/apis/autoscaling/v2", "horizontalpodautoscalers", false},
    {"Ingress", "/apis/networking.k8s.io/v1", "ingresses", false},
    {"Job", "/apis/batch/v1", "jobs", false},
    {"Lease", "/apis/coordination.k8s.io/v1", "leases", false},
    {"LimitRange", "/api/v1", "limitranges", false},
    {"Namespace", "/api/v1", "namespaces", true},
    {"NetworkPolicy", "/apis/networking.k8s.io/v1", "networkpolicies", false},
    {"Node", "/api/v1", "nodes", true},
    {"PersistentVolume", "/api/v1", "persistentvolumes", true},
    {"PersistentVolumeClaim", "/api/v1", "persistentvolumeclaims", false},
    {"Pod", "/api/v1", "pods", false},
    {"PodDisruptionBudget", "/apis/policy/v1", "poddisruptionbudgets", false},
    {"ReplicaSet", "/apis/apps/v1", "replicasets", false},
    {"ResourceQuota", "/api/v1", "resourcequotas", false},
    {"Role", "/apis/rbac.authorization.k8s.io/v1", "roles", false},
    {"RoleBinding", "/apis/rbac.authorization.k8s.io/v1", "rolebindings", false},
    {"Secret", "/api/v1", "secrets", false},
    {"Service", "/api/v1", "services", false},
    {"ServiceAccount", "/api/v1", "serviceaccounts", false},
    {"StatefulSet", "/apis/apps/v1", "statefulsets", false},
    {"StorageClass", "/apis/storage.k8s.io/v1", "storageclasses", true},
    {"ValidatingWebhookConfiguration", "/apis/admissionregistration.k8s.io/v1",
        "validatingwebhookconfigurations", true},
};

static const struct kind *kind_named(const char *name)
{
    for (size_t i = 0; name && i < ARRAY_SIZE(kinds); i++) {
        if (strcmp(kinds[i].name, name) == 0)
            return &kinds[i];
    }
    return NULL;
}

char *kube_path(kube_ref_t ref, err_t *err)
{
    const struct kind *kind = kind_named(ref.kind);
    if (!kind) {
        (void)err_set(err, ERR_INVALID, "the kind '%s' is not known to this client",
            ref.kind ? ref.kind : "");
        return NULL;
    }
    bool is_in_namespace = !kind->is_cluster_wide && ref.namespace;
    return xasprintf("%s%s%s/%s%s%s%s%s", kind->prefix, is_in_namespace ? "/namespaces/" : "",
        is_in_namespace ? ref.namespace : "", kind->plural, ref.name ? "/" : "",
        ref.name ? ref.name : "", ref.subresource ? "/" : "",
        ref.subresource ? ref.subresource : "");
}
