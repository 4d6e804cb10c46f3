/* StatefulSets: order, identity, revisions. */
#include "base/auto.h"
#include "base/mem.h"
#include "services/cluster/env/object.h"

#include "tests/support/cluster_world.h"
#include "tests/support/test.h"

#define SET(image, more)                                                                           \
    "{'metadata':{'name':'db'},'spec':{'replicas':3,'serviceName':'db',"                           \
    "'selector':{'matchLabels':{'app':'db'}},'template':{'metadata':{'labels':{'app':'db'}},"      \
    "'spec':{'containers':[{'name':'c','image':'" image "'}]}}" more "}}"
#define CLAIMS                                                                                     \
    ",'volumeClaimTemplates':[{'metadata':{'name':'data'},'spec':{'accessModes':"                  \
    "['ReadWriteOnce'],'resources':{'requests':{'storage':'1Gi'}}}}]"
#define IMAGE(image)                                                                               \
    "{'spec':{'template':{'spec':{'containers':[{'name':'c','image':'" image "'}]}}}}"

static const char *image_of(cluster_world_t *world, const char *pod)
{
    const json_t *object = cluster_world_get(world, "Pod", pod);
    return object_string(json_array_get(object_at(object, "spec.containers"), 0), "image");
}

static int64_t status(cluster_world_t *world, const char *path)
{
    return object_integer(cluster_world_get(world, "StatefulSet", "db"), path, 0);
}

static void pods_have_names_labels_and_revisions(void **state)
{
    (void)state;
    AUTO(cluster_world_destroy) cluster_world_t *world = cluster_world_new();
    cluster_world_create(world, "StatefulSet", SET("redis", ""));
    cluster_world_run(world, 10);

    const json_t *pod = cluster_world_get(world, "Pod", "db-2");
    const json_t *set = cluster_world_get(world, "StatefulSet", "db");
    assert_string_equal(object_string(pod, "spec.hostname"), "db-2");
    assert_string_equal(object_string(pod, "spec.subdomain"), "db");
    assert_string_equal(object_label(pod, "statefulset.kubernetes.io/pod-name"), "db-2");
    assert_string_equal(object_label(pod, "apps.kubernetes.io/pod-index"), "2");
    assert_string_equal(
        object_label(pod, "controller-revision-hash"), object_string(set, "status.updateRevision"));
    assert_int_equal(status(world, "status.readyReplicas"), 3);
    assert_int_equal(cluster_world_events(
                         world, "SuccessfulCreate", "create Pod db-1 in StatefulSet db successful"),
        1);
}

static void a_pod_waits_for_the_one_before_it(void **state)
{
    (void)state;
    AUTO(cluster_world_destroy) cluster_world_t *world = cluster_world_new();
    cluster_world_create(world, "StatefulSet", SET("broken", ""));
    cluster_world_run(world, 60000);
    assert_int_equal(cluster_world_count(world, "Pod", "shop"), 1);
}

static void parallel_pods_do_not_wait(void **state)
{
    (void)state;
    AUTO(cluster_world_destroy) cluster_world_t *world = cluster_world_new();
    cluster_world_create(world, "StatefulSet", SET("broken", ",'podManagementPolicy':'Parallel'"));
    cluster_world_run(world, 10);
    assert_int_equal(cluster_world_count(world, "Pod", "shop"), 3);
}

static void pods_wait_until_the_one_before_was_ready_for_long_enough(void **state)
{
    (void)state;
    AUTO(cluster_world_destroy) cluster_world_t *world = cluster_world_new();
    cluster_world_create(world, "StatefulSet", SET("redis", ",'minReadySeconds':10"));
    cluster_world_run(world, 9900);
    assert_int_equal(cluster_world_count(world, "Pod", "shop"), 1);
    cluster_world_run(world, 10200);
    assert_int_equal(cluster_world_count(world, "Pod", "shop"), 3);
}

