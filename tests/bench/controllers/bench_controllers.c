/* How much processor time the controllers take for an application of 18 deployments and Services,
 * from apply to every pod ready, and to delete its namespace again. Median of RUNS. */
#include "base/auto.h"
#include "base/mem.h"

#include "tests/support/cluster_world.h"

#include <time.h>

enum { RUNS = 21, DEPLOYMENTS = 18 };

static double now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

static int compare(const void *left, const void *right)
{
    double a = *(const double *)left;
    double b = *(const double *)right;
    return a < b ? -1 : a > b;
}

static void apply(cluster_world_t *world)
{
    for (int i = 0; i < DEPLOYMENTS; i++) {
        AUTO_FREE char *name = xasprintf("service-%d", i);
        AUTO_FREE char *service =
            xasprintf("{'metadata':{'name':'%s'},'spec':{'selector':{'app':'%s'},"
                      "'ports':[{'port':80,'targetPort':'http'}]}}",
                name, name);
        cluster_world_create(world, "Service", service);
        cluster_world_deploy(world, name, "nginx", 1, "");
    }
}

static void run_once(double *up_ms, double *down_ms)
{
    AUTO(cluster_world_destroy) cluster_world_t *world = cluster_world_new();
    double start = now_ms();
    apply(world);
    cluster_world_run(world, 1);
    double up = now_ms();
    store_delete(world->store, kind_find("Namespace"), NULL, "shop", NULL, NULL);
    cluster_world_run(world, 1);
    *up_ms = up - start;
    *down_ms = now_ms() - up;
}

int main(void)
{
    double up[RUNS];
    double down[RUNS];
    for (int i = 0; i < RUNS; i++)
        run_once(&up[i], &down[i]);
    qsort(up, RUNS, sizeof(*up), compare);
    qsort(down, RUNS, sizeof(*down), compare);
    printf("%d deployments and services, up:   %.2f ms of processor time\n", DEPLOYMENTS,
        up[RUNS / 2]);
    printf("%d deployments and services, down: %.2f ms of processor time\n", DEPLOYMENTS,
        down[RUNS / 2]);
    return 0;
}
