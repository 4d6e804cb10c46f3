/* get_logs: the log of a service, through telemetry. */
#include "base/auto.h"
#include "base/mem.h"
#include "services/orchestrator/action.h"
#include "services/orchestrator/session.h"

enum { TIMEOUT_MS = 20000 };

static const action_parameter_t parameters[] = {
    {"namespace", PARAMETER_TEXT, false},
    {"service", PARAMETER_TEXT, false},
    {0},
};

/* The newest part, from the beginning of a line. */
static const char *tail(const char *text)
{
    size_t size = strlen(text);
    if (size <= ACTION_OUTPUT_MAX)
        return text;
    const char *from = text + size - ACTION_OUTPUT_MAX;
    const char *line = strchr(from, '\n');
    return line ? line + 1 : from;
}

static void on_text(void *arg, const bus_reply_t *reply)
{
    step_t *step = arg;
    if (reply->err && reply->err->code == ERR_NOT_FOUND) {
        step_say(step, "Error: Your service/namespace does not exist. Use kubectl to check.");
        return;
    }
    if (reply->err) {
        step_say(step, "Error: the logs could not be read: %s", reply->err->text);
        return;
    }
    const char *text = ((const text_t *)reply->message)->text;
    const char *shown = tail(text);
    if (shown == text)
        step_say(step, "%s", text);
    else
        step_say(step,
            "(The first %zu bytes were left out; exec_shell with kubectl logs shows "
            "them.)\n%s",
            (size_t)(shown - text), shown);
}

static void run(step_t *step)
{
    logs_get_t message = {.env = step->session->env,
        .namespace = step_text(step, "namespace"),
        .service = step_text(step, "service")};
    step_ask(step, "telemetry", &logs_get_type, &message, TIMEOUT_MS, on_text);
}

const action_t action_get_logs = {
    .name = "get_logs",
    .doc = "get_logs(namespace: str, service: str) -> str\n"
           "Collects the log of a service.\n"
           "Args:\n"
           "    namespace (str): the namespace in which the service runs.\n"
           "    service (str): the name of the service.\n"
           "Returns:\n"
           "    str: the log of the service's first pod.",
    .example = "get_logs(\"test-hotel-reservation\", \"frontend\")",
    .parameters = parameters,
    .run = run,
};
