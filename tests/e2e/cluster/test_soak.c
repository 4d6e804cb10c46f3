/* Ten thousand pods and some hundred environments, and what is left of them: nothing.
 *
 * AIOPSLAB_SOAK is how many hundredths of that are tried: 10 for a quick look. */
#include "tests/e2e/cluster/census.h"
#include "tests/e2e/cluster/churn.h"

#include "base/auto.h"
#include "base/mem.h"

#include <stdlib.h>
#include <unistd.h>

enum {
    PODS = 20,
    WARM_ROUNDS = 100, /* caches and tables have their size */
    ROUNDS = 400,
    WARM_ENVS = 30,
    ENVS = 300,
    SHOP_EVERY = 10,
    MORE_KIB = 512, /* what an allocator may take and lose: less than 100 bytes for each pod */
};

static char s_prefix[32];

static int part_of(int whole)
{
    const char *hundredths = getenv("AIOPSLAB_SOAK");
    return hundredths ? whole * atoi(hundredths) / 100 : whole;
}

static void expect_nothing_left(world_t *self, const census_t *before, census_fn *take)
{
    census_t after;
    census_await(self, before, take);
    take(self, &after);
    print_message("%ld KiB, then %ld KiB\n", before->kib, after.kib);
    assert_in_range(after.kib, 0, before->kib + MORE_KIB);
}

static void ten_thousand_pods_leave_nothing(void **state)
{
    world_t *self = *state;
    census_t before;
    assert_int_equal(world_create(self, NULL, "shop"), 0);
    churn_begin(self);
    for (int i = 0; i < part_of(WARM_ROUNDS); i++)
        churn_round(self, PODS);
    census_take_env(self, &before);
    for (int i = 0; i < part_of(ROUNDS); i++)
        churn_round(self, PODS);
    expect_nothing_left(self, &before, census_take_env);
    world_delete(self);
}

static void take_service(world_t *self, census_t *census)
{
    census_take_service(self, s_prefix, census);
}

static void pass(world_t *self, int number)
{
    AUTO_FREE char *id = xasprintf("%s%d", s_prefix, number);
    assert_int_equal(world_create(self, id, number % SHOP_EVERY ? "" : "shop"), 0);
    world_delete(self);
}

static void hundreds_of_environments_leave_nothing(void **state)
{
    world_t *self = *state;
    census_t before;
    snprintf(s_prefix, sizeof(s_prefix), "soak%d-", (int)getpid());
    for (int i = 0; i < WARM_ENVS; i++)
        pass(self, i);
    take_service(self, &before);
    for (int i = 0; i < part_of(ENVS); i++)
        pass(self, WARM_ENVS + i);
    expect_nothing_left(self, &before, take_service);
}

static int run(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ten_thousand_pods_leave_nothing),
        cmocka_unit_test(hundreds_of_environments_leave_nothing),
    };
    return cmocka_run_group_tests(tests, world_set_up_empty, world_tear_down);
}

int main(int argc, char **argv)
{
    return world_main(argc, argv, run);
}
