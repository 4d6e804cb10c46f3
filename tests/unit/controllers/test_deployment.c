/* Deployments, with replica sets and pods under them, in virtual time. */
#include "base/auto.h"
#include "services/cluster/env/object.h"

#include "tests/support/cluster_world.h"
#include "tests/support/test.h"

#include <string.h>

static const char *condition(cluster_world_t *world, const char *type, const char *key)
{
    return object_string(
        object_condition(cluster_world_get(world, "Deployment", "web"), type), key);
}

static int64_t status(cluster_world_t *world, const char *path)
{
    return object_integer(cluster_world_get(world, "Deployment", "web"), path, 0);
}

/* The replica set with this revision. */
static json_t *revision(cluster_world_t *world, const char *number)
{
    json_t *first = cluster_world_nth(world, "ReplicaSet", 0);
    const char *has = object_annotation(first, "deployment.kubernetes.io/revision");
    return strcmp(has, number) == 0 ? first : cluster_world_nth(world, "ReplicaSet", 1);
}

static void a_deployment_gets_its_pods(void **state)
{
    (void)state;
    AUTO(cluster_world_destroy) cluster_world_t *world = cluster_world_new();

    cluster_world_deploy(world, "web", "nginx", 3, "");
    cluster_world_run(world, 1);

    assert_int_equal(cluster_world_count(world, "ReplicaSet", "shop"), 1);
    assert_int_equal(cluster_world_count(world, "Pod", "shop"), 3);
    assert_int_equal(status(world, "status.replicas"), 3);
    assert_int_equal(status(world, "status.updatedReplicas"), 3);
    assert_int_equal(status(world, "status.availableReplicas"), 3);
    assert_int_equal(status(world, "status.unavailableReplicas"), 0);
    assert_int_equal(status(world, "status.observedGeneration"), 1);
}

static void names_are_those_of_a_real_cluster(void **state)
{
    (void)state;
    AUTO(cluster_world_destroy) cluster_world_t *world = cluster_world_new();

    cluster_world_deploy(world, "web", "nginx", 1, "");
    cluster_world_run(world, 1);

    const json_t *set = cluster_world_nth(world, "ReplicaSet", 0);
    const json_t *pod = cluster_world_nth(world, "Pod", 0);
    const char *hash = object_label(pod, "pod-template-hash");
    assert_in_range(strlen(hash), 9, 10);
    assert_int_equal(strspn(hash, "bcdfghjklmnpqrstvwxz2456789"), strlen(hash));
    assert_string_equal(object_name(set) + strlen("web-"), hash);
    assert_int_equal(strlen(object_name(pod)), strlen(object_name(set)) + 6);
    assert_string_equal(object_string(object_controller(pod), "name"), object_name(set));
}

static void a_finished_rollout_says_so(void **state)
{
    (void)state;
    AUTO(cluster_world_destroy) cluster_world_t *world = cluster_world_new();

    cluster_world_deploy(world, "web", "nginx", 2, "");
    cluster_world_run(world, 1);

    assert_string_equal(condition(world, "Available", "status"), "True");
    assert_string_equal(condition(world, "Available", "reason"), "MinimumReplicasAvailable");
    assert_string_equal(
        condition(world, "Available", "message"), "Deployment has minimum availability.");
    assert_string_equal(condition(world, "Progressing", "reason"), "NewReplicaSetAvailable");
    json_auto_t *wanted = json_sprintf("ReplicaSet \"%s\" has successfully progressed.",
        object_name(cluster_world_nth(world, "ReplicaSet", 0)));
    assert_string_equal(condition(world, "Progressing", "message"), json_string_value(wanted));
    json_auto_t *told = json_sprintf(
        "Scaled up replica set %s to 2", object_name(cluster_world_nth(world, "ReplicaSet", 0)));
    assert_int_equal(cluster_world_events(world, "ScalingReplicaSet", json_string_value(told)), 1);
}

static void a_new_image_replaces_all_pods(void **state)
{
    (void)state;
    AUTO(cluster_world_destroy) cluster_world_t *world = cluster_world_new();
    cluster_world_deploy(world, "web", "nginx", 4, "");
    cluster_world_run(world, 1);

    cluster_world_change(world, "Deployment", "web",
        "{'spec':{'template':{'spec':{'containers':[{'name':'c','image':'nginx:2'}]}}}}");
    cluster_world_run(world, 1);

    assert_int_equal(cluster_world_count(world, "Pod", "shop"), 4);
    assert_int_equal(object_integer(revision(world, "1"), "spec.replicas", -1), 0);
    assert_int_equal(object_integer(revision(world, "2"), "spec.replicas", -1), 4);
    assert_string_equal(object_annotation(cluster_world_get(world, "Deployment", "web"),
                            "deployment.kubernetes.io/revision"),
        "2");
}

