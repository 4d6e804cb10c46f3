/* bench_cluster [SECTION]...: what environments and pods cost in time and memory, beside runc from
 * Debian where it is installed. All sections without arguments. */
#include "base/auto.h"
#include "base/mem.h"
#include "tests/bench/cluster/lab.h"

#include <string.h>
#include <unistd.h>

enum {
    ROUNDS = 21,
    IDLE = 20,
    CROWD = 100,
    CROWD_PODS = 20,
    PATIENCE_MS = 30000,
    SETTLE_MS = 100, /* until a shell has set its trap, which it tells nobody */
};

/* ---- numbers --------------------------------------------------------------------------------- */

static int compare(const void *left, const void *right)
{
    double a = *(const double *)left;
    double b = *(const double *)right;
    return (a > b) - (a < b);
}

static double median(double *values, size_t count)
{
    qsort(values, count, sizeof(*values), compare);
    return values[count / 2];
}

static void print_ms(const char *what, double values[ROUNDS])
{
    double middle = median(values, ROUNDS);
    printf("%-52s %8.1f ms   (%.1f to %.1f)\n", what, middle, values[0], values[ROUNDS - 1]);
}

/* MemAvailable, MiB: what the machine as a whole has left, kernel memory included. */
static double available_memory(void)
{
    char line[128];
    double kilobytes = 0;
    FILE *file = fopen("/proc/meminfo", "re");
    while (file && fgets(line, sizeof(line), file)) {
        if (strncmp(line, "MemAvailable:", 13) == 0)
            kilobytes = strtod(line + 13, NULL);
    }
    if (file)
        fclose(file);
    return kilobytes / 1024;
}

/* ---- environments ---------------------------------------------------------------------------- */

static void measure_creation(lab_t *lab, const char *app, const char *what)
{
    double up[ROUNDS];
    double down[ROUNDS];
    for (int i = 0; i < ROUNDS; i++) {
        double start = lab_now_ms();
        lab_create(lab, app, 1);
        double middle = lab_now_ms();
        lab_delete(lab, 1);
        up[i] = middle - start;
        down[i] = lab_now_ms() - middle;
    }
    AUTO_FREE char *created = xasprintf("%s, asked for to ready", what);
    AUTO_FREE char *deleted = xasprintf("%s, deleted to gone", what);
    print_ms(created, up);
    print_ms(deleted, down);
}

static void measure_empty(lab_t *lab)
{
    measure_creation(lab, "", "empty environment");
}

static void measure_hotel(lab_t *lab)
{
    measure_creation(lab, "hotel-reservation", "environment with Hotel Reservation, 18 pods");
}

static void measure_idle(lab_t *lab)
{
    double before = available_memory();
    lab_create(lab, "", IDLE);
    printf("%-52s %8.1f MiB  (processes alone: %.1f)\n",
        "one idle environment's memory, kernel included", (before - available_memory()) / IDLE,
        lab_env_memory(lab) / IDLE);
    lab_delete(lab, IDLE);
}

static void measure_crowd(lab_t *lab)
{
    double before = available_memory();
    double start = lab_now_ms();
    lab_create(lab, "crowd", CROWD);
    double middle = lab_now_ms();
    double memory = (before - available_memory()) / CROWD;
    lab_delete(lab, CROWD);
    printf("%d environments of %d pods each %22s %8.2f s\n", CROWD, CROWD_PODS,
        "created:", (middle - start) / 1e3);
    printf("%52s %8.2f s\n", "destroyed:", (lab_now_ms() - middle) / 1e3);
    printf("%52s %8.1f MiB\n", "memory of each, kernel and pods included:", memory);
}

/* ---- pods ------------------------------------------------------------------------------------ */

static void check(int rc, const err_t *err)
{
    if (rc == 0)
        return;
    fprintf(stderr, "bench_cluster: %s\n", err->text);
    exit(EXIT_FAILURE);
}

static json_t *deployment(void)
{
    return json_pack("{s:s, s:s, s:{s:s, s:s}, s:{s:{s:{s:s}}, s:{s:{s:{s:s}}, s:{s:i, "
                     "s:[{s:s, s:s}]}}}}",
        "apiVersion", "apps/v1", "kind", "Deployment", "metadata", "name", "one", "namespace",
        "default", "spec", "selector", "matchLabels", "app", "one", "template", "metadata",
        "labels", "app", "one", "spec", "terminationGracePeriodSeconds", 30, "containers", "name",
        "main", "image", "bench/polite:1");
}

static void measure_deployment(lab_t *lab)
{
    double up[ROUNDS];
    double down[ROUNDS];
    err_t err = {0};
    kube_ref_t all = KUBE("Deployment", "default", NULL);
    lab_create(lab, "", 1);
    kube_t *kube = lab_kube(lab);
    json_auto_t *object = deployment();
    for (int i = 0; i < ROUNDS; i++) {
        double start = lab_now_ms();
        check(kube_call(kube, kube_create(object), NULL, &err), &err);
        check(kube_wait_call(kube, all, NULL, kube_deployments_are_ready, NULL, PATIENCE_MS, &err),
            &err);
        up[i] = lab_now_ms() - start;
        bus_stack_run_for(lab->stack, SETTLE_MS);
        start = lab_now_ms();
        check(kube_call(kube, kube_delete(KUBE("Deployment", "default", "one"), -1), NULL, &err),
            &err);
        check(kube_wait_call(kube, KUBE("Pod", "default", NULL), "app=one", kube_are_gone, NULL,
                  PATIENCE_MS, &err),
            &err);
        down[i] = lab_now_ms() - start;
    }
    print_ms("Deployment of one pod, apply to ready", up);
    print_ms("Deployment of one pod, delete to its pod gone", down);
    kube_destroy(&kube);
    lab_delete(lab, 1);
}

