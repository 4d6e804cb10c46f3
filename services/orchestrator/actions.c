#include "services/orchestrator/action.h"

#include "base/auto.h"
#include "base/mem.h"

#define COMMON_ACTIONS                                                                             \
    &action_exec_shell, &action_get_logs, &action_get_metrics, &action_get_traces,                 \
        &action_read_metrics, &action_read_traces

enum { ACTION_COUNT = 7 };

static const action_t *const tables[][ACTION_COUNT] = {
    [TASK_DETECTION] = {COMMON_ACTIONS, &action_submit_detection},
    [TASK_LOCALIZATION] = {COMMON_ACTIONS, &action_submit_localization},
    [TASK_ANALYSIS] = {COMMON_ACTIONS, &action_submit_analysis},
    [TASK_MITIGATION] = {COMMON_ACTIONS, &action_submit_mitigation},
};

const action_t *const *action_table(task_t task, size_t *count_p)
{
    *count_p = ACTION_COUNT;
    return tables[task];
}

const action_t *action_find(task_t task, const char *name)
{
    for (size_t i = 0; i < ACTION_COUNT; i++) {
        if (strcmp(tables[task][i]->name, name) == 0)
            return tables[task][i];
    }
    return NULL;
}

const char **action_names(task_t task, size_t *count_p)
{
    const char **names = xcalloc(ACTION_COUNT, sizeof(*names));
    for (size_t i = 0; i < ACTION_COUNT; i++)
        names[i] = tables[task][i]->name;
    *count_p = ACTION_COUNT;
    return names;
}

/* ---- arguments ---------------------------------------------------------------------------- */

static const action_parameter_t *parameter_find(const action_t *self, const char *name)
{
    for (const action_parameter_t *p = self->parameters; p && p->name; p++) {
        if (strcmp(p->name, name) == 0)
            return p;
    }
    return NULL;
}

static char *parameter_names(const action_t *self)
{
    char *names = xstrdup("");
    for (const action_parameter_t *p = self->parameters; p && p->name; p++) {
        char *longer = xasprintf("%s%s%s", names, *names ? ", " : "", p->name);
        free(names);
        names = longer;
    }
    return names;
}

/* A whole number may come as text: get_metrics("ns", "5"). NULL if the value is of no use. */
static json_t *converted(const action_parameter_t *parameter, json_t *value)
{
    switch (parameter->kind) {
    case PARAMETER_TEXT:
        return json_is_string(value) ? json_incref(value) : NULL;
    case PARAMETER_INTEGER: {
        const char *text = json_string_value(value);
        char *end = NULL;
        long number = text ? strtol(text, &end, 10) : 0;
        if (text && *text && !*end)
            return json_integer(number);
        return json_is_number(value) ? json_integer((json_int_t)json_number_value(value)) : NULL;
    }
    case PARAMETER_ANY:
        return json_incref(value);
    }
    return NULL;
}

static char *set(
    const action_t *self, const action_parameter_t *parameter, json_t *value, json_t *arguments)
{
    if (json_object_get(arguments, parameter->name))
        return xasprintf("%s() was given '%s' twice.", self->name, parameter->name);
    json_t *good = converted(parameter, value);
    if (!good)
        return xasprintf("'%s' of %s() must be %s.", parameter->name, self->name,
            parameter->kind == PARAMETER_TEXT ? "a text in quotes" : "a whole number");
    json_object_set_new(arguments, parameter->name, good);
    return NULL;
}

static char *bind_positional(const action_t *self, const parsed_t *call, json_t *arguments)
{
    const action_parameter_t *parameter = self->parameters;
    size_t count = json_array_size(call->args);
    for (size_t i = 0; i < count; i++, parameter++) {
        if (!parameter || !parameter->name) {
            AUTO_FREE char *names = parameter_names(self);
            return xasprintf("%s() takes %zu argument%s%s%s%s, not %zu.", self->name, i,
                i == 1 ? "" : "s", *names ? " (" : "", names, *names ? ")" : "", count);
        }
        char *complaint = set(self, parameter, json_array_get(call->args, i), arguments);
        if (complaint)
            return complaint;
    }
    return NULL;
}

static char *bind_keywords(const action_t *self, const parsed_t *call, json_t *arguments)
{
    const char *name;
    json_t *value;
    json_object_foreach(call->kwargs, name, value)
    {
        const action_parameter_t *parameter = parameter_find(self, name);
        if (!parameter) {
            AUTO_FREE char *names = parameter_names(self);
            return xasprintf("%s() has no argument '%s'; it takes %s.", self->name, name,
                *names ? names : "none");
        }
        char *complaint = set(self, parameter, value, arguments);
        if (complaint)
            return complaint;
    }
    return NULL;
}

static char *find_missing(const action_t *self, const json_t *arguments)
{
    for (const action_parameter_t *p = self->parameters; p && p->name; p++) {
        if (!p->is_optional && !json_object_get(arguments, p->name))
            return xasprintf("%s() needs the argument '%s'.", self->name, p->name);
    }
    return NULL;
}

int action_bind(
    const action_t *self, const parsed_t *call, json_t **arguments_p, char **complaint_p)
{
    json_t *arguments = json_object();
    char *complaint = bind_positional(self, call, arguments);
    if (!complaint)
        complaint = bind_keywords(self, call, arguments);
    if (!complaint)
        complaint = find_missing(self, arguments);
    if (!complaint) {
        *arguments_p = arguments;
        return 0;
    }
    json_decref(arguments);
    *complaint_p = complaint;
    return -1;
}
