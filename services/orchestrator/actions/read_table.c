/* read_metrics and read_traces: a CSV file of the agent's home as a table.
 *
 * The file is read by the agent's own shell, so that nothing can be read that it could not see. */
#include "base/auto.h"
#include "base/mem.h"
#include "services/orchestrator/action.h"
#include "services/orchestrator/session.h"
#include "services/orchestrator/table.h"

enum { TIMEOUT_MS = 10000, FILE_SIZE_MAX = 4 << 20, NOT_FOUND_STATUS = 44 };

static const action_parameter_t parameters[] = {
    {"file_path", PARAMETER_TEXT, false},
    {0},
};

/* For bash: in single quotes, and those that are in it each by themselves. */
static char *shell_quote(const char *text)
{
    char *quoted = xcalloc(4, strlen(text) + 1);
    char *out = quoted;
    *out++ = '\'';
    for (; *text; text++) {
        if (*text == '\'')
            out = stpcpy(out, "'\\'");
        *out++ = *text;
    }
    *out = '\'';
    return quoted;
}

static const char *what(const step_t *step)
{
    return strcmp(step->parsed.name, "read_metrics") == 0 ? "Metrics" : "Traces";
}

static void on_file(void *arg, const bus_reply_t *reply)
{
    step_t *step = arg;
    const env_exec_result_t *result = reply->message;
    if (reply->err) {
        step_say(step, "Failed to read %s: %s", what(step), reply->err->text);
    } else if (result->exit_code == NOT_FOUND_STATUS) {
        step_say(step, "error: %s file '%s' not found.", what(step), step_text(step, "file_path"));
    } else if (result->exit_code != 0 || result->timed_out) {
        step_say(step, "Failed to read %s: %s", what(step), result->output);
    } else {
        step_finish(step, table_render(result->output, ACTION_OUTPUT_MAX));
    }
}

static void run(step_t *step)
{
    AUTO_FREE char *path = shell_quote(step_text(step, "file_path"));
    AUTO_FREE char *command = xasprintf(
        "[ -f %s ] || exit %d; head -c %d -- %s", path, NOT_FOUND_STATUS, FILE_SIZE_MAX, path);
    env_exec_t message = {.env = step->session->env,
        .command = command,
        .timeout_ms = TIMEOUT_MS,
        .output_limit = FILE_SIZE_MAX};
    step_ask(step, step->session->cluster, &env_exec_type, &message, 2L * TIMEOUT_MS, on_file);
}

const action_t action_read_metrics = {
    .name = "read_metrics",
    .doc = "read_metrics(file_path: str) -> str\n"
           "Shows a file of metrics that get_metrics has written.\n"
           "Args:\n"
           "    file_path (str): the path of the CSV file.\n"
           "Returns:\n"
           "    str: the file as a table; long ones are cut, exec_shell can search in them.",
    .example = "read_metrics(\"metrics_output/metric_20250101_120000_1/container/"
               "kpi_container_cpu_usage_seconds_total.csv\")",
    .parameters = parameters,
    .run = run,
};

const action_t action_read_traces = {
    .name = "read_traces",
    .doc = "read_traces(file_path: str) -> str\n"
           "Shows a file of traces that get_traces has written.\n"
           "Args:\n"
           "    file_path (str): the path of the CSV file.\n"
           "Returns:\n"
           "    str: the file as a table; long ones are cut, exec_shell can search in them.",
    .example = "read_traces(\"trace_output/traces_1735732800_1.csv\")",
    .parameters = parameters,
    .run = run,
};
