/* Volumes, claims and storage classes. */
#include "base/auto.h"
#include "base/mem.h"
#include "services/cluster/env/object.h"

#include "tests/support/cluster_world.h"
#include "tests/support/test.h"

static cluster_world_t *new_world(void)
{
    cluster_world_t *world = cluster_world_new();
    cluster_world_create(world, "StorageClass",
        "{'metadata':{'name':'standard','annotations':{'storageclass.kubernetes.io/"
        "is-default-class':'true'}},'provisioner':'rancher.io/local-path','volumeBindingMode':"
        "'WaitForFirstConsumer'}");
    cluster_world_create(world, "StorageClass",
        "{'metadata':{'name':'fast'},'provisioner':'rancher.io/local-path'}");
    return world;
}

/* A claim "c" of 1Gi with further members of its spec. */
static void claim(cluster_world_t *world, const char *more)
{
    AUTO_FREE char *text = xasprintf("{'metadata':{'name':'c'},'spec':{'accessModes':"
                                     "['ReadWriteOnce'],'resources':{'requests':{'storage':"
                                     "'1Gi'}}%s}}",
        more);
    cluster_world_create(world, "PersistentVolumeClaim", text);
    cluster_world_run(world, 1);
}

static void volume(cluster_world_t *world, const char *name, const char *size, const char *more)
{
    AUTO_FREE char *text = xasprintf("{'metadata':{'name':'%s'},'spec':{'accessModes':"
                                     "['ReadWriteOnce'],'capacity':{'storage':'%s'},'hostPath':"
                                     "{'path':'/data'}%s}}",
        name, size, more);
    cluster_world_create(world, "PersistentVolume", text);
    cluster_world_run(world, 1);
}

static void pod(cluster_world_t *world)
{
    cluster_world_create(world, "Pod",
        "{'metadata':{'name':'p'},'spec':{'containers':[{'name':'c','image':'nginx'}],'volumes':"
        "[{'name':'v','persistentVolumeClaim':{'claimName':'c'}}]}}");
    cluster_world_run(world, 1);
}

static void expect(
    cluster_world_t *world, const char *kind, const char *name, const char *path, const char *value)
{
    assert_string_equal(object_string(cluster_world_get(world, kind, name), path), value);
}

static void a_claim_gets_the_default_class_and_waits_for_its_first_pod(void **state)
{
    (void)state;
    AUTO(cluster_world_destroy) cluster_world_t *world = new_world();

    claim(world, "");

    expect(world, "PersistentVolumeClaim", "c", "spec.storageClassName", "standard");
    expect(world, "PersistentVolumeClaim", "c", "status.phase", "Pending");
    assert_int_not_equal(cluster_world_events(world, "WaitForFirstConsumer",
                             "waiting for first consumer to be created before binding"),
        0);
}

static void a_pod_has_its_volume_made_on_its_node(void **state)
{
    (void)state;
    AUTO(cluster_world_destroy) cluster_world_t *world = new_world();

    claim(world, "");
    pod(world);

    const char *name =
        object_string(cluster_world_get(world, "PersistentVolumeClaim", "c"), "spec.volumeName");
    const char *node = object_string(cluster_world_get(world, "Pod", "p"), "spec.nodeName");
    const json_t *made = cluster_world_get(world, "PersistentVolume", name);
    expect(world, "PersistentVolumeClaim", "c", "status.phase", "Bound");
    expect(world, "PersistentVolumeClaim", "c", "status.capacity.storage", "1Gi");
    expect(world, "Pod", "p", "status.phase", "Running");
    assert_string_equal(object_string(made, "status.phase"), "Bound");
    assert_string_equal(object_string(made, "spec.persistentVolumeReclaimPolicy"), "Delete");
    const json_t *terms = object_at(made, "spec.nodeAffinity.required.nodeSelectorTerms");
    const json_t *first =
        json_array_get(object_at(json_array_get(terms, 0), "matchExpressions"), 0);
    assert_string_equal(json_string_value(json_array_get(object_at(first, "values"), 0)), node);
}

static void an_immediate_class_binds_without_a_pod(void **state)
{
    (void)state;
    AUTO(cluster_world_destroy) cluster_world_t *world = new_world();

    claim(world, ",'storageClassName':'fast'");

    expect(world, "PersistentVolumeClaim", "c", "status.phase", "Bound");
    assert_int_equal(cluster_world_events(world, "ProvisioningSucceeded", NULL), 1);
}

static void without_class_a_claim_takes_the_smallest_volume_that_holds_it(void **state)
{
    (void)state;
    AUTO(cluster_world_destroy) cluster_world_t *world = new_world();
    volume(world, "small", "500Mi", "");
    volume(world, "large", "20Gi", "");
    volume(world, "right", "2Gi", "");

    claim(world, ",'storageClassName':''");

    expect(world, "PersistentVolumeClaim", "c", "spec.volumeName", "right");
    expect(world, "PersistentVolume", "right", "spec.claimRef.name", "c");
    expect(world, "PersistentVolume", "right", "status.phase", "Bound");
    expect(world, "PersistentVolume", "small", "status.phase", "Available");
}

