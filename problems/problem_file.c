/* The schema is the documentation of the file format: docs/writing-a-problem.md follows it. */
#include "problems/problem_file.h"

#include "base/auto.h"
#include "base/mem.h"
#include "problems/fields.h"
#include "problems/problem_check.h"

static const cyaml_strval_t tasks[] = {
    {"detection", TASK_DETECTION},
    {"localization", TASK_LOCALIZATION},
    {"analysis", TASK_ANALYSIS},
    {"mitigation", TASK_MITIGATION},
};

const cyaml_schema_value_t problem_text_value = {
    CYAML_VALUE_STRING(CYAML_FLAG_POINTER, char *, 1, CYAML_UNLIMITED)};

static const cyaml_schema_field_t parameter_fields[] = {
    TEXT("name", problem_parameter_t, name),
    TEXT("value", problem_parameter_t, value),
    CYAML_FIELD_END,
};

static const cyaml_schema_value_t parameter_value = {
    CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, problem_parameter_t, parameter_fields)};

static const cyaml_schema_field_t vary_fields[] = {
    TEXT("name", problem_vary_t, name),
    LIST(
        "values", CYAML_FLAG_OPTIONAL, problem_vary_t, values, value_count, &problem_text_value, 1),
    OPTIONAL_TEXT("label", problem_vary_t, label),
    CYAML_FIELD_END,
};

static const cyaml_schema_value_t vary_value = {
    CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, problem_vary_t, vary_fields)};

static const cyaml_schema_field_t fault_fields[] = {
    TEXT("fault", problem_fault_t, fault),
    LIST("targets", CYAML_FLAG_OPTIONAL, problem_fault_t, targets, target_count,
        &problem_text_value, 1),
    OPTIONAL_NUMBER("after_ms", problem_fault_t, after_ms),
    LIST("parameters", CYAML_FLAG_OPTIONAL, problem_fault_t, parameters, parameter_count,
        &parameter_value, 1),
    CYAML_FIELD_END,
};

static const cyaml_schema_value_t fault_value = {
    CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, problem_fault_t, fault_fields)};

static const cyaml_schema_field_t symptom_fields[] = {
    NUMBER("errors_percent", problem_symptom_t, errors_percent),
    NUMBER("within_ms", problem_symptom_t, within_ms),
    CYAML_FIELD_END,
};

const cyaml_schema_field_t problem_load_fields[] = {
    TEXT("url", problem_load_t, url),
    TEXT("mix", problem_load_t, mix),
    TEXT("distribution", problem_load_t, distribution),
    NUMBER("rate", problem_load_t, rate),
    NUMBER("connections", problem_load_t, connections),
    CYAML_FIELD_END,
};

static const cyaml_schema_field_t expected_fields[] = {
    OPTIONAL_TEXT("anomaly", problem_expected_t, anomaly),
    LIST("components", CYAML_FLAG_OPTIONAL, problem_expected_t, components, component_count,
        &problem_text_value, 0),
    LIST("also_accepted", CYAML_FLAG_OPTIONAL, problem_expected_t, also_accepted, also_count,
        &problem_text_value, 1),
    OPTIONAL_TEXT("system_level", problem_expected_t, system_level),
    OPTIONAL_TEXT("fault_type", problem_expected_t, fault_type),
    CYAML_FIELD_END,
};

static const cyaml_schema_field_t mitigation_fields[] = {
    LIST("deployments", CYAML_FLAG_OPTIONAL, problem_mitigation_t, deployments, deployment_count,
        &problem_text_value, 1),
    LIST("recreate", CYAML_FLAG_OPTIONAL, problem_mitigation_t, recreate, recreate_count,
        &problem_text_value, 1),
    LIST("cures", CYAML_FLAG_OPTIONAL, problem_mitigation_t, cures, cure_count, &problem_text_value,
        1),
    LIST("gambles", CYAML_FLAG_OPTIONAL, problem_mitigation_t, gambles, gamble_count,
        &problem_text_value, 1),
    OPTIONAL_TEXT("original", problem_mitigation_t, original),
    OPTIONAL_NUMBER("settle_ms", problem_mitigation_t, settle_ms),
    OPTIONAL_NUMBER("hold_ms", problem_mitigation_t, hold_ms),
    OPTIONAL_NUMBER("load_ms", problem_mitigation_t, load_ms),
    OPTIONAL_NUMBER("success_percent", problem_mitigation_t, success_percent),
    OPTIONAL_NUMBER("slower_ms", problem_mitigation_t, slower_ms),
    CYAML_FIELD_END,
};

static const cyaml_schema_field_t solution_fields[] = {
    LIST("actions", 0, problem_solution_t, actions, action_count, &problem_text_value, 1),
    CYAML_FIELD_END,
};

static const cyaml_schema_value_t solution_value = {
    CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, problem_solution_t, solution_fields)};

