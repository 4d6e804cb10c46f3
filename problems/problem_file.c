/* The schema is the documentation of the file format: docs/writing-a-problem.md follows it. */
#include "problems/problem_file.h"

#include "base/auto.h"
#include "base/mem.h"
#include "schema/schema.h"

#define TEXT(key, type, member)                                                                    \
    CYAML_FIELD_STRING_PTR(key, CYAML_FLAG_POINTER, type, member, 1, CYAML_UNLIMITED)
#define OPTIONAL_TEXT(key, type, member)                                                           \
    CYAML_FIELD_STRING_PTR(                                                                        \
        key, CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, type, member, 1, CYAML_UNLIMITED)
#define LIST(key, flags, type, member, count_member, entry, least)                                 \
    CYAML_FIELD_SEQUENCE_COUNT(key, CYAML_FLAG_POINTER | (flags), type, member, count_member,      \
        entry, least, CYAML_UNLIMITED)

static const cyaml_strval_t tasks[] = {
    {"detection", TASK_DETECTION},
    {"localization", TASK_LOCALIZATION},
    {"analysis", TASK_ANALYSIS},
    {"mitigation", TASK_MITIGATION},
};

static const cyaml_schema_value_t text_value = {
    CYAML_VALUE_STRING(CYAML_FLAG_POINTER, char *, 1, CYAML_UNLIMITED)};

static const cyaml_schema_field_t parameter_fields[] = {
    TEXT("name", problem_parameter_t, name),
    TEXT("value", problem_parameter_t, value),
    CYAML_FIELD_END,
};

static const cyaml_schema_value_t parameter_value = {
    CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, problem_parameter_t, parameter_fields)};

static const cyaml_schema_field_t fault_fields[] = {
    TEXT("fault", problem_fault_t, fault),
    LIST("targets", CYAML_FLAG_OPTIONAL, problem_fault_t, targets, target_count, &text_value, 1),
    LIST("parameters", CYAML_FLAG_OPTIONAL, problem_fault_t, parameters, parameter_count,
        &parameter_value, 1),
    CYAML_FIELD_END,
};

static const cyaml_schema_value_t fault_value = {
    CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, problem_fault_t, fault_fields)};

static const cyaml_schema_field_t symptom_fields[] = {
    CYAML_FIELD_UINT("errors_percent", CYAML_FLAG_DEFAULT, problem_symptom_t, errors_percent),
    CYAML_FIELD_UINT("within_ms", CYAML_FLAG_DEFAULT, problem_symptom_t, within_ms),
    CYAML_FIELD_END,
};

static const cyaml_schema_field_t load_fields[] = {
    TEXT("url", problem_load_t, url),
    TEXT("mix", problem_load_t, mix),
    TEXT("distribution", problem_load_t, distribution),
    CYAML_FIELD_UINT("rate", CYAML_FLAG_DEFAULT, problem_load_t, rate),
    CYAML_FIELD_UINT("connections", CYAML_FLAG_DEFAULT, problem_load_t, connections),
    CYAML_FIELD_END,
};

static const cyaml_schema_field_t expected_fields[] = {
    OPTIONAL_TEXT("anomaly", problem_expected_t, anomaly),
    LIST("components", CYAML_FLAG_OPTIONAL, problem_expected_t, components, component_count,
        &text_value, 0),
    OPTIONAL_TEXT("system_level", problem_expected_t, system_level),
    OPTIONAL_TEXT("fault_type", problem_expected_t, fault_type),
    CYAML_FIELD_END,
};

static const cyaml_schema_field_t mitigation_fields[] = {
    LIST("deployments", 0, problem_mitigation_t, deployments, deployment_count, &text_value, 1),
    CYAML_FIELD_UINT("settle_ms", CYAML_FLAG_DEFAULT, problem_mitigation_t, settle_ms),
    CYAML_FIELD_UINT("hold_ms", CYAML_FLAG_DEFAULT, problem_mitigation_t, hold_ms),
    CYAML_FIELD_UINT("load_ms", CYAML_FLAG_DEFAULT, problem_mitigation_t, load_ms),
    CYAML_FIELD_UINT("success_percent", CYAML_FLAG_DEFAULT, problem_mitigation_t, success_percent),
    CYAML_FIELD_END,
};

static const cyaml_schema_field_t problem_fields[] = {
    TEXT("id", problem_t, id),
    CYAML_FIELD_ENUM("task", CYAML_FLAG_STRICT, problem_t, task, tasks, ARRAY_SIZE(tasks)),
    CYAML_FIELD_MAPPING_PTR(
        "expected", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, problem_t, expected, expected_fields),
    CYAML_FIELD_MAPPING_PTR("mitigated_when", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, problem_t,
        mitigated_when, mitigation_fields),
    LIST("solution", 0, problem_t, solution, solution_count, &text_value, 1),
    CYAML_FIELD_END,
};

