#include "tests/e2e/cluster/churn.h"

#include "base/auto.h"
#include "base/mem.h"

#include <string.h>

enum { AWAIT_MS = 60000 };

static const char pod_json[] =
    "{'apiVersion': 'v1', 'kind': 'Pod', 'metadata': {'name': 'churn-%d', 'labels': {'app': "
    "'churn'}}, 'spec': {"
    "'initContainers': [{'name': 'first', 'image': 'shop/shell:1', 'args': ['echo x > /e/x']%s}], "
    "'containers': [{'name': 'main', 'image': 'shop/web:1', 'readinessProbe': {'httpGet': "
    "{'port': 8080}, 'periodSeconds': 1}, 'lifecycle': {'preStop': {'exec': {'command': "
    "['true']}}}%s}], "
    "'volumes': [{'name': 'e', 'emptyDir': {}}, {'name': 'm', 'emptyDir': {'medium': 'Memory', "
    "'sizeLimit': '1Mi'}}, {'name': 'c', 'configMap': {'name': 'kube-root-ca.crt'}}, {'name': 's', "
    "'secret': {'secretName': 'churn'}}, {'name': 'd', 'downwardAPI': {'items': [{'path': 'name', "
    "'fieldRef': {'fieldPath': 'metadata.name'}}]}}, {'name': 'p', 'persistentVolumeClaim': "
    "{'claimName': 'churn'}}]}}";

static const char mounts_json[] =
    ", 'volumeMounts': [{'name': 'e', 'mountPath': '/e'}, {'name': 'm', 'mountPath': '/m'}, "
    "{'name': 'c', 'mountPath': '/c'}, {'name': 's', 'mountPath': '/s'}, {'name': 'd', "
    "'mountPath': '/d'}, {'name': 'p', 'mountPath': '/p'}]";

/* ---- waiting ----------------------------------------------------------------------------------
 */

static bool are_ready(void *arg, const json_t *pods, err_t *why)
{
    return json_object_size(pods) == *(size_t *)arg && kube_pods_are_ready(NULL, pods, why);
}

static void await(world_t *self, const char *kind, kube_is_met_fn *is_met, void *arg)
{
    err_t err = {0};
    kube_ref_t ref = KUBE(kind, self->namespace, NULL);
    if (kube_wait_call(self->kube, ref, "app=churn", is_met, arg, AWAIT_MS, &err) < 0)
        fail_msg("%s: %s", kind, err.text);
}

/* They go some time after their claims. */
static void await_no_volume(world_t *self)
{
    err_t err = {0};
    kube_ref_t all = KUBE("PersistentVolume", NULL, NULL);
    if (kube_wait_call(self->kube, all, NULL, kube_are_gone, NULL, AWAIT_MS, &err) < 0)
        fail_msg("PersistentVolume: %s", err.text);
}

static void remove_all(world_t *self, const char *kind, const char *labels)
{
    err_t err = {0};
    kube_request_t *request = kube_delete_all(KUBE(kind, self->namespace, NULL), labels);
    if (kube_call(self->kube, kube_within(request, AWAIT_MS), NULL, &err) < 0)
        fail_msg("%s: %s", kind, err.text);
}

/* ---- one round --------------------------------------------------------------------------------
 */

static void make(world_t *self, int pods)
{
    world_apply(self, "{'apiVersion': 'v1', 'kind': 'Service', 'metadata': {'name': 'churn', "
                      "'labels': {'app': 'churn'}}, 'spec': {'selector': {'app': 'churn'}, "
                      "'ports': [{'port': 80, 'targetPort': 8080}]}}");
    world_apply(self, "{'apiVersion': 'v1', 'kind': 'Service', 'metadata': {'name': "
                      "'churn-headless', 'labels': {'app': 'churn'}}, 'spec': {'clusterIP': "
                      "'None', 'selector': {'app': 'churn'}}}");
    world_apply(self, "{'apiVersion': 'v1', 'kind': 'PersistentVolumeClaim', 'metadata': {'name': "
                      "'churn', 'labels': {'app': 'churn'}}, 'spec': {'accessModes': "
                      "['ReadWriteOnce'], 'resources': {'requests': {'storage': '1Mi'}}}}");
    for (int i = 0; i < pods; i++) {
        AUTO_FREE char *json = xasprintf(pod_json, i, mounts_json, mounts_json);
        world_apply(self, json);
    }
}

static void use(world_t *self)
{
    AUTO_FREE char *answer = world_ask(self, "churn-0", 8080, "/");
    AUTO_FREE char *log = world_log(self, "churn-0", false);
    expect_in(answer, "hello from churn-0");
    expect_in(log, "listening");
    const env_exec_result_t *result =
        world_exec(self, "kubectl exec churn-0 -c main -- cat /d/name", AWAIT_MS);
    expect_in(result->output, "churn-0");
}

void churn_begin(world_t *self)
{
    world_apply(self, "{'apiVersion': 'v1', 'kind': 'Secret', 'metadata': {'name': 'churn'}, "
                      "'stringData': {'key': 'value'}}");
}

void churn_round(world_t *self, int pods)
{
    size_t count = (size_t)pods;
    make(self, pods);
    await(self, "Pod", are_ready, &count);
    use(self);
    remove_all(self, "Pod", "app=churn");
    await(self, "Pod", kube_are_gone, NULL);
    remove_all(self, "PersistentVolumeClaim", "app=churn");
    remove_all(self, "Service", "app=churn");
    await(self, "PersistentVolumeClaim", kube_are_gone, NULL);
    await(self, "Service", kube_are_gone, NULL);
    await_no_volume(self);
    remove_all(self, "Event", NULL);
}
