/* Endpoints and EndpointSlices. */
#include "base/auto.h"
#include "services/cluster/env/object.h"

#include "tests/support/cluster_world.h"
#include "tests/support/test.h"

static json_t *subset(cluster_world_t *world)
{
    return json_array_get(
        json_object_get(cluster_world_get(world, "Endpoints", "web"), "subsets"), 0);
}

static void serve(cluster_world_t *world, const char *more)
{
    json_auto_t *text = json_sprintf("{'metadata':{'name':'web'},'spec':{'selector':{'app':'web'},"
                                     "'ports':[{'port':80,'targetPort':'http'}]%s}}",
        more);
    cluster_world_create(world, "Service", json_string_value(text));
}

static void ready_pods_are_behind_a_service(void **state)
{
    (void)state;
    AUTO(cluster_world_destroy) cluster_world_t *world = cluster_world_new();
    serve(world, "");
    cluster_world_deploy(world, "web", "nginx", 2, "");
    cluster_world_deploy(world, "other", "nginx", 1, "");

    cluster_world_run(world, 1);

    const json_t *addresses = json_object_get(subset(world), "addresses");
    assert_int_equal(json_array_size(addresses), 2);
    const json_t *port = json_array_get(json_object_get(subset(world), "ports"), 0);
    assert_int_equal(object_integer(port, "port", 0), 8080);
    assert_string_equal(object_string(json_array_get(addresses, 0), "targetRef.kind"), "Pod");
}

static void a_slice_says_the_same(void **state)
{
    (void)state;
    AUTO(cluster_world_destroy) cluster_world_t *world = cluster_world_new();
    serve(world, "");
    cluster_world_deploy(world, "web", "nginx", 2, "");

    cluster_world_run(world, 1);

    assert_int_equal(cluster_world_count(world, "EndpointSlice", "shop"), 1);
    const json_t *slice = cluster_world_nth(world, "EndpointSlice", 0);
    const json_t *endpoint = json_array_get(json_object_get(slice, "endpoints"), 0);
    assert_int_equal(json_array_size(json_object_get(slice, "endpoints")), 2);
    assert_true(object_is_true(endpoint, "conditions.ready"));
    assert_string_equal(object_label(slice, "kubernetes.io/service-name"), "web");
    assert_string_equal(object_string(object_controller(slice), "kind"), "Service");
}

static void a_pod_that_is_not_ready_gets_no_traffic(void **state)
{
    (void)state;
    AUTO(cluster_world_destroy) cluster_world_t *world = cluster_world_new();
    serve(world, "");
    cluster_world_deploy(world, "web", "nginx", 1, "");
    cluster_world_run(world, 1);

    cluster_world_change(world, "Pod", object_name(cluster_world_nth(world, "Pod", 0)),
        "{'status':{'conditions':[{'type':'Ready','status':'False'}]}}");
    cluster_world_run(world, 1);

    assert_null(json_object_get(subset(world), "addresses"));
    assert_int_equal(json_array_size(json_object_get(subset(world), "notReadyAddresses")), 1);
}

static void unless_the_service_does_not_mind(void **state)
{
    (void)state;
    AUTO(cluster_world_destroy) cluster_world_t *world = cluster_world_new();
    serve(world, ",'clusterIP':'None','publishNotReadyAddresses':true");
    cluster_world_deploy(world, "web", "nginx", 1, "");
    cluster_world_run(world, 1);

    cluster_world_change(world, "Pod", object_name(cluster_world_nth(world, "Pod", 0)),
        "{'status':{'conditions':[{'type':'Ready','status':'False'}]}}");
    cluster_world_run(world, 1);

    assert_int_equal(json_array_size(json_object_get(subset(world), "addresses")), 1);
    assert_non_null(object_label(
        cluster_world_get(world, "Endpoints", "web"), "service.kubernetes.io/headless"));
}

static void a_wrong_port_name_leaves_nobody(void **state)
{
    (void)state;
    AUTO(cluster_world_destroy) cluster_world_t *world = cluster_world_new();
    serve(world, "");
    cluster_world_deploy(world, "web", "nginx", 1, "");
    cluster_world_run(world, 1);

    cluster_world_change(world, "Service", "web",
        "{'spec':{'ports':[{'port':80,'targetPort':'htpp','protocol':'TCP'}]}}");
    cluster_world_run(world, 1);

    assert_non_null(cluster_world_get(world, "Endpoints", "web"));
    assert_null(subset(world));
}

static void a_selector_that_fits_nobody_empties_the_service(void **state)
{
    (void)state;
    AUTO(cluster_world_destroy) cluster_world_t *world = cluster_world_new();
    serve(world, "");
    cluster_world_deploy(world, "web", "nginx", 1, "");
    cluster_world_run(world, 1);

    cluster_world_change(world, "Service", "web", "{'spec':{'selector':{'app':'wrong'}}}");
    cluster_world_run(world, 1);

    assert_null(subset(world));
    assert_int_equal(
        json_array_size(json_object_get(cluster_world_nth(world, "EndpointSlice", 0), "endpoints")),
        0);
}

static void they_go_with_their_service(void **state)
{
    (void)state;
    AUTO(cluster_world_destroy) cluster_world_t *world = cluster_world_new();
    serve(world, "");
    cluster_world_run(world, 1);

    store_delete(world->store, kind_find("Service"), "shop", "web", NULL, NULL);
    cluster_world_run(world, 1);

    assert_int_equal(cluster_world_count(world, "Endpoints", "shop"), 0);
    assert_int_equal(cluster_world_count(world, "EndpointSlice", "shop"), 0);
}

static void a_pod_of_a_headless_service_has_a_name_of_its_own(void **state)
{
    (void)state;
    AUTO(cluster_world_destroy) cluster_world_t *world = cluster_world_new();
    cluster_world_create(world, "Service",
        "{'metadata':{'name':'db'},'spec':{'clusterIP':'None','selector':{'app':'db'},"
        "'ports':[{'port':6379}]}}");
    cluster_world_create(world, "StatefulSet",
        "{'metadata':{'name':'db'},'spec':{'replicas':1,'serviceName':'db',"
        "'selector':{'matchLabels':{'app':'db'}},'template':{'metadata':{'labels':{'app':'db'}},"
        "'spec':{'containers':[{'name':'c','image':'redis'}]}}}}");
    cluster_world_run(world, 10);

    const json_t *endpoints = cluster_world_get(world, "Endpoints", "db");
    const json_t *slice = cluster_world_nth(world, "EndpointSlice", 0);
    const json_t *subset = json_array_get(json_object_get(endpoints, "subsets"), 0);
    assert_string_equal(
        object_string(json_array_get(json_object_get(subset, "addresses"), 0), "hostname"), "db-0");
    assert_string_equal(
        object_string(json_array_get(json_object_get(slice, "endpoints"), 0), "hostname"), "db-0");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ready_pods_are_behind_a_service),
        cmocka_unit_test(a_slice_says_the_same),
        cmocka_unit_test(a_pod_that_is_not_ready_gets_no_traffic),
        cmocka_unit_test(unless_the_service_does_not_mind),
        cmocka_unit_test(a_wrong_port_name_leaves_nobody),
        cmocka_unit_test(a_selector_that_fits_nobody_empties_the_service),
        cmocka_unit_test(they_go_with_their_service),
        cmocka_unit_test(a_pod_of_a_headless_service_has_a_name_of_its_own),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
