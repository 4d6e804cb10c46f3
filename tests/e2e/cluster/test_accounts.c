/* Pods as users of the API: each asks with the token of its ServiceAccount. */
#include "tests/e2e/cluster/world.h"

#include "base/auto.h"

/* Asks the API server as a program in a pod does. */
#define ASK(path)                                                                                  \
    "cd /var/run/secrets/kubernetes.io/serviceaccount; cat namespace; echo; curl -s --cacert "     \
    "ca.crt -H \\\"Authorization: Bearer $(cat token)\\\" https://kubernetes.default.svc" path

static void a_pod_asks_as_its_account(void **state)
{
    world_t *world = *state;
    world_run(
        world, "asker", ASK("/api/v1/namespaces/test-shop/pods"), "", "'restartPolicy': 'Never',");
    world_await(world, "Pod", "asker", "status.phase", "Succeeded");
    AUTO_FREE char *log = world_log(world, "asker", false);
    expect_in(log, "test-shop\n");
    expect_in(log,
        "pods is forbidden: User \\\"system:serviceaccount:test-shop:default\\\" cannot "
        "list resource \\\"pods\\\" in API group \\\"\\\" in the namespace \\\"test-shop\\\"");
}

static void a_role_lets_it(void **state)
{
    world_t *world = *state;
    AUTO_FREE char *account = world_kubectl(world, "create sa reader", NULL);
    AUTO_FREE char *binding = world_kubectl(world,
        "create rolebinding readers --clusterrole=view --serviceaccount=test-shop:reader", NULL);
    world_run(world, "reader", ASK("/api/v1/namespaces/test-shop/pods"), "",
        "'restartPolicy': 'Never', 'serviceAccountName': 'reader',");
    world_await(world, "Pod", "reader", "status.phase", "Succeeded");
    AUTO_FREE char *log = world_log(world, "reader", false);
    expect_in(log, "\"kind\":\"PodList\"");
}

static void who_wants_no_token_gets_none(void **state)
{
    world_t *world = *state;
    world_run(world, "plain", "ls /var/run/secrets || echo none", "",
        "'restartPolicy': 'Never', 'automountServiceAccountToken': false,");
    world_await(world, "Pod", "plain", "status.phase", "Succeeded");
    AUTO_FREE char *log = world_log(world, "plain", false);
    expect_in(log, "none\n");
}

static void without_its_account_no_pod_is_made(void **state)
{
    int status = 0;
    AUTO_FREE char *text = world_kubectl(*state,
        "run x --image=shop/shell:1 "
        "--overrides={\\\"spec\\\":{\\\"serviceAccountName\\\":\\\"no\\\"}}",
        &status);
    expect_in(text, "pods \"x\" is forbidden: error looking up service account test-shop/no: "
                    "serviceaccount \"no\" not found");
}

static void a_description_tells_of_the_token(void **state)
{
    AUTO_FREE char *text = world_kubectl(*state, "describe pods -l app=web", NULL);
    expect_in(text, "/var/run/secrets/kubernetes.io/serviceaccount from kube-api-access-");
    expect_in(text, "Projected (a volume that contains injected data from multiple sources)");
    expect_in(text, "TokenExpirationSeconds:  3607");
}

/* ---- the agent --------------------------------------------------------------------------------
 */

static void the_agent_is_an_administrator(void **state)
{
    const env_exec_result_t *result =
        world_exec(*state, "kubectl auth can-i '*' '*'; kubectl auth whoami", 20000);
    expect_in(result->output, "yes\n");
    expect_in(result->output, "kubernetes-admin");
    expect_in(result->output, "[kubeadm:cluster-admins system:authenticated]");
}

static int run(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_pod_asks_as_its_account),
        cmocka_unit_test(a_role_lets_it),
        cmocka_unit_test(who_wants_no_token_gets_none),
        cmocka_unit_test(without_its_account_no_pod_is_made),
        cmocka_unit_test(a_description_tells_of_the_token),
        cmocka_unit_test(the_agent_is_an_administrator),
    };
    return cmocka_run_group_tests(tests, world_set_up, world_tear_down);
}

int main(int argc, char **argv)
{
    return world_main(argc, argv, run);
}
