#include "base/auto.h"
#include "base/mem.h"
#include "cli/agents/agent.h"
#include "cli/mcp.h"

#include <stdarg.h>
#include <string.h>

/* ---- what is asked for --------------------------------------------------------------------- */

static asked_t read_asked(const json_t *actions)
{
    const char *doc = json_string_value(json_object_get(actions, "submit"));
    if (doc && strstr(doc, "has_anomaly"))
        return ASKED_DETECTION;
    if (doc && strstr(doc, "faulty_components"))
        return ASKED_LOCALIZATION;
    return doc && strstr(doc, "analysis") ? ASKED_ANALYSIS : ASKED_MITIGATION;
}

/* From the line "Namespace: NAME" of the description. */
static char *read_namespace(const char *description)
{
    static const char label[] = "Namespace: ";
    const char *at = description ? strstr(description, label) : NULL;
    if (!at)
        return xstrdup("default");
    at += sizeof(label) - 1;
    return xstrndup(at, strcspn(at, " \t\r\n"));
}

int seat_init(seat_t *self, err_t *err)
{
    int rc = turn_brief(self->turn, &self->briefing, err);
    if (rc < 0)
        return rc;
    self->asked = read_asked(self->briefing->actions);
    self->namespace = read_namespace(self->briefing->description);
    return 0;
}

void seat_done(seat_t *self)
{
    codec_free(&session_info_type, self->briefing);
    codec_free(&session_observation_type, self->seen);
    codec_free(&session_expectation_type, self->told);
    free(self->namespace);
}

/* ---- acting -------------------------------------------------------------------------------- */

/* shown: what a person is to see of the text */
static const char *say(seat_t *self, const char *text, const char *shown)
{
    if (self->is_over || self->err.code)
        return NULL;
    codec_free(&session_observation_type, TAKE(self->seen));
    self->step++;
    progress_note(self->progress, "%lld step%s", (long long)self->step, self->step == 1 ? "" : "s");
    if (!self->is_quiet)
        progress_step(self->progress, self->step, shown);
    int rc = turn_act(self->turn, text, &self->seen, &self->err);
    progress_step_end(self->progress);
    if (rc < 0)
        return NULL;
    self->is_over = self->seen->is_done;
    return self->seen->observation;
}

static const char *act(seat_t *self, const char *action)
{
    AUTO_FREE char *text = xasprintf("```\n%s\n```", action);
    return say(self, text, action);
}

/* What stands in the first fenced block, or else all of it. */
const char *seat_say(seat_t *self, const char *text)
{
    const char *fence = strstr(text, "```");
    const char *begin = fence ? strchr(fence, '\n') : NULL;
    const char *end = begin ? strstr(begin + 1, "\n```") : NULL;
    AUTO_FREE char *shown =
        end && end > begin ? xstrndup(begin + 1, (size_t)(end - begin) - 1) : xstrdup(text);
    return say(self, text, shown);
}

const char *seat_await(seat_t *self, const char *action)
{
    self->err = (err_t){0};
    self->step--;
    return act(self, action);
}

static char *format_text(const char *format, va_list args)
{
    char *text = NULL;
    return vasprintf(&text, format, args) < 0 ? mem_check(NULL) : text;
}

const char *seat_act(seat_t *self, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    AUTO_FREE char *action = format_text(format, args);
    va_end(args);
    return act(self, action);
}

const char *seat_shell(seat_t *self, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    AUTO_FREE char *command = format_text(format, args);
    va_end(args);
    AUTO_FREE char *text = mcp_quoted(command);
    AUTO_FREE char *action = xasprintf("exec_shell(%s)", text);
    return act(self, action);
}
