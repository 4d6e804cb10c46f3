/* Namespaces and garbage collection. */
#include "base/auto.h"
#include "services/cluster/env/object.h"

#include "tests/support/cluster_world.h"
#include "tests/support/test.h"

static void delete_web(cluster_world_t *world, const char *propagation)
{
    store_delete_t options = {.grace_seconds = -1, .propagation = propagation};
    assert_int_equal(
        store_delete(world->store, kind_find("Deployment"), "shop", "web", &options, NULL), 0);
}

static void a_namespace_is_furnished(void **state)
{
    (void)state;
    AUTO(cluster_world_destroy) cluster_world_t *world = cluster_world_new();

    assert_non_null(cluster_world_get(world, "ServiceAccount", "default"));
    const json_t *map = cluster_world_get(world, "ConfigMap", "kube-root-ca.crt");
    assert_string_equal(
        json_string_value(json_object_get(json_object_get(map, "data"), "ca.crt")), "CERTIFICATE");
}

static void its_furniture_comes_back(void **state)
{
    (void)state;
    AUTO(cluster_world_destroy) cluster_world_t *world = cluster_world_new();

    store_delete(world->store, kind_find("ServiceAccount"), "shop", "default", NULL, NULL);
    cluster_world_run(world, 1);

    assert_non_null(cluster_world_get(world, "ServiceAccount", "default"));
}

static void a_namespace_goes_with_all_that_is_in_it(void **state)
{
    (void)state;
    AUTO(cluster_world_destroy) cluster_world_t *world = cluster_world_new();
    cluster_world_deploy(world, "web", "nginx", 3, "");
    cluster_world_create(world, "Service",
        "{'metadata':{'name':'web'},'spec':{'selector':{'app':'web'},'ports':[{'port':80}]}}");
    cluster_world_run(world, 1);

    store_delete(world->store, kind_find("Namespace"), NULL, "shop", NULL, NULL);
    cluster_world_run(world, 1);

    assert_null(store_get(world->store, kind_find("Namespace"), NULL, "shop"));
    assert_int_equal(cluster_world_count(world, "Pod", NULL), 0);
    assert_int_equal(cluster_world_count(world, "ReplicaSet", NULL), 0);
    assert_int_equal(cluster_world_count(world, "Event", "shop"), 0);
    assert_non_null(store_get(world->store, kind_find("Namespace"), NULL, "default"));
}

static void a_namespace_waits_for_its_pods(void **state)
{
    (void)state;
    AUTO(cluster_world_destroy) cluster_world_t *world = cluster_world_new();
    cluster_world_deploy(world, "web", "nginx", 1, "");
    cluster_world_run(world, 1);
    store_watch_end(&world->kubelet);

    store_delete(world->store, kind_find("Namespace"), NULL, "shop", NULL, NULL);
    cluster_world_run(world, 60000);

    const json_t *namespace = store_get(world->store, kind_find("Namespace"), NULL, "shop");
    assert_string_equal(object_string(namespace, "status.phase"), "Terminating");
    store_remove(world->store, kind_find("Pod"), "shop",
        object_name(cluster_world_nth(world, "Pod", 0)), NULL);
    cluster_world_run(world, 1);
    assert_null(store_get(world->store, kind_find("Namespace"), NULL, "shop"));
}

static void what_an_object_owned_goes_after_it(void **state)
{
    (void)state;
    AUTO(cluster_world_destroy) cluster_world_t *world = cluster_world_new();
    cluster_world_deploy(world, "web", "nginx", 2, "");
    cluster_world_run(world, 1);

    delete_web(world, "Background");
    assert_null(cluster_world_get(world, "Deployment", "web"));
    cluster_world_run(world, 1);

    assert_int_equal(cluster_world_count(world, "ReplicaSet", "shop"), 0);
    assert_int_equal(cluster_world_count(world, "Pod", "shop"), 0);
}

static void in_the_foreground_the_owner_goes_last(void **state)
{
    (void)state;
    AUTO(cluster_world_destroy) cluster_world_t *world = cluster_world_new();
    cluster_world_deploy(world, "web", "nginx", 2, "");
    cluster_world_run(world, 1);
    store_watch_end(&world->kubelet);

    delete_web(world, "Foreground");
    cluster_world_run(world, 1000);

    assert_true(object_is_deleted(cluster_world_get(world, "Deployment", "web")));
    assert_true(object_is_deleted(cluster_world_nth(world, "ReplicaSet", 0)));
    assert_true(object_is_deleted(cluster_world_nth(world, "Pod", 0)));
    for (size_t i = 0; i < 2; i++)
        store_remove(world->store, kind_find("Pod"), "shop",
            object_name(cluster_world_nth(world, "Pod", 0)), NULL);
    cluster_world_run(world, 1);
    assert_int_equal(cluster_world_count(world, "ReplicaSet", "shop"), 0);
    assert_null(cluster_world_get(world, "Deployment", "web"));
}

