/* Workloads through their lives, as an operator sees them with kubectl. */
#include "tests/e2e/cluster/world.h"

#include "base/auto.h"
#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

enum { SKIPPED = 77 };

#define TIMEOUT " --timeout=60s"

static void expect_kubectl(world_t *world, const char *arguments, const char *part)
{
    AUTO_FREE char *text = world_kubectl(world, arguments, NULL);
    expect_in(text, part);
}

/* ---- stateful sets ------------------------------------------------------------------------ */

static void a_stateful_set_has_pods_with_names(void **state)
{
    world_t *world = *state;
    expect_kubectl(world, "rollout status sts/db" TIMEOUT, "2 new pods have been updated");
    expect_kubectl(world, "get sts db", "2/2");
    expect_kubectl(world, "get pods -l apps.kubernetes.io/pod-index=1", "db-1");
    expect_in(world_exec(world, "curl -s http://db-1.db.test-shop:8080/", 10000)->output,
        "hello from db-1");
}

static void a_stateful_set_rolls_and_goes_back(void **state)
{
    world_t *world = *state;
    expect_kubectl(world, "set image sts/db db=shop/web:2", "image updated");
    expect_kubectl(world, "rollout status sts/db" TIMEOUT, "2 new pods have been updated");
    expect_kubectl(world, "rollout history sts/db", "2         <none>");
    expect_kubectl(world, "rollout undo sts/db", "rolled back");
    expect_kubectl(world, "rollout status sts/db" TIMEOUT, "2 new pods have been updated");
    expect_kubectl(world, "get sts db -o wide", "shop/web:1");
}

static void a_stateful_set_shrinks_from_its_end(void **state)
{
    world_t *world = *state;
    expect_kubectl(world, "scale sts/db --replicas=1", "scaled");
    world_await(world, "StatefulSet", "db", "status.replicas", "1");
    expect_kubectl(world, "get pods -l app=db -o name", "pod/db-0\n");
    expect_kubectl(world, "get pvc data-db-1", "Bound");
    expect_kubectl(world, "describe sts db", "delete Pod db-1 in StatefulSet db successful");
}

/* ---- daemon sets -------------------------------------------------------------------------- */

static void a_daemon_set_runs_on_every_worker(void **state)
{
    world_t *world = *state;
    expect_kubectl(world, "rollout status ds/agent" TIMEOUT, "successfully rolled out");
    expect_kubectl(world, "get ds agent", "agent   2         2         2       2            2");
    expect_kubectl(world, "rollout restart ds/agent", "restarted");
    expect_kubectl(world, "rollout status ds/agent" TIMEOUT, "successfully rolled out");
    expect_kubectl(world, "rollout history ds/agent", "2         <none>");
}

/* ---- jobs --------------------------------------------------------------------------------- */

static void a_job_does_each_index_once(void **state)
{
    world_t *world = *state;
    expect_kubectl(world, "wait --for=condition=complete job/count" TIMEOUT, "condition met");
    expect_kubectl(world, "get job count", "Complete   3/3");
    expect_kubectl(world, "logs -l job-name=count", "index 2 on count-2");
    expect_kubectl(world, "describe job count", "Job completed");
}

static void a_job_that_fails_says_so(void **state)
{
    world_t *world = *state;
    expect_kubectl(world, "wait --for=condition=failed job/fail" TIMEOUT, "condition met");
    expect_kubectl(world, "describe job fail", "Job has reached the specified backoff limit");
}

static void a_cron_job_is_run_by_hand(void **state)
{
    world_t *world = *state;
    expect_kubectl(world, "create job now --from=cronjob/nightly", "created");
    expect_kubectl(world, "wait --for=condition=complete job/now" TIMEOUT, "condition met");
    expect_kubectl(world, "get cronjob nightly", "0 3 1 1 *");
}

/* ---- disruption --------------------------------------------------------------------------- */

static void a_budget_holds_a_drain_up_until_it_allows_it(void **state)
{
    static const char drain[] = "drain kind-worker --ignore-daemonsets --force "
                                "--delete-emptydir-data --timeout=";
    world_t *world = *state;
    int status = 0;
    AUTO_FREE char *first = xasprintf("%s2s", drain);
    AUTO_FREE char *second = xasprintf("%s60s", drain);
    AUTO_FREE char *refused = world_kubectl(world, first, &status);
    expect_in(refused, "Cannot evict pod as it would violate the pod's disruption budget.");
    assert_int_not_equal(status, 0);
    expect_kubectl(world, "delete pdb web", "deleted");
    expect_kubectl(world, second, "drained");
    expect_kubectl(world, "uncordon kind-worker", "uncordoned");
    expect_kubectl(world, "rollout status deploy/web" TIMEOUT, "successfully rolled out");
}

/* ---- scaling by use ----------------------------------------------------------------------- */

static void what_pods_use_is_shown(void **state)
{
    world_t *world = *state;
    expect_kubectl(world, "top nodes", "kind-worker2");
    expect_kubectl(world, "top pods -l app=web", "Mi");
}

static void a_deployment_is_scaled_by_its_use(void **state)
{
    world_t *world = *state;
    expect_kubectl(world, "autoscale deploy web --min=3 --max=4 --cpu-percent=80", "autoscaled");
    world_await(world, "Deployment", "web", "status.readyReplicas", "3");
    expect_kubectl(world, "describe hpa web",
        "New size: 3; reason: Current number of replicas below Spec.MinReplicas");
    expect_kubectl(world, "get hpa web", "Deployment/web");
}

/* ---- life --------------------------------------------------------------------------------- */

static int set_up(void **state)
{
    if (world_set_up(state) < 0)
        return -1;
    AUTO_FREE char *apply =
        xasprintf("apply -f '%s/tests/e2e/cluster/data/workloads.yaml'", getenv("AIOPSLAB_SRC"));
    AUTO_FREE char *text = world_kubectl(*state, apply, NULL);
    return 0;
}

static int run(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_stateful_set_has_pods_with_names),
        cmocka_unit_test(a_stateful_set_rolls_and_goes_back),
        cmocka_unit_test(a_stateful_set_shrinks_from_its_end),
        cmocka_unit_test(a_daemon_set_runs_on_every_worker),
        cmocka_unit_test(a_job_does_each_index_once),
        cmocka_unit_test(a_job_that_fails_says_so),
        cmocka_unit_test(a_cron_job_is_run_by_hand),
        cmocka_unit_test(a_budget_holds_a_drain_up_until_it_allows_it),
        cmocka_unit_test(what_pods_use_is_shown),
        cmocka_unit_test(a_deployment_is_scaled_by_its_use),
    };
    if (system("kubectl version --client >/dev/null 2>&1") != 0)
        return SKIPPED;
    return cmocka_run_group_tests(tests, set_up, world_tear_down);
}

int main(int argc, char **argv)
{
    return world_main(argc, argv, run);
}