static void a_broken_image_leaves_enough_of_the_old(void **state)
{
    (void)state;
    AUTO(cluster_world_destroy) cluster_world_t *world = cluster_world_new();
    cluster_world_deploy(world, "web", "nginx", 4, "");
    cluster_world_run(world, 1);

    cluster_world_change(world, "Deployment", "web",
        "{'spec':{'template':{'spec':{'containers':[{'name':'c','image':'broken'}]}}}}");
    cluster_world_run(world, 1000);

    /* 25% of 4: one more than wished, one less than wished available */
    assert_int_equal(object_integer(revision(world, "1"), "spec.replicas", -1), 3);
    assert_int_equal(object_integer(revision(world, "2"), "spec.replicas", -1), 2);
    assert_int_equal(status(world, "status.availableReplicas"), 3);
    assert_int_equal(status(world, "status.unavailableReplicas"), 2);
    assert_string_equal(condition(world, "Available", "status"), "True");
    assert_string_equal(condition(world, "Progressing", "reason"), "ReplicaSetUpdated");
}

static void a_single_replica_stays_until_its_successor_is_ready(void **state)
{
    (void)state;
    AUTO(cluster_world_destroy) cluster_world_t *world = cluster_world_new();
    cluster_world_deploy(world, "web", "nginx", 1, "");
    cluster_world_run(world, 1);

    cluster_world_change(world, "Deployment", "web",
        "{'spec':{'template':{'spec':{'containers':[{'name':'c','image':'broken'}]}}}}");
    cluster_world_run(world, 1000);

    assert_int_equal(object_integer(revision(world, "1"), "spec.replicas", -1), 1);
    assert_int_equal(object_integer(revision(world, "2"), "spec.replicas", -1), 1);
}

static void a_stuck_rollout_times_out(void **state)
{
    (void)state;
    AUTO(cluster_world_destroy) cluster_world_t *world = cluster_world_new();
    cluster_world_deploy(world, "web", "broken", 1, ",'progressDeadlineSeconds':30");

    cluster_world_run(world, 29000);
    assert_string_equal(condition(world, "Progressing", "status"), "True");
    assert_string_equal(condition(world, "Available", "reason"), "MinimumReplicasUnavailable");
    cluster_world_run(world, 2000);

    assert_string_equal(condition(world, "Progressing", "status"), "False");
    assert_string_equal(condition(world, "Progressing", "reason"), "ProgressDeadlineExceeded");
}

static void going_back_takes_the_old_set_with_a_new_revision(void **state)
{
    (void)state;
    AUTO(cluster_world_destroy) cluster_world_t *world = cluster_world_new();
    cluster_world_deploy(world, "web", "nginx", 1, "");
    cluster_world_run(world, 1);
    cluster_world_change(
        world, "Deployment", "web", "{'spec':{'template':{'metadata':{'annotations':{'a':'b'}}}}}");
    cluster_world_run(world, 1);

    json_t *copy = json_deep_copy(cluster_world_get(world, "Deployment", "web"));
    json_object_del(object_at(copy, "spec.template.metadata"), "annotations");
    store_update(world->store, kind_find("Deployment"), copy, STORE_SPEC, NULL);
    cluster_world_run(world, 1);

    assert_int_equal(cluster_world_count(world, "ReplicaSet", "shop"), 2);
    json_t *set = revision(world, "3");
    assert_int_equal(object_integer(set, "spec.replicas", -1), 1);
    assert_string_equal(object_annotation(set, "deployment.kubernetes.io/revision-history"), "1");
}

static void old_sets_go_past_the_history_limit(void **state)
{
    (void)state;
    AUTO(cluster_world_destroy) cluster_world_t *world = cluster_world_new();
    cluster_world_deploy(world, "web", "nginx", 1, ",'revisionHistoryLimit':1");
    cluster_world_run(world, 1);

    cluster_world_change(
        world, "Deployment", "web", "{'spec':{'template':{'metadata':{'annotations':{'a':'1'}}}}}");
    cluster_world_run(world, 1);
    cluster_world_change(
        world, "Deployment", "web", "{'spec':{'template':{'metadata':{'annotations':{'a':'2'}}}}}");
    cluster_world_run(world, 1);

    assert_int_equal(cluster_world_count(world, "ReplicaSet", "shop"), 2);
    assert_non_null(revision(world, "3"));
    assert_non_null(revision(world, "2"));
}

