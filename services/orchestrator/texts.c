#include "services/orchestrator/texts.h"

#include "base/auto.h"
#include "base/mem.h"
#include "services/orchestrator/action.h"

static const char *const tasks[] = {
    [TASK_DETECTION] =
        "You are an operator of the cloud application below. Find out whether something is wrong "
        "with it.\n"
        "Something is wrong if it does not do what it should, answers with errors or not at all, "
        "or if a part of it is misconfigured or failing. Judge by what you see, not by chance: in "
        "some sessions all is well.",
    [TASK_LOCALIZATION] =
        "You are an operator of the cloud application below. Find out which of its services are "
        "the root cause of what is wrong with it.\n"
        "Name the services where the fault itself sits, not those that merely suffer from it. "
        "There may be one, several, or none.",
    [TASK_ANALYSIS] =
        "You are an operator of the cloud application below. Find out what kind of fault it has.\n"
        "Say on which level of the system the root cause sits, one of:\n"
        "    Hardware, Operating System, Virtualization, Application\n"
        "and of which type it is, one of:\n"
        "    Misconfiguration, Code Defect, Authentication Issue, Network/Storage Issue, "
        "Operation Error, Dependency Problem",
    [TASK_MITIGATION] =
        "You are an operator of the cloud application below. Something is wrong with it: find "
        "out what, and mend it.\n"
        "It counts as mended when the fault itself is gone, all of the application runs and stays "
        "so, and its users get their answers. Deleting or switching off parts of it is no cure.",
};

static const char *const answers[] = {
    [TASK_DETECTION] = "When you are sure, submit \"Yes\" (something is wrong) or \"No\" (all is "
                       "well):\n```\nsubmit(\"Yes\")\n```\n",
    [TASK_LOCALIZATION] = "When you are sure, submit the list of the services, or an empty list if "
                          "nothing is wrong:\n```\nsubmit([\"service-a\", \"service-b\"])\n```\n",
    [TASK_ANALYSIS] = "When you are sure, submit level and type, or nothing if nothing is wrong:\n"
                      "```\nsubmit({\"system_level\": \"Hardware\", \"fault_type\": \"Operation "
                      "Error\"})\n```\n",
    [TASK_MITIGATION] = "When it is mended, submit:\n```\nsubmit()\n```\n",
};

char *texts_description(const problem_t *problem)
{
    const problem_family_t *family = problem->family;
    return xasprintf("%s\n\nApplication: %s\nNamespace: %s\nDescription: %s\n",
        tasks[problem->task], family->application, family->namespace, family->about);
}

char *texts_instructions(const problem_t *problem)
{
    return xasprintf(
        "Act step by step. In each step you send one action, a call between two lines of three "
        "backticks, and get back what came of it:\n"
        "```\nget_logs(\"%s\", \"frontend\")\n```\n"
        "What you write outside the backticks is kept, but does nothing. Only one action a step is "
        "executed.\n%s",
        problem->family->namespace, answers[problem->task]);
}

json_t *texts_actions(const problem_t *problem)
{
    json_t *actions = json_object();
    size_t count;
    const action_t *const *table = action_table(problem->task, &count);
    for (size_t i = 0; i < count; i++)
        json_object_set_new(actions, table[i]->name, json_string(table[i]->doc));
    return actions;
}

static json_t *schema_of(const action_t *action)
{
    static const char *const types[] = {
        [PARAMETER_TEXT] = "string", [PARAMETER_INTEGER] = "integer", [PARAMETER_ANY] = NULL};
    json_t *properties = json_object();
    json_t *required = json_array();
    for (const action_parameter_t *p = action->parameters; p && p->name; p++) {
        json_object_set_new(properties, p->name, json_pack("{s:s*}", "type", types[p->kind]));
        if (!p->is_optional)
            json_array_append_new(required, json_string(p->name));
    }
    return json_pack("{s:s, s:o, s:o, s:b}", "type", "object", "properties", properties, "required",
        required, "additionalProperties", 0);
}

json_t *texts_schemas(const problem_t *problem)
{
    json_t *schemas = json_object();
    size_t count;
    const action_t *const *table = action_table(problem->task, &count);
    for (size_t i = 0; i < count; i++)
        json_object_set_new(schemas, table[i]->name, schema_of(table[i]));
    return schemas;
}
