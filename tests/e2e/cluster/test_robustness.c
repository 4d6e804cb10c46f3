/* Pods that misbehave, and who must not notice. */
#include "tests/e2e/cluster/census.h"
#include "tests/e2e/cluster/churn.h"
#include "tests/e2e/cluster/world.h"

#include "base/auto.h"
#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

enum { FEW_KIB = 200 * 1024, PIDS_MOST = 512, PODS = 20, ROUNDS = 5 };

static void remove_at_once(world_t *self, const char *name)
{
    assert_int_equal(
        kube_call(self->kube, kube_delete(KUBE("Pod", self->namespace, name), 0), NULL, NULL), 0);
    world_await_gone(self, "Pod", name);
}

/* A neighbour starts, works and ends as ever. */
static void expect_calm(world_t *self, const char *name)
{
    world_run(self, name, "echo calm > /tmp/x; cat /tmp/x", "",
        "'nodeName': 'kind-worker', 'restartPolicy': 'Never',");
    world_await(self, "Pod", name, "status.phase", "Succeeded");
    AUTO_FREE char *log = world_log(self, name, false);
    assert_string_equal(log, "calm\n");
    remove_at_once(self, name);
}

static bool has_cgroups(const world_t *self)
{
    return strchr(json_string_value(json_object_get(self->features, "cgroups")), 'v') != NULL;
}

static long threads_of(world_t *self, const char *pod)
{
    AUTO_FREE char *text = NULL;
    AUTO_FREE char *tail = xasprintf("pod=\"%s\"", pod);
    assert_int_equal(kube_call_text(self->kube, kube_node_proxy("kind-worker", "/metrics/cadvisor"),
                         &text, NULL),
        0);
    char *rest = text;
    for (char *line = strtok_r(rest, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
        if (strncmp(line, "container_threads{", 18) == 0 && strstr(line, tail))
            return strtol(strstr(line, "} ") + 2, NULL, 10);
    }
    return -1;
}

static void a_pod_that_forks_without_end_meets_its_limit(void **state)
{
    world_t *self = *state;
    if (!has_cgroups(self)) /* what env.info tells as degraded */
        skip();
    world_run(self, "bomb", "while :; do sleep 1000 & done", "", "'nodeName': 'kind-worker',");
    world_await(self, "Pod", "bomb", "status.phase", "Running");
    expect_calm(self, "calm-beside-bomb");
    assert_in_range(threads_of(self, "bomb"), 1, PIDS_MOST);
    remove_at_once(self, "bomb");
}

static void a_pod_that_fills_its_disk_fills_only_its_own(void **state)
{
    world_t *self = *state;
    world_run(self, "filler",
        "head -c 1000000000 /dev/zero > /tmp/x; head -c 9000000 /dev/zero > /e/x; "
        "head -c 99000000 /dev/zero > /dev/termination-log; echo full; sleep 1000",
        "'volumeMounts': [{'name': 'e', 'mountPath': '/e'}],",
        "'nodeName': 'kind-worker', 'volumes': [{'name': 'e', 'emptyDir': {'medium': 'Memory', "
        "'sizeLimit': '4Mi'}}],");
    world_await(self, "Pod", "filler", "status.phase", "Running");
    expect_calm(self, "calm-beside-filler");
    world_await_log(self, "filler", "full\n");
    AUTO_FREE char *log = world_log(self, "filler", false);
    expect_in(log, "No space left on device");
    remove_at_once(self, "filler");
}

static long resident_kib(world_t *self)
{
    char line[256];
    AUTO_FREE char *path = xasprintf("/proc/%d/status", (int)world_env_pid(self));
    FILE *file = fopen(path, "re");
    assert_non_null(file);
    long kib = 0;
    while (fgets(line, sizeof(line), file)) {
        if (strncmp(line, "VmRSS:", 6) == 0)
            kib = strtol(line + 6, NULL, 10);
    }
    fclose(file);
    return kib;
}

static void a_pod_that_floods_its_log_loses_its_own_lines(void **state)
{
    world_t *self = *state;
    world_run(self, "flood", "yes this is a line that says nothing at all", "",
        "'nodeName': 'kind-worker',");
    world_await(self, "Pod", "flood", "status.phase", "Running");
    expect_calm(self, "calm-beside-flood");
    bus_stack_run_for(self->stack, 1000);
    AUTO_FREE char *log = world_log(self, "flood", false);
    assert_in_range(strlen(log), 1, 2 << 20);
    assert_in_range(resident_kib(self), 1, FEW_KIB);
    remove_at_once(self, "flood");
}

/* test_soak.c does the same for ten thousand. */
static void a_hundred_pods_leave_nothing(void **state)
{
    world_t *self = *state;
    census_t before;
    churn_begin(self);
    churn_round(self, PODS); /* what is made at first use is there */
    census_take_env(self, &before);
    for (int i = 0; i < ROUNDS; i++)
        churn_round(self, PODS);
    census_await(self, &before, census_take_env);
}

static void an_agent_fills_its_own_home_only(void **state)
{
    world_t *self = *state;
    const env_exec_result_t *result = world_exec(self,
        "head -c 60000000 /dev/zero > ~/a; cat ~/a ~/a ~/a ~/a ~/a > ~/b; rm ~/a ~/b; echo ok > "
        "~/c; "
        "cat ~/c",
        60000);
    expect_in(result->output, "ok\n");
}

static void an_agent_has_no_way_into_the_kernel(void **state)
{
    world_t *self = *state;
    const env_exec_result_t *result = world_exec(self,
        "unshare -U true; mount -t tmpfs x /tmp; grep -E \"^(CapEff|Seccomp):\" /proc/self/status; "
        "wc -c < /proc/keys",
        20000);
    expect_in(result->output, "unshare: unshare failed: Operation not permitted");
    expect_in(result->output, "CapEff:\t0000000000000000");
    expect_in(result->output, "Seccomp:\t2");
    expect_in(result->output, "\n0\n");
}

static int run(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_pod_that_forks_without_end_meets_its_limit),
        cmocka_unit_test(a_pod_that_fills_its_disk_fills_only_its_own),
        cmocka_unit_test(a_pod_that_floods_its_log_loses_its_own_lines),
        cmocka_unit_test(a_hundred_pods_leave_nothing),
        cmocka_unit_test(an_agent_fills_its_own_home_only),
        cmocka_unit_test(an_agent_has_no_way_into_the_kernel),
    };
    return cmocka_run_group_tests(tests, world_set_up, world_tear_down);
}

int main(int argc, char **argv)
{
    return world_main(argc, argv, run);
}