static const cyaml_schema_field_t problem_fields[] = {
    TEXT("id", problem_t, id),
    CYAML_FIELD_ENUM("task", CYAML_FLAG_STRICT, problem_t, task, tasks, ARRAY_SIZE(tasks)),
    CYAML_FIELD_MAPPING_PTR(
        "expected", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, problem_t, expected, expected_fields),
    CYAML_FIELD_MAPPING_PTR("mitigated_when", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, problem_t,
        mitigated_when, mitigation_fields),
    LIST("solution", 0, problem_t, solution, solution_count, &problem_text_value, 1),
    LIST("other_solutions", CYAML_FLAG_OPTIONAL, problem_t, other_solutions, other_count,
        &solution_value, 1),
    CYAML_FIELD_END,
};

static const cyaml_schema_value_t problem_value = {
    CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, problem_t, problem_fields)};

static const cyaml_schema_field_t family_fields[] = {
    TEXT("family", problem_family_t, family),
    TEXT("summary", problem_family_t, summary),
    TEXT("application", problem_family_t, application),
    OPTIONAL_TEXT("namespace", problem_family_t, namespace),
    OPTIONAL_TEXT("about", problem_family_t, about),
    OPTIONAL_TEXT("evaluator", problem_family_t, evaluator),
    LIST("vary", CYAML_FLAG_OPTIONAL, problem_family_t, vary, vary_count, &vary_value, 1),
    LIST("faults", 0, problem_family_t, faults, fault_count, &fault_value, 1),
    LIST("evidence", CYAML_FLAG_OPTIONAL, problem_family_t, evidence, evidence_count,
        &problem_text_value, 1),
    CYAML_FIELD_MAPPING_PTR("symptom", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, problem_family_t,
        symptom, symptom_fields),
    CYAML_FIELD_MAPPING_PTR("load", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, problem_family_t,
        load, problem_load_fields),
    LIST("problems", 0, problem_family_t, problems, problem_count, &problem_value, 1),
    CYAML_FIELD_END,
};

static const cyaml_schema_value_t family_value = {
    CYAML_VALUE_MAPPING(CYAML_FLAG_POINTER, problem_family_t, family_fields)};

/* ---- what the file leaves out ------------------------------------------------------------- */

enum {
    SETTLE_MS = 120 * 1000,
    HOLD_MS = 1000,
    LOAD_MS = 2500,
    SUCCESS_PERCENT = 99,
    SLOWER_MS = 1000,
};

static void set_default(uint32_t *number_p, uint32_t otherwise)
{
    if (*number_p == 0)
        *number_p = otherwise;
}

static void complete_mitigation(problem_mitigation_t *when)
{
    set_default(&when->settle_ms, SETTLE_MS);
    set_default(&when->hold_ms, HOLD_MS);
    set_default(&when->load_ms, LOAD_MS);
    set_default(&when->success_percent, SUCCESS_PERCENT);
    set_default(&when->slower_ms, SLOWER_MS);
}

/* Allocated as libcyaml does, since it frees them with the rest. */
static problem_load_t *copy_load(const problem_load_t *load)
{
    problem_load_t *copy = xcalloc(1, sizeof(*copy));
    *copy = *load;
    copy->url = xstrdup(load->url);
    copy->mix = xstrdup(load->mix);
    copy->distribution = xstrdup(load->distribution);
    return copy;
}

static void complete(problem_family_t *family, const application_t *application)
{
    const application_facts_t *facts = application->facts;
    family->facts = application;
    if (!family->namespace)
        family->namespace = xstrdup(facts->namespace);
    if (!family->about)
        family->about = xstrdup(facts->about);
    if (!family->load)
        family->load = copy_load(facts->load);
    for (uint32_t i = 0; i < family->problem_count; i++) {
        family->problems[i].family = family;
        if (family->problems[i].mitigated_when)
            complete_mitigation(family->problems[i].mitigated_when);
    }
}

/* ---- reading ------------------------------------------------------------------------------ */

int problem_file_load(
    const char *path, application_find_fn *find, void *arg, problem_family_t **family_p, err_t *err)
{
    problem_family_t *family = NULL;
    int rc = schema_load(path, &family_value, (void **)&family, err);
    if (rc < 0)
        return rc;
    err_t cause = {0};
    const application_t *application = find(arg, family->application, &cause);
    if (!application) {
        rc = cause.code == ERR_NOT_FOUND ? schema_fail(path, "application", err, "%s", cause.text)
                                         : err_set(err, cause.code, "%s", cause.text);
    } else {
        complete(family, application);
        rc = problem_check(path, family, err);
    }
    if (rc == 0)
        *family_p = family;
    else
        problem_file_free(family);
    return rc;
}

void problem_file_free(problem_family_t *family)
{
    schema_free(&family_value, family);
}
