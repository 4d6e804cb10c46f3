/* A problem as JSON: the form in which it crosses the bus. */
#include "problems/problem.h"

#include "base/mem.h"

static json_t *strings(char *const *texts, uint32_t count)
{
    json_t *array = json_array();
    for (uint32_t i = 0; i < count; i++)
        json_array_append_new(array, json_string(texts[i]));
    return array;
}

static json_t *fault_to_json(const problem_fault_t *fault)
{
    json_t *parameters = json_object();
    for (uint32_t i = 0; i < fault->parameter_count; i++) {
        json_object_set_new(
            parameters, fault->parameters[i].name, json_string(fault->parameters[i].value));
    }
    return json_pack("{s:s, s:o, s:o}", "fault", fault->fault, "targets",
        strings(fault->targets, fault->target_count), "parameters", parameters);
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

static json_t *mitigation_to_json(const problem_mitigation_t *when)
{
    return json_pack("{s:o, s:I, s:I, s:I, s:I}", "deployments",
        strings(when->deployments, when->deployment_count), "settle_ms",
        (json_int_t)when->settle_ms, "hold_ms", (json_int_t)when->hold_ms, "load_ms",
        (json_int_t)when->load_ms, "success_percent", (json_int_t)when->success_percent);
}

json_t *problem_expected_to_json(const problem_t *self)
{
    const problem_expected_t *expected = self->expected;
    switch (self->task) {
    case TASK_DETECTION:
        return json_pack("{s:s}", "anomaly", expected->anomaly);
    case TASK_LOCALIZATION:
        return json_pack(
            "{s:o}", "components", strings(expected->components, expected->component_count));
    case TASK_ANALYSIS:
        return json_pack("{s:s, s:s}", "system_level", expected->system_level, "fault_type",
            expected->fault_type);
    case TASK_MITIGATION:
        return mitigation_to_json(self->mitigated_when);
    }
    return NULL;
}

json_t *problem_solution_to_json(const problem_t *self)
{
    return strings(self->solution, self->solution_count);
}

json_t *problem_to_public_json(const problem_t *self)
{
    const problem_family_t *family = self->family;
    return json_pack("{s:s, s:s, s:s, s:s, s:s, s:s}", "id", self->id, "task",
        task_name(self->task), "family", family->family, "application", family->application,
        "namespace", family->namespace, "summary", family->summary);
}

json_t *problem_to_json(const problem_t *self)
{
    json_t *json = problem_to_public_json(self);
    json_object_set_new(json, "faults", faults_to_json(self->family));
    json_object_set_new(json, "load", load_to_json(self->family->load));
    json_object_set_new(json, "expected", problem_expected_to_json(self));
    return mem_check(json);
}
