#include "services/loadgen/pod.h"

#include "base/mem.h"

#include <sys/random.h>

void pod_name(char name_p[POD_NAME_SIZE])
{
    /* Kubernetes' alphabet for suffixes: nothing that could spell a word. */
    static const char letters[] = "bcdfghjklmnpqrstvwxz2456789";
    unsigned char bytes[5] = {0};
    (void)!getrandom(bytes, sizeof(bytes), 0); /* does not fail for so few */
    size_t used = (size_t)snprintf(name_p, POD_NAME_SIZE, "wrk2-job-");
    for (size_t i = 0; i < sizeof(bytes); i++)
        name_p[used++] = letters[bytes[i] % (sizeof(letters) - 1)];
    name_p[used] = '\0';
}

static json_t *arguments(const load_start_t *plan)
{
    const char *distribution = plan->distribution ? plan->distribution : "constant";
    return json_pack("[o, o, o, o, o, o, s]", json_sprintf("--rate=%g", plan->rate),
        json_sprintf("--duration=%g", (double)plan->duration_ms / 1000),
        json_sprintf("--connections=%lld", (long long)(plan->connections ? plan->connections : 2)),
        json_sprintf("--distribution=%s", distribution), json_sprintf("--mix=%s", plan->mix),
        json_sprintf("--seed=%lld", (long long)plan->seed), plan->url);
}

json_t *pod_manifest(const char *name, const load_start_t *plan)
{
    return mem_check(json_pack("{ss, ss, s{ss, ss, s{ss, ss}}, s{ss, si, s[{ss, ss, so}]}}",
        "apiVersion", "v1", "kind", "Pod", "metadata", "name", name, "namespace", POD_NAMESPACE,
        "labels", "job", "wrk2-job", "job-name", "wrk2-job", "spec", "restartPolicy", "Never",
        "terminationGracePeriodSeconds", POD_GRACE_S, "containers", "name", "wrk2-job", "image",
        "deathstarbench/wrk2-client:latest", "args", arguments(plan)));
}

static const char *phase_of(const json_t *pod)
{
    const char *phase = json_string_value(json_object_get(json_object_get(pod, "status"), "phase"));
    return phase ? phase : "Pending";
}

bool pod_is_over(const json_t *pod)
{
    const char *phase = phase_of(pod);
    return strcmp(phase, "Succeeded") == 0 || strcmp(phase, "Failed") == 0;
}

bool pod_has_log(const json_t *pod)
{
    return pod_is_over(pod) || strcmp(phase_of(pod), "Running") == 0;
}

char *pod_trouble(const json_t *pod)
{
    const json_t *statuses = json_object_get(json_object_get(pod, "status"), "containerStatuses");
    const json_t *state = json_object_get(json_array_get(statuses, 0), "state");
    const json_t *waiting = json_object_get(state, "waiting");
    const json_t *ended = json_object_get(state, "terminated");
    const json_t *told = waiting ? waiting : ended;
    const char *reason = json_string_value(json_object_get(told, "reason"));
    const char *message = json_string_value(json_object_get(told, "message"));
    if (ended)
        return xasprintf("%s, exit status %lld", reason ? reason : "ended",
            (long long)json_integer_value(json_object_get(ended, "exitCode")));
    return xasprintf(
        "%s%s%s", reason ? reason : phase_of(pod), message ? ": " : "", message ? message : "");
}
