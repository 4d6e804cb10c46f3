#include "services/orchestrator/actions/export.h"

#include "base/mem.h"
#include "services/orchestrator/session.h"

enum { TIMEOUT_MS = 10000 };

static void put_next(step_t *step);

static void on_put(void *arg, const bus_reply_t *reply)
{
    step_t *step = arg;
    if (reply->err) {
        step_say(step, "Error: the files could not be written: %s", reply->err->text);
        return;
    }
    step->next_file++;
    put_next(step);
}

static void put_next(step_t *step)
{
    json_t *file = json_array_get(step->files, step->next_file);
    if (!file) {
        char *observation = step->pending;
        step->pending = NULL;
        step_finish(step, observation);
        return;
    }
    const char *text = json_string_value(json_object_get(file, "text"));
    env_put_t message = {.env = step->session->env,
        .path = json_string_value(json_object_get(file, "path")),
        .content = {.bytes = text, .size = strlen(text)}};
    step_ask(step, step->session->cluster, &env_put_type, &message, TIMEOUT_MS, on_put);
}

void export_put(step_t *step, json_t *files, char *observation)
{
    step->files = files;
    step->pending = observation;
    put_next(step);
}