static void orphans_stay(void **state)
{
    (void)state;
    AUTO(cluster_world_destroy) cluster_world_t *world = cluster_world_new();
    cluster_world_deploy(world, "web", "nginx", 2, "");
    cluster_world_run(world, 1);

    delete_web(world, "Orphan");
    cluster_world_run(world, 1);

    assert_int_equal(cluster_world_count(world, "ReplicaSet", "shop"), 1);
    assert_int_equal(cluster_world_count(world, "Pod", "shop"), 2);
}

static void an_object_whose_owner_never_was_goes(void **state)
{
    (void)state;
    AUTO(cluster_world_destroy) cluster_world_t *world = cluster_world_new();

    cluster_world_create(world, "ConfigMap",
        "{'metadata':{'name':'c','ownerReferences':[{'apiVersion':'apps/v1','kind':'Deployment',"
        "'name':'nobody','uid':'0'}]}}");
    cluster_world_run(world, 1);

    assert_null(cluster_world_get(world, "ConfigMap", "c"));
}

static const char ships[] =
    "{'metadata':{'name':'ships.sea.example.com'},'spec':{'group':'sea.example.com','scope':"
    "'Namespaced','names':{'plural':'ships','kind':'Ship'},'versions':[{'name':'v1','served':true,"
    "'storage':true,'schema':{'openAPIV3Schema':{'type':'object'}}}]}}";

static void make_ship(cluster_world_t *world, const char *finalizer)
{
    const kind_t *kind = store_find_type(world->store, "sea.example.com/v1", "Ship");
    json_t *object = json_pack("{s:{s:s, s:s, s:[s*]}}", "metadata", "name", "argo", "namespace",
        "shop", "finalizers", finalizer);
    assert_int_equal(store_create(world->store, kind, object, NULL, NULL), 0);
}

static void a_definition_goes_after_its_objects(void **state)
{
    (void)state;
    AUTO(cluster_world_destroy) cluster_world_t *world = cluster_world_new();
    const kind_t *definitions = kind_find("CustomResourceDefinition");
    cluster_world_create(world, "CustomResourceDefinition", ships);
    make_ship(world, "example.com/anchor");
    const kind_t *kind = store_custom(world->store, "ships.sea.example.com");

    store_delete(world->store, definitions, NULL, "ships.sea.example.com", NULL, NULL);
    cluster_world_run(world, 1);
    assert_non_null(store_get(world->store, definitions, NULL, "ships.sea.example.com"));
    store_remove(world->store, kind, "shop", "argo", NULL);
    cluster_world_run(world, 1);

    assert_null(store_get(world->store, definitions, NULL, "ships.sea.example.com"));
    assert_null(store_find_type(world->store, "sea.example.com/v1", "Ship"));
}

static void custom_objects_own_others_and_go_with_their_namespace(void **state)
{
    (void)state;
    AUTO(cluster_world_destroy) cluster_world_t *world = cluster_world_new();
    cluster_world_create(world, "CustomResourceDefinition", ships);
    make_ship(world, NULL);
    const kind_t *kind = store_custom(world->store, "ships.sea.example.com");
    json_t *owner = object_owner_reference(store_get(world->store, kind, "shop", "argo"));
    store_create(world->store, kind_find("ConfigMap"),
        json_pack("{s:{s:s, s:s, s:[o]}}", "metadata", "name", "cargo", "namespace", "shop",
            "ownerReferences", owner),
        NULL, NULL);
    cluster_world_run(world, 1);
    assert_non_null(cluster_world_get(world, "ConfigMap", "cargo"));

    store_delete(world->store, kind, "shop", "argo", NULL, NULL);
    cluster_world_run(world, 1);
    assert_null(cluster_world_get(world, "ConfigMap", "cargo"));

    make_ship(world, NULL);
    store_delete(world->store, kind_find("Namespace"), NULL, "shop", NULL, NULL);
    cluster_world_run(world, 1);
    assert_null(store_get(world->store, kind, "shop", "argo"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_namespace_is_furnished),
        cmocka_unit_test(its_furniture_comes_back),
        cmocka_unit_test(a_namespace_goes_with_all_that_is_in_it),
        cmocka_unit_test(a_namespace_waits_for_its_pods),
        cmocka_unit_test(what_an_object_owned_goes_after_it),
        cmocka_unit_test(in_the_foreground_the_owner_goes_last),
        cmocka_unit_test(orphans_stay),
        cmocka_unit_test(an_object_whose_owner_never_was_goes),
        cmocka_unit_test(a_definition_goes_after_its_objects),
        cmocka_unit_test(custom_objects_own_others_and_go_with_their_namespace),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