static bool has_ended(void *arg, const json_t *pods, err_t *why)
{
    const char *key;
    json_t *pod;
    (void)arg;
    (void)err_set(why, ERR_TIMEOUT, "the pod has not ended");
    json_object_foreach((json_t *)pods, key, pod)
    {
        const char *phase =
            json_string_value(json_object_get(json_object_get(pod, "status"), "phase"));
        return phase && strcmp(phase, "Succeeded") == 0;
    }
    return false;
}

/* A bundle for runc that runs true(1) of the distribution in a root of its own, as a pod has. */
static bool write_bundle(const char *folder)
{
    AUTO_FREE char *command =
        xasprintf("mkdir -p %s/rootfs/usr %s/rootfs/proc %s/rootfs/dev %s/rootfs/sys && cd %s && "
                  "ln -s usr/bin usr/lib usr/lib64 rootfs && runc spec 2>/dev/null && "
                  "sed -i -e 's/\"sh\"/\"true\"/' -e 's/\"terminal\": true/\"terminal\": false/' "
                  "-e 's#\"mounts\": \\[#&{\"destination\":\"/usr\",\"type\":\"bind\","
                  "\"source\":\"/usr\",\"options\":[\"bind\",\"ro\"]},#' config.json",
            folder, folder, folder, folder, folder);
    return system(command) == 0;
}

static void measure_runc(const lab_t *lab)
{
    double times[ROUNDS];
    AUTO_FREE char *folder = xasprintf("%s/runc", lab->stack->folder);
    AUTO_FREE char *command =
        xasprintf("runc --root %s/root run --bundle %s bench </dev/null", folder, folder);
    if (!write_bundle(folder)) {
        printf("%-52s not installed: no yardstick\n", "runc run of true(1)");
        return;
    }
    for (int i = 0; i < ROUNDS; i++) {
        double start = lab_now_ms();
        if (system(command) != 0) {
            printf("%-52s failed: no yardstick\n", "runc run of true(1)");
            return;
        }
        times[i] = lab_now_ms() - start;
    }
    print_ms("runc run of true(1), to its end", times);
}

static void measure_pod(lab_t *lab)
{
    double times[ROUNDS];
    err_t err = {0};
    lab_create(lab, "", 1);
    kube_t *kube = lab_kube(lab);
    json_auto_t *pod = json_pack("{s:s, s:s, s:{s:s, s:s}, s:{s:s, s:[{s:s, s:s}]}}", "apiVersion",
        "v1", "kind", "Pod", "metadata", "name", "once", "namespace", "default", "spec",
        "restartPolicy", "Never", "containers", "name", "main", "image", "bench/true:1");
    kube_ref_t once = KUBE("Pod", "default", "once");
    for (int i = 0; i < ROUNDS; i++) {
        double start = lab_now_ms();
        check(kube_call(kube, kube_create(pod), NULL, &err), &err);
        check(kube_wait_call(kube, once, NULL, has_ended, NULL, PATIENCE_MS, &err), &err);
        times[i] = lab_now_ms() - start;
        check(kube_call(kube, kube_delete(once, 0), NULL, &err), &err);
        check(kube_wait_call(kube, once, NULL, kube_are_gone, NULL, PATIENCE_MS, &err), &err);
    }
    print_ms("pod of true(1), created to Succeeded, by the API", times);
    kube_destroy(&kube);
    lab_delete(lab, 1);
    measure_runc(lab);
}

/* ---- sections -------------------------------------------------------------------------------- */

static const struct section {
    const char *name;
    void (*measure)(lab_t *lab);
} s_sections[] = {
    {"empty", measure_empty},
    {"idle", measure_idle},
    {"pod", measure_pod},
    {"deployment", measure_deployment},
    {"hotel", measure_hotel},
    {"crowd", measure_crowd},
};

static void run_section(lab_t *lab, const char *name)
{
    for (size_t i = 0; i < ARRAY_SIZE(s_sections); i++) {
        if (!name || strcmp(name, s_sections[i].name) == 0)
            s_sections[i].measure(lab);
    }
}

static bool is_section(const char *name)
{
    for (size_t i = 0; i < ARRAY_SIZE(s_sections); i++) {
        if (strcmp(name, s_sections[i].name) == 0)
            return true;
    }
    fprintf(stderr, "bench_cluster: no section '%s'; there are:", name);
    for (size_t i = 0; i < ARRAY_SIZE(s_sections); i++)
        fprintf(stderr, " %s", s_sections[i].name);
    fputc('\n', stderr);
    return false;
}

int main(int argc, char **argv)
{
    lab_play_cluster(argc, argv);
    for (int i = 1; i < argc; i++) {
        if (!is_section(argv[i]))
            return 2;
    }
    setvbuf(stdout, NULL, _IOLBF, 0);
    lab_t lab = {0};
    lab_start(&lab);
    if (argc == 1)
        run_section(&lab, NULL);
    for (int i = 1; i < argc; i++)
        run_section(&lab, argv[i]);
    lab_stop(&lab);
    return 0;
}