static void a_claim_that_nothing_suits_says_so(void **state)
{
    (void)state;
    AUTO(cluster_world_destroy) cluster_world_t *world = new_world();

    claim(world, ",'storageClassName':''");
    pod(world);

    assert_int_not_equal(
        cluster_world_events(world, "FailedBinding",
            "no persistent volumes available for this claim and no storage class is set"),
        0);
    assert_int_equal(
        cluster_world_events(world, "FailedScheduling",
            "0/3 nodes are available: pod has unbound immediate PersistentVolumeClaims. "
            "preemption: 0/3 nodes are available: 3 Preemption is not helpful for scheduling."),
        1);
    volume(world, "late", "1Gi", "");
    expect(world, "PersistentVolumeClaim", "c", "status.phase", "Bound");
    expect(world, "Pod", "p", "status.phase", "Running");
}

static void a_missing_claim_and_class_are_named(void **state)
{
    (void)state;
    AUTO(cluster_world_destroy) cluster_world_t *world = new_world();

    pod(world);
    claim(world, ",'storageClassName':'gold'");

    assert_int_equal(
        cluster_world_events(world, "FailedScheduling",
            "0/3 nodes are available: persistentvolumeclaim \"c\" not found. preemption: 0/3 "
            "nodes are available: 3 Preemption is not helpful for scheduling."),
        1);
    assert_int_not_equal(cluster_world_events(world, "ProvisioningFailed",
                             "storageclass.storage.k8s.io \"gold\" not found"),
        0);
}

static void remove_object(cluster_world_t *world, const char *kind, const char *name)
{
    assert_int_equal(store_delete(world->store, kind_find(kind), "shop", name, NULL, NULL), 0);
    cluster_world_run(world, 1);
}

static void a_claim_in_use_stays_until_its_pod_has_gone(void **state)
{
    (void)state;
    AUTO(cluster_world_destroy) cluster_world_t *world = new_world();
    claim(world, "");
    pod(world);

    remove_object(world, "PersistentVolumeClaim", "c");
    assert_true(object_is_deleted(cluster_world_get(world, "PersistentVolumeClaim", "c")));

    remove_object(world, "Pod", "p");
    assert_null(cluster_world_get(world, "PersistentVolumeClaim", "c"));
    assert_int_equal(cluster_world_count(world, "PersistentVolume", NULL), 0);
}

static void a_retained_volume_is_released(void **state)
{
    (void)state;
    AUTO(cluster_world_destroy) cluster_world_t *world = new_world();
    volume(world, "kept", "1Gi", "");
    claim(world, ",'storageClassName':''");

    remove_object(world, "PersistentVolumeClaim", "c");
    expect(world, "PersistentVolume", "kept", "status.phase", "Released");

    claim(world, ",'storageClassName':''");
    expect(world, "PersistentVolumeClaim", "c", "status.phase", "Pending");
}

static void a_volume_in_use_stays_and_one_lost_is_told(void **state)
{
    (void)state;
    AUTO(cluster_world_destroy) cluster_world_t *world = new_world();
    volume(world, "v", "1Gi", "");
    claim(world, ",'storageClassName':''");

    remove_object(world, "PersistentVolume", "v");
    assert_true(object_is_deleted(cluster_world_get(world, "PersistentVolume", "v")));

    assert_int_equal(store_remove(world->store, kind_find("PersistentVolume"), NULL, "v", NULL), 0);
    cluster_world_run(world, 1);
    expect(world, "PersistentVolumeClaim", "c", "status.phase", "Lost");
    assert_int_equal(cluster_world_events(world, "ClaimLost", NULL), 1);
}

static void a_pod_follows_its_volume(void **state)
{
    (void)state;
    AUTO(cluster_world_destroy) cluster_world_t *world = new_world();
    volume(world, "v", "1Gi",
        ",'nodeAffinity':{'required':{'nodeSelectorTerms':[{'matchExpressions':[{'key':"
        "'kubernetes.io/hostname','operator':'In','values':['n3']}]}]}}");
    claim(world, ",'storageClassName':''");

    pod(world);

    expect(world, "Pod", "p", "spec.nodeName", "n3");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_claim_gets_the_default_class_and_waits_for_its_first_pod),
        cmocka_unit_test(a_pod_has_its_volume_made_on_its_node),
        cmocka_unit_test(an_immediate_class_binds_without_a_pod),
        cmocka_unit_test(without_class_a_claim_takes_the_smallest_volume_that_holds_it),
        cmocka_unit_test(a_claim_that_nothing_suits_says_so),
        cmocka_unit_test(a_missing_claim_and_class_are_named),
        cmocka_unit_test(a_claim_in_use_stays_until_its_pod_has_gone),
        cmocka_unit_test(a_retained_volume_is_released),
        cmocka_unit_test(a_volume_in_use_stays_and_one_lost_is_told),
        cmocka_unit_test(a_pod_follows_its_volume),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
