/* get_metrics: the metrics of a namespace, as CSV files in the agent's home. */
#include "base/auto.h"
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

/* As the original's folders are called; the step makes two of one second differ. */
static char *folder_name(const step_t *step)
{
    char stamp[32];
    struct tm parts;
    time_t now = time(NULL);
    strftime(stamp, sizeof(stamp), "%Y%m%d_%H%M%S", gmtime_r(&now, &parts));
    return xasprintf("metric_%s_%lld", stamp, (long long)step->number);
}

static char *append_line(char *text, int depth, const char *name, const char *suffix)
{
    char *longer = xasprintf("%s%*s%s%s\n", text, depth * 4, "", name, suffix);
    free(text);
    return longer;
}

/* The files as an indented tree; those of a folder follow each other. */
static char *tree(const char *root, const json_t *files)
{
    char *text = append_line(xstrdup(""), 0, root, "/");
    AUTO_FREE char *folder = xstrdup("");
    size_t i;
    json_t *file;
    json_array_foreach(files, i, file)
    {
        const char *path = json_string_value(json_object_get(file, "path"));
        const char *slash = strrchr(path, '/');
        AUTO_FREE char *parent = xstrndup(path, slash ? (size_t)(slash - path) : 0);
        if (strcmp(parent, folder) != 0) {
            text = append_line(text, 1, parent, "/");
            free(folder);
            folder = xstrdup(parent);
        }
        text = append_line(text, slash ? 2 : 1, slash ? slash + 1 : path, "");
    }
    return text;
}

static void on_export(void *arg, const bus_reply_t *reply)
{
    step_t *step = arg;
    if (reply->err) {
        step_say(step, "Error: the metrics could not be read: %s", reply->err->text);
        return;
    }
    json_t *files = ((const export_t *)reply->message)->files;
    AUTO_FREE char *folder = folder_name(step);
    AUTO_FREE char *listing = tree(folder, files);
    char *observation = xasprintf("Metrics data exported to directory: metrics_output/%s\n\n"
                                  "Folder structure of exported metrics:\n%s",
        folder, listing);

    json_t *put = json_array();
    size_t i;
    json_t *file;
    json_array_foreach(files, i, file)
    {
        AUTO_FREE char *path = xasprintf(
            "metrics_output/%s/%s", folder, json_string_value(json_object_get(file, "path")));
        json_array_append_new(
            put, json_pack("{s:s, s:O}", "path", path, "text", json_object_get(file, "text")));
    }
    export_put(step, put, observation);
}

static void run(step_t *step)
{
    metrics_export_t message = {.env = step->session->env,
        .namespace = step_text(step, "namespace"),
        .duration_min = step_integer(step, "duration", DURATION_MIN)};
    step_ask(step, "telemetry", &metrics_export_type, &message, TIMEOUT_MS, on_export);
}

const action_t action_get_metrics = {
    .name = "get_metrics",
    .doc = "get_metrics(namespace: str, duration: int = 5) -> str\n"
           "Collects the metrics of all pods of a namespace as CSV files, one a metric.\n"
           "Args:\n"
           "    namespace (str): the namespace.\n"
           "    duration (int): how many minutes to look back.\n"
           "Returns:\n"
           "    str: the folder of the files, in your home, and what is in it.",
    .example = "get_metrics(\"test-hotel-reservation\", 5)",
    .parameters = parameters,
    .run = run,
};
