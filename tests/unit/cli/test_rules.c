/* The heuristic agent's reading and judging, on what kubectl says of made-up applications. */
#include "base/auto.h"
#include "base/mem.h"
#include "cli/agents/rules.h"
#include "tests/support/test.h"

#include <string.h>

static const char shop[] = "Deployment|shop||1|1|maker/app:1\n"
                           "Deployment|cart||1|1|maker/app:1\n"
                           "Deployment|user||1|1|maker/app:1\n"
                           "Deployment|user-db||1|1|redis:7\n"
                           "ReplicaSet|cart-5d|cart|1|1|maker/app:1\n";

static const char all_well[] = "NAME              READY   STATUS    RESTARTS      AGE\n"
                               "shop-7c-a         1/1     Running   0             6s\n"
                               "cart-5d-b         1/1     Running   2 (10s ago)   6s\n"
                               "user-5d-c         1/1     Running   0             6s\n"
                               "user-db-5d-c      1/1     Running   0             6s\n";

static scene_t *scene_of(const char *workloads, const char *pods, const char *logs)
{
    scene_t *scene = xcalloc(1, sizeof(*scene));
    scene_read_workloads(scene, workloads);
    scene_read_pods(scene, pods);
    scene_read_logs(scene, logs);
    return scene;
}

static void expect_culprit(const scene_t *scene, const char *name, const char *type)
{
    const workload_t *culprit = rules_culprit(scene);
    assert_non_null(culprit);
    assert_string_equal(culprit->name, name);
    assert_string_equal(rules_verdict(scene, culprit)->fault_type, type);
}

static void a_healthy_application_has_no_culprit(void **state)
{
    (void)state;
    AUTO_FREE scene_t *scene = scene_of(shop, all_well,
        "[pod/user-5d-c/main] INF the user 'default' is disabled, which is no error\n");
    assert_null(rules_culprit(scene));
}

static void pods_belong_to_the_longest_name_that_fits(void **state)
{
    (void)state;
    AUTO_FREE scene_t *scene = scene_of(shop, all_well, "");
    assert_int_equal(scene_find(scene, "user", 4)->pods, 1);
    assert_int_equal(scene_find(scene, "user-db", 7)->pods, 1);
    assert_int_equal(scene_find(scene, "cart", 4)->restarts, 2);
}

static void the_innermost_address_in_errors_is_blamed(void **state)
{
    (void)state;
    AUTO_FREE scene_t *scene = scene_of(shop, all_well,
        "[pod/shop-7c-a/main] ERR rpc to cart (cart:80): rpc to user (user:81): refused\n"
        "[pod/shop-7c-a/main] ERR rpc to cart (cart:80): rpc to user (user:81): refused\n"
        "[pod/cart-5d-b/main] ERR rpc to user (user:81): refused\n");
    expect_culprit(scene, "user", "Network/Storage Issue");
}

static void a_new_image_weighs_more_than_what_suffers_from_it(void **state)
{
    (void)state;
    AUTO_FREE scene_t *scene = scene_of("Deployment|shop||1|1|maker/app:1\n"
                                        "Deployment|cart||2|1|maker/app:2\n"
                                        "ReplicaSet|cart-5d|cart|1|0|maker/app:1\n"
                                        "ReplicaSet|cart-7f|cart|2|1|maker/app:2\n",
        "shop-7c-a  0/1  CrashLoopBackOff  3  6s\n"
        "cart-5d-b  1/1  Running           0  6s\n",
        "");
    expect_culprit(scene, "cart", "Misconfiguration");
    AUTO_FREE char *command = rules_verdict(scene, scene_find(scene, "cart", 4))
                                  ->mend(scene, scene_find(scene, "cart", 4), "ns");
    assert_string_equal(command, "kubectl rollout undo deployment/cart -n ns");
}