static void a_paused_deployment_scales_but_does_not_roll(void **state)
{
    (void)state;
    AUTO(cluster_world_destroy) cluster_world_t *world = cluster_world_new();
    cluster_world_deploy(world, "web", "nginx", 1, "");
    cluster_world_run(world, 1);

    cluster_world_change(world, "Deployment", "web",
        "{'spec':{'paused':true,'replicas':2,'template':{'metadata':{'annotations':{'a':'1'}}}}}");
    cluster_world_run(world, 1);

    assert_int_equal(cluster_world_count(world, "ReplicaSet", "shop"), 1);
    assert_int_equal(cluster_world_count(world, "Pod", "shop"), 2);
    assert_string_equal(condition(world, "Progressing", "reason"), "DeploymentPaused");
    cluster_world_change(world, "Deployment", "web", "{'spec':{'paused':false}}");
    cluster_world_run(world, 1);
    assert_int_equal(cluster_world_count(world, "ReplicaSet", "shop"), 2);
    assert_string_equal(condition(world, "Progressing", "reason"), "NewReplicaSetAvailable");
}

static void recreation_ends_the_old_before_the_new_begins(void **state)
{
    (void)state;
    AUTO(cluster_world_destroy) cluster_world_t *world = cluster_world_new();
    cluster_world_deploy(world, "web", "nginx", 2, ",'strategy':{'type':'Recreate'}");
    cluster_world_run(world, 1);
    store_watch_end(&world->kubelet); /* nobody ends pods from now on */

    cluster_world_change(
        world, "Deployment", "web", "{'spec':{'template':{'metadata':{'annotations':{'a':'1'}}}}}");
    cluster_world_run(world, 1000);

    assert_int_equal(cluster_world_count(world, "ReplicaSet", "shop"), 1);
    const json_t *old = cluster_world_nth(world, "Pod", 0);
    assert_true(object_is_deleted(old));
    store_remove(world->store, kind_find("Pod"), "shop", object_name(old), NULL);
    store_remove(world->store, kind_find("Pod"), "shop",
        object_name(cluster_world_nth(world, "Pod", 0)), NULL);
    cluster_world_run(world, 1);
    assert_int_equal(cluster_world_count(world, "ReplicaSet", "shop"), 2);
    assert_int_equal(cluster_world_count(world, "Pod", "shop"), 2);
}

static void scaling_is_told_from_and_to(void **state)
{
    (void)state;
    AUTO(cluster_world_destroy) cluster_world_t *world = cluster_world_new();
    cluster_world_deploy(world, "web", "nginx", 1, "");
    cluster_world_run(world, 1);

    cluster_world_change(world, "Deployment", "web", "{'spec':{'replicas':0}}");
    cluster_world_run(world, 1);

    json_auto_t *told = json_sprintf("Scaled down replica set %s to 0 from 1",
        object_name(cluster_world_nth(world, "ReplicaSet", 0)));
    assert_int_equal(cluster_world_events(world, "ScalingReplicaSet", json_string_value(told)), 1);
    assert_int_equal(cluster_world_count(world, "Pod", "shop"), 0);
    assert_string_equal(condition(world, "Available", "status"), "True");
}

static void available_means_ready_for_long_enough(void **state)
{
    (void)state;
    AUTO(cluster_world_destroy) cluster_world_t *world = cluster_world_new();
    cluster_world_deploy(world, "web", "nginx", 1, ",'minReadySeconds':5");

    cluster_world_run(world, 4900);
    assert_int_equal(status(world, "status.readyReplicas"), 1);
    assert_int_equal(status(world, "status.availableReplicas"), 0);
    cluster_world_run(world, 200);

    assert_int_equal(status(world, "status.availableReplicas"), 1);
}

static void nothing_changes_when_all_is_well(void **state)
{
    (void)state;
    AUTO(cluster_world_destroy) cluster_world_t *world = cluster_world_new();
    cluster_world_deploy(world, "web", "nginx", 3, "");
    cluster_world_run(world, 1);
    uint64_t version = store_version(world->store);

    cluster_world_run(world, 3600 * 1000);

    assert_int_equal(store_version(world->store), version);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_deployment_gets_its_pods),
        cmocka_unit_test(names_are_those_of_a_real_cluster),
        cmocka_unit_test(a_finished_rollout_says_so),
        cmocka_unit_test(a_new_image_replaces_all_pods),
        cmocka_unit_test(a_broken_image_leaves_enough_of_the_old),
        cmocka_unit_test(a_single_replica_stays_until_its_successor_is_ready),
        cmocka_unit_test(a_stuck_rollout_times_out),
        cmocka_unit_test(going_back_takes_the_old_set_with_a_new_revision),
        cmocka_unit_test(old_sets_go_past_the_history_limit),
        cmocka_unit_test(a_paused_deployment_scales_but_does_not_roll),
        cmocka_unit_test(recreation_ends_the_old_before_the_new_begins),
        cmocka_unit_test(scaling_is_told_from_and_to),
        cmocka_unit_test(available_means_ready_for_long_enough),
        cmocka_unit_test(nothing_changes_when_all_is_well),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
