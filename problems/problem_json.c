/* A problem as JSON: the form in which it crosses the bus, with all that its seed decides. */
#include "base/auto.h"
#include "base/mem.h"
#include "problems/application.h"
#include "problems/problem.h"

#include <string.h>

static json_t *strings(char *const *texts, uint32_t count)
{
    json_t *array = json_array();
    for (uint32_t i = 0; i < count; i++)
        json_array_append_new(array, json_string(texts[i]));
    return array;
}

/* ---- what the seed decides ---------------------------------------------------------------- */

/* {"${name}": value} */
static json_t *draw(const problem_family_t *family, int64_t seed)
{
    json_t *drawn = json_object();
    for (uint32_t i = 0; i < family->vary_count; i++) {
        const problem_vary_t *vary = &family->vary[i];
        json_auto_t *values = vary->label ? application_labelled(family->facts, vary->label, NULL)
                                          : strings(vary->values, vary->value_count);
        size_t count = json_array_size(values);
        AUTO_FREE char *key = xasprintf("${%s}", vary->name);
        if (count)
            json_object_set(drawn, key, json_array_get(values, (uint64_t)seed % count));
    }
    return drawn;
}

/* The text with what was drawn in the place of its name; for free(). */
static char *filled(const char *text, const json_t *drawn)
{
    char *result = xstrdup(text);
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)drawn, key, value)
    {
        for (char *at = strstr(result, key); at;) {
            size_t before = (size_t)(at - result);
            char *longer = xasprintf(
                "%.*s%s%s", (int)before, result, json_string_value(value), at + strlen(key));
            free(result);
            result = longer;
            at = strstr(result + before + json_string_length(value), key);
        }
    }
    return result;
}

/* A copy with all texts filled in; as deep as what is built here. */
// NOLINTNEXTLINE(misc-no-recursion)
static json_t *fill(const json_t *json, const json_t *drawn)
{
    if (json_is_string(json)) {
        AUTO_FREE char *text = filled(json_string_value(json), drawn);
        return json_string(text);
    }
    json_t *copy = json_is_array(json) ? json_array() : json_copy((json_t *)json);
    size_t i;
    const char *key;
    json_t *value;
    json_array_foreach((json_t *)json, i, value) json_array_append_new(copy, fill(value, drawn));
    json_object_foreach((json_t *)json, key, value)
        json_object_set_new(copy, key, fill(value, drawn));
    return copy;
}

/* ---- its parts ---------------------------------------------------------------------------- */

static json_t *fault_to_json(const problem_fault_t *fault)
{
    json_t *parameters = json_object();
    for (uint32_t i = 0; i < fault->parameter_count; i++) {
        json_object_set_new(
            parameters, fault->parameters[i].name, json_string(fault->parameters[i].value));
    }
    return json_pack("{s:s, s:o, s:o, s:I}", "fault", fault->fault, "targets",
        strings(fault->targets, fault->target_count), "parameters", parameters, "after_ms",
        (json_int_t)fault->after_ms);
}

static json_t *faults_to_json(const problem_family_t *family)
{
    json_t *array = json_array();
    for (uint32_t i = 0; i < family->fault_count; i++)
        json_array_append_new(array, fault_to_json(&family->faults[i]));
    return array;
}

static json_t *load_to_json(const problem_load_t *load)
{
    return json_pack("{s:s, s:s, s:s, s:I, s:I}", "url", load->url, "mix", load->mix,
        "distribution", load->distribution, "rate", (json_int_t)load->rate, "connections",
        (json_int_t)load->connections);
}

static json_t *mitigation_to_json(
    const problem_mitigation_t *when, const application_t *application)
{
    json_t *deployments = when->deployment_count
                              ? strings(when->deployments, when->deployment_count)
                              : json_incref(application->deployments);
    const application_facts_t *facts = application->facts;
    return json_pack("{s:o, s:o, s:o, s:s*, s:I, s:I, s:I, s:I, s:I}", "deployments", deployments,
        "recreate", strings(when->recreate, when->recreate_count), "answers",
        strings(facts->answers, facts->answer_count), "original", when->original, "settle_ms",
        (json_int_t)when->settle_ms, "hold_ms", (json_int_t)when->hold_ms, "load_ms",
        (json_int_t)when->load_ms, "success_percent", (json_int_t)when->success_percent,
        "slower_ms", (json_int_t)when->slower_ms);
}

static json_t *components_to_json(const problem_expected_t *expected)
{
    json_t *json =
        json_pack("{s:o}", "components", strings(expected->components, expected->component_count));
    if (expected->also_count)
        json_object_set_new(
            json, "also_accepted", strings(expected->also_accepted, expected->also_count));
    return json;
}

static json_t *expected_to_json(const problem_t *self)
{
    const problem_expected_t *expected = self->expected;
    switch (self->task) {
    case TASK_DETECTION:
        return json_pack("{s:s}", "anomaly", expected->anomaly);
    case TASK_LOCALIZATION:
        return components_to_json(expected);
    case TASK_ANALYSIS:
        return json_pack("{s:s, s:s}", "system_level", expected->system_level, "fault_type",
            expected->fault_type);
    case TASK_MITIGATION:
        return mitigation_to_json(self->mitigated_when, self->family->facts);
    }
    return NULL;
}

static json_t *solutions_to_json(const problem_t *self)
{
    json_t *solutions = json_pack("[o]", strings(self->solution, self->solution_count));
    for (uint32_t i = 0; i < self->other_count; i++)
        json_array_append_new(solutions,
            strings(self->other_solutions[i].actions, self->other_solutions[i].action_count));
    return solutions;
}

/* ---- the whole ---------------------------------------------------------------------------- */

json_t *problem_to_public_json(const problem_t *self)
{
    const problem_family_t *family = self->family;
    return json_pack("{s:s, s:s, s:s, s:s, s:s, s:s}", "id", self->id, "task",
        task_name(self->task), "family", family->family, "application", family->application,
        "namespace", family->namespace, "summary", family->summary);
}

json_t *problem_instance(const problem_t *self, int64_t seed)
{
    const problem_family_t *family = self->family;
    json_auto_t *json = problem_to_public_json(self);
    json_auto_t *drawn = draw(family, seed);
    json_object_set_new(json, "faults", faults_to_json(family));
    json_object_set_new(json, "evidence", strings(family->evidence, family->evidence_count));
    json_object_set_new(json, "load", load_to_json(family->load));
    json_object_set_new(json, "expected", expected_to_json(self));
    json_object_set_new(json, "solutions", solutions_to_json(self));
    return mem_check(fill(json, drawn));
}

void problem_instance_heal(json_t *instance)
{
    json_t *expected = json_object_get(instance, "expected");
    json_object_set_new(instance, "faults", json_array());
    if (json_object_get(expected, "anomaly"))
        json_object_set_new(expected, "anomaly", json_string("No"));
    if (json_object_get(expected, "components"))
        json_object_set_new(expected, "components", json_array());
    json_object_del(expected, "also_accepted");
}
