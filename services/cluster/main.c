/* aiopslab-cluster */
#include "base/auto.h"
#include "base/mem.h"
#include "base/number.h"
#include "bus/service.h"
#include "services/cluster/cluster.h"

#include <limits.h>
#include <unistd.h>

typedef struct options {
    int64_t ready_timeout_ms;
    int64_t backoff_ms;
    int64_t backoff_max_ms;
} options_t;

enum { READY_TIMEOUT = 256, BACKOFF, BACKOFF_MAX }; /* without a letter: those are the bus's */

static const struct argp_option option_table[] = {
    {"ready-timeout", READY_TIMEOUT, "MS", 0,
        "How long an application may take to be ready (120000)", 0},
    {"backoff", BACKOFF, "MS", 0, "First CrashLoopBackOff (10000, as a real kubelet's)", 0},
    {"backoff-max", BACKOFF_MAX, "MS", 0, "Longest CrashLoopBackOff (300000)", 0},
    {0},
};

static bool parse_number(const char *value, int64_t *number_p, err_t *err)
{
    if (number_parse(value, 1, INT64_MAX / 2, number_p)) /* room to add it to a time */
        return true;
    err_set(err, ERR_INVALID, "'%s' is not a number of milliseconds", value);
    return false;
}

static bool parse_option(void *option_values, int key, const char *value, err_t *err)
{
    options_t *options = option_values;
    switch (key) {
    case READY_TIMEOUT:
        return parse_number(value, &options->ready_timeout_ms, err);
    case BACKOFF:
        return parse_number(value, &options->backoff_ms, err);
    case BACKOFF_MAX:
        return parse_number(value, &options->backoff_max_ms, err);
    default:
        return true;
    }
}

/* $AIOPSLAB_KUBECTL, else the first kubectl of PATH, behind its links; "" if there is none. */
static char *find_kubectl(void)
{
    const char *named = getenv("AIOPSLAB_KUBECTL");
    char resolved[PATH_MAX];
    if (named && *named)
        return xstrdup(realpath(named, resolved) ? resolved : named);
    const char *folder = getenv("PATH");
    for (size_t length; folder && *folder; folder += length + (folder[length] == ':')) {
        length = strcspn(folder, ":");
        AUTO_FREE char *path = xasprintf("%.*s/kubectl", (int)length, folder);
        if (access(path, X_OK) == 0 && realpath(path, resolved))
            return xstrdup(resolved);
    }
    return xstrdup("");
}

static void *open_cluster(const service_t *service, err_t *err)
{
    const options_t *options = service->options;
    AUTO_FREE char *program = xasprintf("%s/aiopslab-env", service->bin_dir);
    AUTO_FREE char *bundles = xasprintf("%s/../bundles", service->bin_dir);
    AUTO_FREE char *kubectl = find_kubectl();
    return cluster_new(service,
        &(cluster_config_t){.program = program,
            .bundles = bundles,
            .kubectl = kubectl,
            .ready_timeout_ms = options->ready_timeout_ms,
            .backoff_ms = options->backoff_ms,
            .backoff_max_ms = options->backoff_max_ms},
        err);
}

static void close_cluster(void **self_p)
{
    cluster_destroy((cluster_t **)self_p);
}

int main(int argc, char **argv)
{
    static options_t options = {.ready_timeout_ms = 120000};
    static const service_spec_t spec = {
        .name = "cluster",
        .summary = "Makes and ends environments: isolated Kubernetes clusters of real processes",
        .open = open_cluster,
        .close = close_cluster,
        .options = option_table,
        .option_values = &options,
        .parse_option = parse_option,
    };
    return service_main(argc, argv, &spec);
}
