/* Aggregated ClusterRoles. */
#include "base/auto.h"
#include "services/cluster/env/object.h"

#include "tests/support/cluster_world.h"
#include "tests/support/test.h"

static size_t rule_count(cluster_world_t *world, const char *role)
{
    cluster_world_run(world, 1);
    return json_array_size(
        json_object_get(store_get(world->store, kind_find("ClusterRole"), NULL, role), "rules"));
}

static void rules_follow_the_roles_that_are_gathered(void **state)
{
    (void)state;
    AUTO(cluster_world_destroy) cluster_world_t *world = cluster_world_new();
    cluster_world_create(world, "ClusterRole",
        "{'metadata':{'name':'all'},'aggregationRule':{'clusterRoleSelectors':[{'matchLabels':{"
        "'part':'yes'}}]},'rules':[{'verbs':['get'],'nonResourceURLs':['/mine']}]}");
    assert_int_equal(rule_count(world, "all"), 0);

    cluster_world_create(world, "ClusterRole",
        "{'metadata':{'name':'part','labels':{'part':'yes'}},'rules':[{'verbs':['get'],"
        "'nonResourceURLs':['/a']},{'verbs':['get'],'nonResourceURLs':['/b']}]}");
    assert_int_equal(rule_count(world, "all"), 2);

    store_delete(world->store, kind_find("ClusterRole"), NULL, "part", NULL, NULL);
    assert_int_equal(rule_count(world, "all"), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(rules_follow_the_roles_that_are_gathered)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
