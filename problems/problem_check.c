#include "problems/problem_check.h"

#include "base/auto.h"
#include "base/mem.h"
#include "faults/catalogue.h"
#include "problems/application.h"
#include "schema/schema.h"

#include <string.h>

static const char *const levels[] = {
    "Hardware", "Operating System", "Virtualization", "Application"};
static const char *const types[] = {"Misconfiguration", "Code Defect", "Authentication Issue",
    "Network/Storage Issue", "Operation Error", "Dependency Problem"};

static const char *const rules[] = {"all_pods", "wait_ready", "pods_and_command"};

/* ---- the answer --------------------------------------------------------------------------- */

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

static int check_word(const char *path, const char *node, const char *word,
    const char *const *words, size_t count, err_t *err)
{
    AUTO_FREE char *all = xstrdup("");
    for (size_t i = 0; i < count; i++) {
        if (strcmp(words[i], word) == 0)
            return 0;
        char *longer = xasprintf("%s%s%s", all, i ? ", " : "", words[i]);
        free(all);
        all = longer;
    }
    return schema_fail(path, node, err, "'%.40s' is not one of: %s", word, all);
}

static int check_analysis(
    const char *path, const problem_expected_t *expected, const char *node, err_t *err)
{
    AUTO_FREE char *level = xasprintf("%s.system_level", node);
    AUTO_FREE char *type = xasprintf("%s.fault_type", node);
    int rc = check_word(path, level, expected->system_level, levels, ARRAY_SIZE(levels), err);
    return rc < 0 ? rc
                  : check_word(path, type, expected->fault_type, types, ARRAY_SIZE(types), err);
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
    if (problem->task == TASK_ANALYSIS)
        return check_analysis(path, problem->expected, expected, err);
    if (problem->task == TASK_MITIGATION && !problem->mitigated_when)
        return schema_fail(path, node, err, "a mitigation problem needs mitigated_when");
    if (problem->task != TASK_MITIGATION && problem->mitigated_when) {
        AUTO_FREE char *when = xasprintf("%s.mitigated_when", node);
        return schema_fail(path, when, err, "only for problems whose task is mitigation");
    }
    return 0;
}

/* ---- numbers ------------------------------------------------------------------------------ */

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

/* ---- names -------------------------------------------------------------------------------- */

/* Fails at the node of the file with what another function found wrong. */
static int fail_at(const char *path, const char *node, const err_t *cause, err_t *err)
{
    return schema_fail(path, node, err, "%s", cause->text);
}

/* A value that the seed gives, or a selection that the injector makes. */
static bool is_open(const char *name)
{
    return strstr(name, "${") || strchr(name, ':') || strcmp(name, "random") == 0;
}

/* One of the application's objects, unless it is a selection or varies. */
static int check_name(const char *path, const problem_family_t *family, const char *node,
    const char *name, err_t *err)
{
    err_t cause = {0};
    if (is_open(name) || application_check_name(family->facts, name, &cause) == 0)
        return 0;
    return fail_at(path, node, &cause, err);
}

static int check_names(const char *path, const problem_family_t *family, const char *node,
    char *const *names, uint32_t count, err_t *err)
{
    int rc = 0;
    for (uint32_t i = 0; i < count && rc == 0; i++) {
        AUTO_FREE char *item = xasprintf("%s[%u]", node, i);
        rc = check_name(path, family, item, names[i], err);
    }
    return rc;
}

static int check_parameters(const char *path, const char *node, const problem_fault_t *fault,
    const fault_spec_t *spec, err_t *err)
{
    for (uint32_t i = 0; i < fault->parameter_count; i++) {
        const problem_parameter_t *parameter = &fault->parameters[i];
        json_auto_t *value = json_string(parameter->value);
        err_t cause = {0};
        if (strstr(parameter->value, "${")
            || fault_spec_check_parameter(spec, parameter->name, value, &cause) == 0)
            continue;
        AUTO_FREE char *item = xasprintf("%s.parameters[%u]", node, i);
        return fail_at(path, item, &cause, err);
    }
    return 0;
}

/* The fault as it would be asked for; what varies is not looked at. */
static int check_whole_fault(const char *path, const char *node, const problem_fault_t *fault,
    const fault_spec_t *spec, err_t *err)
{
    json_auto_t *parameters = json_object();
    AUTO_FREE const char **targets = xcalloc(fault->target_count + 1, sizeof(*targets));
    for (uint32_t i = 0; i < fault->parameter_count; i++)
        json_object_set_new(
            parameters, fault->parameters[i].name, json_string(fault->parameters[i].value));
    for (uint32_t i = 0; i < fault->target_count; i++) {
        if (strstr(fault->targets[i], "${"))
            return 0;
        targets[i] = fault->targets[i];
    }
    for (uint32_t i = 0; i < fault->parameter_count; i++) {
        if (strstr(fault->parameters[i].value, "${"))
            return 0;
    }
    err_t cause = {0};
    return fault_spec_check(spec, targets, fault->target_count, parameters, &cause) < 0
               ? fail_at(path, node, &cause, err)
               : 0;
}

