/* heuristic: what an operator looks at first, by rules (rules.c): pods, images and their history,
 * logs, metrics, traces. Knows nothing of any application or problem. */
#include "base/auto.h"
#include "base/mem.h"
#include "cli/agents/agent.h"
#include "cli/agents/rules.h"

#include <string.h>

enum { LOOKS_MAX = 2 /* before all is believed to be well */ };

/* ---- looking ------------------------------------------------------------------------------- */

static void look_at_workloads(seat_t *seat, scene_t *scene)
{
    const char *listing = seat_shell(seat,
        "kubectl get deployments,replicasets -n %s -o jsonpath='{range .items[*]}"
        "{.kind}|{.metadata.name}|{.metadata.ownerReferences[0].name}|"
        "{.metadata.annotations.deployment\\.kubernetes\\.io/revision}|{.spec.replicas}|"
        "{.spec.template.spec.containers[0].image}{\"\\n\"}{end}'",
        seat->namespace);
    scene_read_workloads(scene, listing);
}

static void look_at_pods(seat_t *seat, scene_t *scene)
{
    scene_read_pods(scene, seat_shell(seat, "kubectl get pods -n %s", seat->namespace));
}

/* The last lines of all pods of Deployments at once. */
static void look_at_logs(seat_t *seat, scene_t *scene)
{
    scene_read_logs(
        scene, seat_shell(seat,
                   "kubectl logs -n %s -l pod-template-hash --prefix --tail=12 --since=30s "
                   "--max-log-requests=%d",
                   seat->namespace, SCENE_WORKLOADS_MAX));
}

/* The counters of errors that the application's parts keep, if they have had any. */
static void look_at_metrics(seat_t *seat, scene_t *scene)
{
    const char *answer = seat_act(seat, "get_metrics(\"%s\", 5)", seat->namespace);
    const char *folder = answer ? strstr(answer, "metrics_output/") : NULL;
    const char *part = folder ? strstr(folder, "\n    app/") : NULL;
    const char *found = part ? strstr(part, "_errors_total.csv") : NULL;
    if (!found)
        return;
    const char *name = found;
    while (name[-1] != ' ')
        name--;
    AUTO_FREE char *path = xasprintf(
        "%.*s/app/%.*s", (int)strcspn(folder, " \n"), folder, (int)strcspn(name, "\n"), name);
    scene_read_errors(scene, seat_act(seat, "read_metrics(\"%s\")", path));
}

/* The failed spans that have no failed children, by what they called. */
static void look_at_traces(seat_t *seat, scene_t *scene)
{
    const char *answer = seat_act(seat, "get_traces(\"%s\", 1)", seat->namespace);
    const char *path = answer ? strstr(answer, "trace_output/") : NULL;
    if (!path)
        return;
    AUTO_FREE char *file = xstrndup(path, strcspn(path, " \n"));
    scene_read_spans(
        scene, seat_shell(seat,
                   "tail -n 3000 %s | awk -F, '$8 == \"True\" || $8 == \"true\" {bad[$2] = $5; "
                   "parent[$3] = 1} END {for (span in bad) if (!(span in parent)) n[bad[span]]++; "
                   "for (what in n) print n[what], what}'",
                   file));
}

static void look_at_all(seat_t *seat, scene_t *scene)
{
    look_at_pods(seat, scene);
    look_at_logs(seat, scene);
    look_at_metrics(seat, scene);
    look_at_traces(seat, scene);
}

static void look(seat_t *seat, scene_t *scene)
{
    look_at_workloads(seat, scene);
    look_at_all(seat, scene);
    for (int looks = 1; looks < LOOKS_MAX && !rules_is_anomaly(scene) && !seat->err.code; looks++) {
        (void)seat_shell(seat, "sleep 2");
        look_at_all(seat, scene);
    }
}

/* ---- answering ----------------------------------------------------------------------------- */

static void answer_localization(seat_t *seat, const workload_t *culprit)
{
    if (culprit)
        (void)seat_act(seat, "submit([\"%s\"])", culprit->name);
    else
        (void)seat_act(seat, "submit([])");
}

static void answer_analysis(seat_t *seat, const scene_t *scene, const workload_t *culprit)
{
    const rule_t *rule = culprit ? rules_verdict(scene, culprit) : NULL;
    if (rule)
        (void)seat_act(seat, "submit({\"system_level\": \"%s\", \"fault_type\": \"%s\"})",
            rule->system_level, rule->fault_type);
    else
        (void)seat_act(seat, "submit()");
}

static void mend(seat_t *seat, const scene_t *scene, const workload_t *culprit)
{
    const rule_t *rule = culprit ? rules_verdict(scene, culprit) : NULL;
    if (!rule)
        return;
    AUTO_FREE char *command = rule->mend(scene, culprit, seat->namespace);
    (void)seat_shell(seat, "%s", command);
    (void)seat_act(seat,
        "exec_shell(\"kubectl rollout status deployment/%s -n %s --timeout=60s\", timeout=70)",
        culprit->name, seat->namespace);
}

static void play(seat_t *seat)
{
    AUTO_FREE scene_t *scene = xcalloc(1, sizeof(*scene));
    look(seat, scene);
    const workload_t *culprit = rules_culprit(scene);
    if (culprit && seat->asked != ASKED_DETECTION)
        (void)seat_act(seat, "get_logs(\"%s\", \"%s\")", seat->namespace, culprit->name);
    switch (seat->asked) {
    case ASKED_DETECTION:
        (void)seat_act(seat, "submit(\"%s\")", culprit ? "Yes" : "No");
        break;
    case ASKED_LOCALIZATION:
        answer_localization(seat, culprit);
        break;
    case ASKED_ANALYSIS:
        answer_analysis(seat, scene, culprit);
        break;
    case ASKED_MITIGATION:
        mend(seat, scene, culprit);
        look_at_pods(seat, scene);
        (void)seat_act(seat, "submit()");
        break;
    }
}

const agent_t agent_heuristic = {.name = "heuristic",
    .summary = "looks at pods, images, logs, metrics and traces by rules",
    .play = play};