static void a_deleted_pod_comes_back_with_its_name(void **state)
{
    (void)state;
    AUTO(cluster_world_destroy) cluster_world_t *world = cluster_world_new();
    cluster_world_create(world, "StatefulSet", SET("redis", ""));
    cluster_world_run(world, 10);
    json_auto_t *victim = json_incref(cluster_world_get(world, "Pod", "db-1"));

    store_delete(world->store, kind_find("Pod"), "shop", "db-1", NULL, NULL);
    cluster_world_run(world, 10);

    const json_t *pod = cluster_world_get(world, "Pod", "db-1");
    assert_non_null(pod);
    assert_string_not_equal(object_uid(pod), object_uid(victim));
}

static void the_last_pods_go_first(void **state)
{
    (void)state;
    AUTO(cluster_world_destroy) cluster_world_t *world = cluster_world_new();
    cluster_world_create(world, "StatefulSet", SET("redis", ""));
    cluster_world_run(world, 10);
    cluster_world_change(world, "StatefulSet", "db", "{'spec':{'replicas':1}}");
    cluster_world_run(world, 10);
    assert_non_null(cluster_world_get(world, "Pod", "db-0"));
    assert_int_equal(cluster_world_count(world, "Pod", "shop"), 1);
    assert_int_equal(cluster_world_events(world, "SuccessfulDelete", NULL), 2);
}

static void claims_are_made_and_stay(void **state)
{
    (void)state;
    AUTO(cluster_world_destroy) cluster_world_t *world = cluster_world_new();
    cluster_world_create(world, "StatefulSet", SET("broken", CLAIMS));
    cluster_world_run(world, 10);

    const json_t *pod = cluster_world_get(world, "Pod", "db-0");
    const json_t *volume = json_array_get(object_at(pod, "spec.volumes"), 0);
    assert_string_equal(object_string(volume, "persistentVolumeClaim.claimName"), "data-db-0");
    assert_non_null(cluster_world_get(world, "PersistentVolumeClaim", "data-db-0"));
    assert_int_equal(cluster_world_events(world, "SuccessfulCreate",
                         "create Claim data-db-0 Pod db-0 in StatefulSet db success"),
        1);
    store_delete(world->store, kind_find("StatefulSet"), "shop", "db", NULL, NULL);
    cluster_world_run(world, 10);
    assert_int_equal(cluster_world_count(world, "Pod", "shop"), 0);
    assert_non_null(cluster_world_get(world, "PersistentVolumeClaim", "data-db-0"));
}

static void a_new_template_rolls_from_the_last_pod_down(void **state)
{
    (void)state;
    AUTO(cluster_world_destroy) cluster_world_t *world = cluster_world_new();
    cluster_world_create(world, "StatefulSet", SET("redis:1", ""));
    cluster_world_run(world, 10);
    cluster_world_change(world, "StatefulSet", "db", IMAGE("broken"));
    cluster_world_run(world, 10);
    assert_string_equal(image_of(world, "db-2"), "broken");
    assert_string_equal(image_of(world, "db-1"), "redis:1");
    cluster_world_change(world, "StatefulSet", "db", IMAGE("redis:2"));
    cluster_world_run(world, 10);
    store_delete(world->store, kind_find("Pod"), "shop", "db-2", NULL, NULL);
    cluster_world_run(world, 10);

    const json_t *set = cluster_world_get(world, "StatefulSet", "db");
    assert_string_equal(image_of(world, "db-0"), "redis:2");
    assert_string_equal(
        object_string(set, "status.currentRevision"), object_string(set, "status.updateRevision"));
    assert_int_equal(cluster_world_count(world, "ControllerRevision", "shop"), 3);
}

