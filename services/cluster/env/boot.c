#include "services/cluster/env/boot.h"

#include "services/cluster/env/auth/default_roles.h"

#include "base/auto.h"

/* A fresh store refuses none of these. */
static void create(store_t *store, const char *kind, json_t *object)
{
    (void)store_create(store, kind_find(kind), object, NULL, NULL);
}

static void create_namespaces(store_t *store)
{
    static const char *const names[] = {"default", "kube-node-lease", "kube-public", "kube-system"};
    for (size_t i = 0; i < ARRAY_SIZE(names); i++)
        create(store, "Namespace",
            json_pack("{s:{s:s, s:{s:s}}}", "metadata", "name", names[i], "labels",
                "kubernetes.io/metadata.name", names[i]));
}

static void create_priority_classes(store_t *store)
{
    static const struct {
        const char *name;
        int value;
        const char *description;
    } classes[] = {
        {"system-cluster-critical", 2000000000,
            "Used for system critical pods that must run in the cluster, but can be moved to "
            "another node if necessary."},
        {"system-node-critical", 2000001000,
            "Used for system critical pods that must not be moved from their current node."},
    };
    for (size_t i = 0; i < ARRAY_SIZE(classes); i++)
        create(store, "PriorityClass",
            json_pack("{s:{s:s}, s:i, s:s}", "metadata", "name", classes[i].name, "value",
                classes[i].value, "description", classes[i].description));
}

/* As small clusters come with it: folders of the node on which the first pod runs. */
static void create_storage_class(store_t *store)
{
    create(store, "StorageClass",
        json_pack("{s:{s:s, s:{s:s}}, s:s, s:s, s:s}", "metadata", "name", "standard",
            "annotations", "storageclass.kubernetes.io/is-default-class", "true", "provisioner",
            "rancher.io/local-path", "reclaimPolicy", "Delete", "volumeBindingMode",
            "WaitForFirstConsumer"));
}

/* The API server listens on the first node; DNS on the cluster address itself. */
void boot_objects(store_t *store, const char *client_ca_pem)
{
    create_namespaces(store);
    create_storage_class(store);
    create_priority_classes(store);
    default_roles_create(store);
    create(store, "ConfigMap",
        json_pack("{s:{s:s, s:s}, s:{s:s}}", "metadata", "name",
            "extension-apiserver-authentication", "namespace", "kube-system", "data",
            "client-ca-file", client_ca_pem));
    create(store, "Service",
        json_pack("{s:{s:s, s:s, s:{s:s, s:s}}, s:{s:s, s:[{s:s, s:s, s:i, s:i}]}}", "metadata",
            "name", "kubernetes", "namespace", "default", "labels", "component", "apiserver",
            "provider", "kubernetes", "spec", "clusterIP", "10.96.0.1", "ports", "name", "https",
            "protocol", "TCP", "port", 443, "targetPort", 6443));
    create(store, "Endpoints",
        json_pack("{s:{s:s, s:s, s:{s:s}}, s:[{s:[{s:s}], s:[{s:s, s:i, s:s}]}]}", "metadata",
            "name", "kubernetes", "namespace", "default", "labels",
            "endpointslice.kubernetes.io/skip-mirror", "true", "subsets", "addresses", "ip",
            "172.18.0.2", "ports", "name", "https", "port", 6443, "protocol", "TCP"));
    create(store, "EndpointSlice",
        json_pack("{s:{s:s, s:s, s:{s:s}}, s:s, s:[{s:[s], s:{s:b}}], s:[{s:s, s:i, s:s}]}",
            "metadata", "name", "kubernetes", "namespace", "default", "labels",
            "kubernetes.io/service-name", "kubernetes", "addressType", "IPv4", "endpoints",
            "addresses", "172.18.0.2", "conditions", "ready", 1, "ports", "name", "https", "port",
            6443, "protocol", "TCP"));
    create(store, "Service",
        json_pack(
            "{s:{s:s, s:s, s:{s:s, s:s, s:s}}, s:{s:s, s:[{s:s, s:s, s:i}, {s:s, s:s, s:i}]}}",
            "metadata", "name", "kube-dns", "namespace", "kube-system", "labels", "k8s-app",
            "kube-dns", "kubernetes.io/cluster-service", "true", "kubernetes.io/name", "CoreDNS",
            "spec", "clusterIP", "10.96.0.10", "ports", "name", "dns", "protocol", "UDP", "port",
            53, "name", "dns-tcp", "protocol", "TCP", "port", 53));
}