static const cyaml_schema_value_t problem_value = {
    CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, problem_t, problem_fields)};

static const cyaml_schema_field_t family_fields[] = {
    TEXT("family", problem_family_t, family),
    TEXT("summary", problem_family_t, summary),
    TEXT("application", problem_family_t, application),
    TEXT("namespace", problem_family_t, namespace),
    TEXT("about", problem_family_t, about),
    LIST("faults", 0, problem_family_t, faults, fault_count, &fault_value, 1),
    CYAML_FIELD_MAPPING_PTR("symptom", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, problem_family_t,
        symptom, symptom_fields),
    CYAML_FIELD_MAPPING_PTR("load", CYAML_FLAG_POINTER, problem_family_t, load, load_fields),
    LIST("problems", 0, problem_family_t, problems, problem_count, &problem_value, 1),
    CYAML_FIELD_END,
};

static const cyaml_schema_value_t family_value = {
    CYAML_VALUE_MAPPING(CYAML_FLAG_POINTER, problem_family_t, family_fields)};

/* ---- what the schema cannot say ----------------------------------------------------------- */

/* What the task needs below `expected`, or NULL if it is there. */
static const char *missing_answer(const problem_t *problem)
{
    const problem_expected_t *expected = problem->expected;
    switch (problem->task) {
    case TASK_DETECTION:
        return expected && expected->anomaly ? NULL : "anomaly: \"Yes\" or \"No\"";
    case TASK_LOCALIZATION:
        return expected && expected->components ? NULL : "components: a list of services";
    case TASK_ANALYSIS:
        return expected && expected->system_level && expected->fault_type
                   ? NULL
                   : "system_level and fault_type";
    case TASK_MITIGATION:
        break;
    }
    return NULL;
}

static int check_answer(const char *path, const problem_t *problem, const char *node, err_t *err)
{
    AUTO_FREE char *expected = xasprintf("%s.expected", node);
    const char *missing = missing_answer(problem);
    if (missing) {
        return schema_fail(
            path, expected, err, "a %s problem needs %s", task_name(problem->task), missing);
    }
    if (problem->task == TASK_DETECTION && strcmp(problem->expected->anomaly, "Yes") != 0
        && strcmp(problem->expected->anomaly, "No") != 0) {
        AUTO_FREE char *anomaly = xasprintf("%s.anomaly", expected);
        return schema_fail(
            path, anomaly, err, "expected \"Yes\" or \"No\", not '%s'", problem->expected->anomaly);
    }
    if (problem->task == TASK_MITIGATION && !problem->mitigated_when)
        return schema_fail(path, node, err, "a mitigation problem needs mitigated_when");
    if (problem->task != TASK_MITIGATION && problem->mitigated_when) {
        AUTO_FREE char *when = xasprintf("%s.mitigated_when", node);
        return schema_fail(path, when, err, "only for problems whose task is mitigation");
    }
    return 0;
}

static int check_percent(const char *path, const char *node, uint32_t percent, err_t *err)
{
    if (percent >= 1 && percent <= 100)
        return 0;
    return schema_fail(path, node, err, "expected 1 to 100, not %u", percent);
}

static int check_numbers(const char *path, const problem_family_t *family, err_t *err)
{
    if (family->load->rate == 0)
        return schema_fail(path, "load.rate", err, "expected at least 1 request a second");
    if (family->load->connections == 0)
        return schema_fail(path, "load.connections", err, "expected at least 1");
    if (family->symptom)
        return check_percent(path, "symptom.errors_percent", family->symptom->errors_percent, err);
    return 0;
}

static int check_problem(
    const char *path, const problem_family_t *family, uint32_t index, err_t *err)
{
    const problem_t *problem = &family->problems[index];
    AUTO_FREE char *node = xasprintf("problems[%u]", index);
    int rc = check_answer(path, problem, node, err);
    if (rc == 0 && problem->mitigated_when) {
        AUTO_FREE char *percent = xasprintf("%s.mitigated_when.success_percent", node);
        rc = check_percent(path, percent, problem->mitigated_when->success_percent, err);
    }
    return rc;
}

int problem_file_load(const char *path, problem_family_t **family_p, err_t *err)
{
    problem_family_t *family = NULL;
    int rc = schema_load(path, &family_value, (void **)&family, err);
    if (rc == 0)
        rc = check_numbers(path, family, err);
    for (uint32_t i = 0; rc == 0 && i < family->problem_count; i++) {
        family->problems[i].family = family;
        rc = check_problem(path, family, i, err);
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
