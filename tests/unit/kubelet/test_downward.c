/* What a pod may know about itself. */
#include "services/cluster/env/kubelet/downward.h"

#include "base/auto.h"
#include "services/cluster/env/object.h"

#include "tests/support/test.h"

typedef struct world {
    ev_t *ev;
    store_t *store;
    json_t *pod;
    downward_t downward;
} world_t;

static int set_up(void **state)
{
    world_t *self = calloc(1, sizeof(*self));
    self->ev = ev_sim_new();
    self->store = store_new(self->ev, 1);
    assert_int_equal(store_create(self->store, kind_find("Node"),
                         json_pack("{s:{s:s}, s:{s:{s:s, s:s}}}", "metadata", "name", "n1",
                             "status", "allocatable", "cpu", "4", "memory", "8Gi"),
                         NULL, NULL),
        0);
    self->pod = json_pack("{s:{s:s, s:{s:s, s:s}}, s:{s:s, s:[{s:s, s:{s:{s:s}}}]}}", "metadata",
        "name", "p", "labels", "b", "2", "a", "say \"hi\"", "spec", "nodeName", "n1", "containers",
        "name", "c", "resources", "limits", "cpu", "1500m");
    self->downward = (downward_t){
        .store = self->store, .pod = self->pod, .pod_ip = "10.244.0.2", .host_ip = "172.18.0.2"};
    *state = self;
    return 0;
}

static int tear_down(void **state)
{
    world_t *self = *state;
    json_decref(self->pod);
    store_destroy(&self->store);
    ev_destroy(&self->ev);
    free(self);
    return 0;
}

static void expect_field(world_t *self, const char *path, const char *expected)
{
    AUTO_FREE char *text = downward_field(&self->downward, path);
    assert_string_equal(text, expected);
}

static void expect_resource(
    world_t *self, const char *resource, const char *divisor, const char *expected)
{
    json_auto_t *reference = json_pack(
        "{s:s, s:s, s:s}", "containerName", "c", "resource", resource, "divisor", divisor);
    AUTO_FREE char *text = downward_resource(&self->downward, reference, NULL);
    assert_string_equal(text, expected);
}

static void fields_are_text(void **state)
{
    expect_field(*state, "metadata.name", "p");
    expect_field(*state, "metadata.labels['b']", "2");
    expect_field(*state, "metadata.labels['none']", "");
    expect_field(*state, "metadata.labels", "a=\"say \\\"hi\\\"\"\nb=\"2\"");
    expect_field(*state, "status.podIP", "10.244.0.2");
    expect_field(*state, "status.hostIP", "172.18.0.2");
}

static void resources_are_in_units_of_the_divisor(void **state)
{
    expect_resource(*state, "limits.cpu", "0", "2");
    expect_resource(*state, "limits.cpu", "1m", "1500");
    expect_resource(*state, "requests.memory", "1", "0");
}

static void without_limit_it_is_what_the_node_has(void **state)
{
    expect_resource(*state, "limits.memory", "1Gi", "8");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(fields_are_text, set_up, tear_down),
        cmocka_unit_test_setup_teardown(resources_are_in_units_of_the_divisor, set_up, tear_down),
        cmocka_unit_test_setup_teardown(without_limit_it_is_what_the_node_has, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
