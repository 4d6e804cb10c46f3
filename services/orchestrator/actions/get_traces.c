/* get_traces: the traces of a namespace, as a CSV file in the agent's home. */
#include "base/mem.h"
#include "services/orchestrator/action.h"
#include "services/orchestrator/actions/export.h"
#include "services/orchestrator/session.h"

#include <time.h>

enum { TIMEOUT_MS = 30000, DURATION_MIN = 5 };

static const action_parameter_t parameters[] = {
    {"namespace", PARAMETER_TEXT, false},
    {"duration", PARAMETER_INTEGER, true},
    {0},
};

static void on_export(void *arg, const bus_reply_t *reply)
{
    step_t *step = arg;
    if (reply->err) {
        step_say(step, "Error: the traces could not be read: %s", reply->err->text);
        return;
    }
    json_t *file = json_array_get(((const export_t *)reply->message)->files, 0);
    if (!file) {
        step_say(step, "Error: no traces were found.");
        return;
    }
    char *observation = xasprintf("Traces data exported to: trace_output/traces_%lld_%lld.csv",
        (long long)time(NULL), (long long)step->number);
    const char *path = strchr(observation, ':') + 2;
    json_t *put = json_pack("[{s:s, s:O}]", "path", path, "text", json_object_get(file, "text"));
    export_put(step, put, observation);
}

static void run(step_t *step)
{
    traces_export_t message = {.env = step->session->env,
        .namespace = step_text(step, "namespace"),
        .duration_min = step_integer(step, "duration", DURATION_MIN)};
    step_ask(step, "telemetry", &traces_export_type, &message, TIMEOUT_MS, on_export);
}

const action_t action_get_traces = {
    .name = "get_traces",
    .doc = "get_traces(namespace: str, duration: int = 5) -> str\n"
           "Collects the traces of a namespace's services as a CSV file, one line a span.\n"
           "Args:\n"
           "    namespace (str): the namespace.\n"
           "    duration (int): how many minutes to look back.\n"
           "Returns:\n"
           "    str: the path of the file, in your home.",
    .example = "get_traces(\"test-hotel-reservation\", 5)",
    .parameters = parameters,
    .run = run,
};
