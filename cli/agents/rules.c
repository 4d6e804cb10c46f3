#include "cli/agents/rules.h"

#include "base/auto.h"
#include "base/mem.h"

#include <string.h>

enum {
    NAMED_MIN = 3,  /* lines: one or two may be of a start */
    SPANS_MIN = 3,  /* likewise */
    CALLS_MIN = 10, /* likewise */
    DENIED_MIN = 1, /* a right does not come back by itself */
};

/* ---- conditions ---------------------------------------------------------------------------- */

static bool is_switched_off(const scene_t *scene, const workload_t *workload)
{
    (void)scene;
    return workload->replicas == 0;
}

static bool is_unscheduled(const scene_t *scene, const workload_t *workload)
{
    (void)scene;
    return workload->failing_pods && strcmp(workload->state, "Pending") == 0;
}

static bool is_without_image(const scene_t *scene, const workload_t *workload)
{
    (void)scene;
    return workload->failing_pods
           && (strstr(workload->state, "ImagePull") || strstr(workload->state, "InvalidImage"));
}

static bool is_failing(const scene_t *scene, const workload_t *workload)
{
    (void)scene;
    return workload->failing_pods > 0;
}

static bool is_changed(const scene_t *scene, const workload_t *workload)
{
    (void)scene;
    return workload->former_image[0] && workload->former_revision < workload->revision;
}

static bool is_odd_one_out(const scene_t *scene, const workload_t *workload)
{
    return scene_sibling_image(scene, workload);
}

static bool is_denied(const scene_t *scene, const workload_t *workload)
{
    (void)scene;
    return workload->own_denials >= DENIED_MIN;
}

static bool is_named(const scene_t *scene, const workload_t *workload)
{
    (void)scene;
    return workload->named >= NAMED_MIN;
}

static bool is_failing_calls(const scene_t *scene, const workload_t *workload)
{
    (void)scene;
    return workload->failed_spans >= SPANS_MIN;
}

/* Who fails because others fail counts as many errors of theirs. */
static bool is_where_calls_end(const scene_t *scene, const workload_t *workload)
{
    (void)scene;
    return workload->failed_calls >= CALLS_MIN
           && workload->own_failed_calls < workload->failed_calls / 2;
}

static bool is_restarted(const scene_t *scene, const workload_t *workload)
{
    (void)scene;
    return workload->restarts > 0;
}

/* ---- remedies ------------------------------------------------------------------------------ */

static char *undo(const scene_t *scene, const workload_t *workload, const char *namespace)
{
    (void)scene;
    return xasprintf("kubectl rollout undo deployment/%s -n %s", workload->name, namespace);
}

static char *take_sibling_image(
    const scene_t *scene, const workload_t *workload, const char *namespace)
{
    return xasprintf("kubectl set image deployment/%s '*=%s' -n %s", workload->name,
        scene_sibling_image(scene, workload), namespace);
}

static char *switch_on(const scene_t *scene, const workload_t *workload, const char *namespace)
{
    (void)scene;
    return xasprintf("kubectl scale deployment/%s --replicas=1 -n %s", workload->name, namespace);
}

static char *restart(const scene_t *scene, const workload_t *workload, const char *namespace)
{
    (void)scene;
    return xasprintf("kubectl rollout restart deployment/%s -n %s", workload->name, namespace);
}

/* ---- the table, heaviest first --------------------------------------------------------------- */

static const rule_t rules[] = {
    {"it is switched off", 6, true, is_switched_off, "Virtualization", "Operation Error",
        switch_on},
    {"its image is new", 5, false, is_changed, "Application", "Misconfiguration", undo},
    {"its image is another than its siblings'", 4, false, is_odd_one_out, "Application",
        "Misconfiguration", take_sibling_image},
    {"its image is not to be had", 4, true, is_without_image, "Virtualization", "Misconfiguration",
        undo},
    {"no node takes it", 4, true, is_unscheduled, "Virtualization", "Operation Error", undo},
    {"it is refused for want of rights", 4, true, is_denied, "Application", "Authentication Issue",
        restart},
    {"its pods fail", 3, true, is_failing, "Application", "Code Defect", restart},
    {"errors name it", 3, true, is_named, "Virtualization", "Network/Storage Issue", restart},
    {"its callers count errors that it does not", 3, true, is_where_calls_end, "Virtualization",
        "Network/Storage Issue", restart},
    {"calls to it fail", 2, true, is_failing_calls, "Virtualization", "Network/Storage Issue",
        restart},
    {"it was restarted", 1, false, is_restarted, "Application", "Code Defect", restart},
};

int rules_points(const scene_t *scene, const workload_t *workload)
{
    int points = 0;
    for (size_t i = 0; i < ARRAY_SIZE(rules); i++)
        points += rules[i].holds(scene, workload) ? rules[i].points : 0;
    return points;
}

bool rules_is_anomaly(const scene_t *scene)
{
    for (size_t i = 0; i < scene->count; i++) {
        for (size_t j = 0; j < ARRAY_SIZE(rules); j++) {
            if (rules[j].is_symptom && rules[j].holds(scene, &scene->workloads[i]))
                return true;
        }
    }
    return false;
}

const workload_t *rules_culprit(const scene_t *scene)
{
    const workload_t *culprit = NULL;
    int most = 0;
    if (!rules_is_anomaly(scene))
        return NULL;
    for (size_t i = 0; i < scene->count; i++) {
        int points = rules_points(scene, &scene->workloads[i]);
        if (points > most) {
            most = points;
            culprit = &scene->workloads[i];
        }
    }
    return culprit;
}

const rule_t *rules_verdict(const scene_t *scene, const workload_t *workload)
{
    for (size_t i = 0; i < ARRAY_SIZE(rules); i++) {
        if (rules[i].holds(scene, workload))
            return &rules[i];
    }
    return NULL;
}
