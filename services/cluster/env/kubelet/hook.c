#include "services/cluster/env/kubelet/hook.h"

#include "base/auto.h"
#include "base/mem.h"
#include "services/cluster/env/object.h"

#include <string.h>

/* Longer than any grace period; the container's end comes first. */
enum { HOOK_MS = 24 * 3600 * 1000, OUTPUT_LIMIT = 4096 };

struct hook {
    ev_t *ev;     /* borrowed */
    http_t *http; /* borrowed */
    hook_fn *fn;
    void *arg;
    int timer;
    int http_id;
    command_t *command;
    bool is_well; /* what the timer tells */
};

static void on_command(void *arg, const command_result_t *result)
{
    hook_t *self = arg;
    self->command = NULL;
    self->fn(self->arg, result->exit_code == 0);
}

static void on_http(void *arg, const http_answer_t *answer)
{
    hook_t *self = arg;
    self->http_id = 0;
    self->fn(self->arg, !answer->err && answer->status >= 200 && answer->status < 400);
}

static void on_time(void *arg)
{
    hook_t *self = arg;
    self->timer = 0;
    self->fn(self->arg, self->is_well);
}

static void tell_after(hook_t *self, bool is_well, int64_t delay_ms)
{
    self->is_well = is_well;
    self->timer = ev_after(self->ev, delay_ms, on_time, self);
}

static void run_command(hook_t *self, const probe_subject_t *subject, const json_t *action)
{
    char **argv = probe_words(object_at(action, "command"));
    command_config_t config = {
        .argv = argv, .envp = subject->envp, .timeout_ms = HOOK_MS, .output_limit = OUTPUT_LIMIT};
    self->command = command_start(subject->process, &config, on_command, self, NULL);
    free(argv);
    if (!self->command)
        tell_after(self, false, 0);
}

static void ask(hook_t *self, const probe_subject_t *subject, const json_t *action)
{
    AUTO_FREE char *url = probe_url(subject, action);
    http_request_t request = {.url = url, .timeout_ms = HOOK_MS};
    self->http_id = http_send(self->http, &request, on_http, self);
}

hook_t *hook_new(const probe_subject_t *subject, hook_fn *fn, void *arg)
{
    hook_t *self = xcalloc(1, sizeof(*self));
    *self = (hook_t){.ev = subject->ev, .http = subject->http, .fn = fn, .arg = arg};
    const json_t *spec = subject->spec;
    if (object_at(spec, "exec"))
        run_command(self, subject, object_at(spec, "exec"));
    else if (object_at(spec, "httpGet"))
        ask(self, subject, object_at(spec, "httpGet"));
    else
        tell_after(self, true, 1000 * object_integer(spec, "sleep.seconds", 0));
    return self;
}

void hook_destroy(hook_t **self_p)
{
    hook_t *self = *self_p;
    if (!self)
        return;
    ev_cancel(self->ev, self->timer);
    http_cancel(self->http, self->http_id);
    command_destroy(&self->command);
    free(self);
    *self_p = NULL;
}