static void pods_below_the_partition_stay(void **state)
{
    (void)state;
    AUTO(cluster_world_destroy) cluster_world_t *world = cluster_world_new();
    cluster_world_create(world, "StatefulSet",
        SET("redis:1", ",'updateStrategy':{'rollingUpdate':{'partition':2}}"));
    cluster_world_run(world, 10);
    cluster_world_change(world, "StatefulSet", "db", IMAGE("redis:2"));
    cluster_world_run(world, 10);
    assert_string_equal(image_of(world, "db-2"), "redis:2");
    assert_string_equal(image_of(world, "db-1"), "redis:1");
    assert_int_equal(status(world, "status.updatedReplicas"), 1);
    assert_int_equal(status(world, "status.currentReplicas"), 2);
    store_delete(world->store, kind_find("Pod"), "shop", "db-1", NULL, NULL);
    cluster_world_run(world, 10);
    assert_string_equal(image_of(world, "db-1"), "redis:1");
}

static void on_delete_waits_for_somebody_to_delete(void **state)
{
    (void)state;
    AUTO(cluster_world_destroy) cluster_world_t *world = cluster_world_new();
    cluster_world_create(
        world, "StatefulSet", SET("redis:1", ",'updateStrategy':{'type':'OnDelete'}"));
    cluster_world_run(world, 10);
    cluster_world_change(world, "StatefulSet", "db", IMAGE("redis:2"));
    cluster_world_run(world, 10);
    assert_string_equal(image_of(world, "db-2"), "redis:1");
    store_delete(world->store, kind_find("Pod"), "shop", "db-0", NULL, NULL);
    cluster_world_run(world, 10);
    assert_string_equal(image_of(world, "db-0"), "redis:2");
}

static void a_revision_that_comes_back_is_the_newest(void **state)
{
    (void)state;
    AUTO(cluster_world_destroy) cluster_world_t *world = cluster_world_new();
    cluster_world_create(world, "StatefulSet", SET("redis:1", ""));
    cluster_world_run(world, 10);
    AUTO_FREE char *first = xstrdup(
        object_string(cluster_world_get(world, "StatefulSet", "db"), "status.updateRevision"));
    cluster_world_change(world, "StatefulSet", "db", IMAGE("redis:2"));
    cluster_world_run(world, 10);
    cluster_world_change(world, "StatefulSet", "db", IMAGE("redis:1"));
    cluster_world_run(world, 10);
    assert_int_equal(cluster_world_count(world, "ControllerRevision", "shop"), 2);
    assert_int_equal(
        object_integer(cluster_world_get(world, "ControllerRevision", first), "revision", 0), 3);
    assert_string_equal(image_of(world, "db-0"), "redis:1");
}

static void a_failed_pod_is_made_again(void **state)
{
    (void)state;
    AUTO(cluster_world_destroy) cluster_world_t *world = cluster_world_new();
    cluster_world_create(world, "StatefulSet", SET("redis", ""));
    cluster_world_run(world, 10);
    cluster_world_change(world, "Pod", "db-1", "{'status':{'phase':'Failed'}}");
    cluster_world_run(world, 10);
    assert_string_equal(
        object_string(cluster_world_get(world, "Pod", "db-1"), "status.phase"), "Running");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pods_have_names_labels_and_revisions),
        cmocka_unit_test(a_pod_waits_for_the_one_before_it),
        cmocka_unit_test(parallel_pods_do_not_wait),
        cmocka_unit_test(pods_wait_until_the_one_before_was_ready_for_long_enough),
        cmocka_unit_test(a_deleted_pod_comes_back_with_its_name),
        cmocka_unit_test(the_last_pods_go_first),
        cmocka_unit_test(claims_are_made_and_stay),
        cmocka_unit_test(a_new_template_rolls_from_the_last_pod_down),
        cmocka_unit_test(pods_below_the_partition_stay),
        cmocka_unit_test(on_delete_waits_for_somebody_to_delete),
        cmocka_unit_test(a_revision_that_comes_back_is_the_newest),
        cmocka_unit_test(a_failed_pod_is_made_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