static void an_image_unlike_its_siblings_is_told_by_them(void **state)
{
    (void)state;
    AUTO_FREE scene_t *scene = scene_of("Deployment|a||1|1|maker/app:1\n"
                                        "Deployment|b||1|1|maker/app:1\n"
                                        "Deployment|c||1|1|maker/app:1\n"
                                        "Deployment|d||1|1|maker/odd:1\n"
                                        "Deployment|db||1|1|redis:7\n",
        "d-7c-a  0/1  Error  3  6s\n", "");
    assert_string_equal(scene_sibling_image(scene, scene_find(scene, "d", 1)), "maker/app:1");
    assert_null(scene_sibling_image(scene, scene_find(scene, "a", 1)));
    expect_culprit(scene, "d", "Misconfiguration");
}

static void what_is_scaled_to_nothing_is_switched_on(void **state)
{
    (void)state;
    AUTO_FREE scene_t *scene = scene_of("Deployment|shop||1|0|maker/app:1\n", "", "");
    expect_culprit(scene, "shop", "Operation Error");
}

static void who_refuses_rights_is_an_authentication_issue(void **state)
{
    (void)state;
    AUTO_FREE scene_t *scene = scene_of(
        shop, all_well, "[pod/cart-5d-b/main] FTL WRONGPASS invalid username-password pair\n");
    expect_culprit(scene, "cart", "Authentication Issue");
}

static void failed_calls_count_for_what_they_call(void **state)
{
    (void)state;
    AUTO_FREE scene_t *scene = scene_of(shop, all_well, "");
    scene_read_spans(scene, "7 /user.User/Check\n1 /cart.Cart/Get\n");
    expect_culprit(scene, "user", "Network/Storage Issue");
}

static void errors_that_others_count_point_to_where_they_end(void **state)
{
    (void)state;
    AUTO_FREE scene_t *scene = scene_of(shop, all_well, "");
    scene_read_errors(scene,
        " timestamp       cmdb_id                                          kpi_name value\n"
        "1795528230 n1.shop-7c-a downstream_errors_total.peer=cart.reason=unavailable  37.0\n"
        "1795528230 n2.cart-5d-b downstream_errors_total.peer=user.reason=unavailable  37.0\n"
        "1795528231 n1.shop-7c-a downstream_errors_total.peer=cart.reason=unavailable  77.0\n"
        "1795528231 n2.cart-5d-b downstream_errors_total.peer=user.reason=unavailable  80.0\n");
    assert_true(scene_find(scene, "cart", 4)->failed_calls == 77.0);
    assert_true(scene_find(scene, "cart", 4)->own_failed_calls == 80.0);
    expect_culprit(scene, "user", "Network/Storage Issue");
}

static void a_few_errors_are_of_the_start(void **state)
{
    (void)state;
    AUTO_FREE scene_t *scene = scene_of(shop, all_well, "");
    scene_read_errors(scene, "1 n2.cart-5d-b downstream_errors_total.peer=user.reason=io 3.0\n");
    assert_null(rules_culprit(scene));
}

static void text_that_is_no_listing_adds_nothing(void **state)
{
    (void)state;
    AUTO_FREE scene_t *scene = scene_of(
        "[ERROR] Command execution failed\n||||\n|", "No resources found\n", "[pod/\n[pod/x]\n");
    scene_read_spans(scene, "-\n9\n");
    scene_read_errors(scene, "error: Metrics file 'x' not found.\n1 a b.peer= 9\n");
    scene_read_errors(scene, NULL);
    scene_read_logs(scene, NULL);
    assert_int_equal(scene->count, 0);
    assert_null(rules_culprit(scene));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_healthy_application_has_no_culprit),
        cmocka_unit_test(pods_belong_to_the_longest_name_that_fits),
        cmocka_unit_test(the_innermost_address_in_errors_is_blamed),
        cmocka_unit_test(a_new_image_weighs_more_than_what_suffers_from_it),
        cmocka_unit_test(an_image_unlike_its_siblings_is_told_by_them),
        cmocka_unit_test(what_is_scaled_to_nothing_is_switched_on),
        cmocka_unit_test(who_refuses_rights_is_an_authentication_issue),
        cmocka_unit_test(failed_calls_count_for_what_they_call),
        cmocka_unit_test(errors_that_others_count_point_to_where_they_end),
        cmocka_unit_test(a_few_errors_are_of_the_start),
        cmocka_unit_test(text_that_is_no_listing_adds_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