/* Against the injector's table. What has no place of its own in the file, such as a parameter that
 * is missing, is told at the fault. */
static int check_fault(const char *path, const problem_family_t *family, uint32_t index, err_t *err)
{
    const problem_fault_t *fault = &family->faults[index];
    AUTO_FREE char *node = xasprintf("faults[%u]", index);
    AUTO_FREE char *name = xasprintf("%s.fault", node);
    AUTO_FREE char *targets = xasprintf("%s.targets", node);
    err_t cause = {0};
    const fault_spec_t *spec = fault_spec_find(fault->fault, &cause);
    if (!spec)
        return fail_at(path, name, &cause, err);
    bool is_named = strcmp(spec->strikes, "workload") == 0 || strcmp(spec->strikes, "service") == 0;
    int rc = check_parameters(path, node, fault, spec, err);
    if (rc == 0 && is_named)
        rc = check_names(path, family, targets, fault->targets, fault->target_count, err);
    if (rc == 0 && index == 0 && fault->after_ms)
        return schema_fail(
            path, node, err, "the first fault cannot come later; after_ms must be 0");
    if (rc == 0 && index > 0 && fault->after_ms < family->faults[index - 1].after_ms)
        return schema_fail(path, node, err, "expected the faults in the order of after_ms");
    return rc < 0 ? rc : check_whole_fault(path, node, fault, spec, err);
}

static int check_vary(const char *path, const problem_family_t *family, uint32_t index, err_t *err)
{
    const problem_vary_t *vary = &family->vary[index];
    AUTO_FREE char *node = xasprintf("vary[%u]", index);
    err_t cause = {0};
    if (!vary->label == !vary->values)
        return schema_fail(path, node, err, "expected either values or label");
    if (!vary->label)
        return 0;
    json_auto_t *found = application_labelled(family->facts, vary->label, &cause);
    AUTO_FREE char *label = xasprintf("%s.label", node);
    return found ? 0 : fail_at(path, label, &cause, err);
}

static int check_family(const char *path, const problem_family_t *family, err_t *err)
{
    int rc = check_numbers(path, family, err);
    for (uint32_t i = 0; i < family->vary_count && rc == 0; i++)
        rc = check_vary(path, family, i, err);
    for (uint32_t i = 0; i < family->fault_count && rc == 0; i++)
        rc = check_fault(path, family, i, err);
    return rc;
}

/* ---- a problem ---------------------------------------------------------------------------- */

static int check_mitigation(const char *path, const problem_family_t *family,
    const problem_t *problem, const char *node, err_t *err)
{
    const problem_mitigation_t *when = problem->mitigated_when;
    AUTO_FREE char *percent = xasprintf("%s.mitigated_when.success_percent", node);
    AUTO_FREE char *deployments = xasprintf("%s.mitigated_when.deployments", node);
    AUTO_FREE char *recreate = xasprintf("%s.mitigated_when.recreate", node);
    AUTO_FREE char *original = xasprintf("%s.mitigated_when.original", node);
    int rc = check_percent(path, percent, when->success_percent, err);
    if (rc == 0 && when->original)
        rc = check_word(path, original, when->original, rules, ARRAY_SIZE(rules), err);
    if (rc == 0)
        rc = check_names(path, family, deployments, when->deployments, when->deployment_count, err);
    if (rc == 0)
        rc = check_names(path, family, recreate, when->recreate, when->recreate_count, err);
    return rc;
}

static int check_problem(
    const char *path, const problem_family_t *family, uint32_t index, err_t *err)
{
    const problem_t *problem = &family->problems[index];
    const problem_expected_t *expected = problem->expected;
    AUTO_FREE char *node = xasprintf("problems[%u]", index);
    AUTO_FREE char *components = xasprintf("%s.expected.components", node);
    AUTO_FREE char *also = xasprintf("%s.expected.also_accepted", node);
    int rc = check_answer(path, problem, node, err);
    if (rc == 0 && expected)
        rc = check_names(
            path, family, components, expected->components, expected->component_count, err);
    if (rc == 0 && expected)
        rc = check_names(path, family, also, expected->also_accepted, expected->also_count, err);
    if (rc == 0 && problem->mitigated_when)
        rc = check_mitigation(path, family, problem, node, err);
    return rc;
}

int problem_check(const char *path, const problem_family_t *family, err_t *err)
{
    int rc = check_family(path, family, err);
    for (uint32_t i = 0; i < family->problem_count && rc == 0; i++)
        rc = check_problem(path, family, i, err);
    return rc;
}
