/* Job.spec.podFailurePolicy: the first rule that matches decides. */
#include "services/cluster/env/controllers/job_run.h"

#include "base/auto.h"
#include "base/mem.h"
#include "services/cluster/env/object.h"

typedef struct trial {
    const json_t *pod;
    const char *action;
    size_t index; /* of the rule */
    char **why_p;
} trial_t;

static bool is_among(const json_t *values, int64_t code)
{
    size_t i = 0;
    json_t *value = NULL;
    json_array_foreach(values, i, value)
    {
        if (json_integer_value(value) == code)
            return true;
    }
    return false;
}

static bool matches_container(trial_t *self, const json_t *rule, const json_t *status)
{
    const char *wanted = object_string(rule, "containerName");
    const json_t *code = object_at(status, "state.terminated.exitCode");
    if (!code || json_integer_value(code) == 0
        || (*wanted && strcmp(wanted, object_string(status, "name")) != 0))
        return false;
    bool is_in = is_among(json_object_get(rule, "values"), json_integer_value(code));
    if (is_in != (strcmp(object_string(rule, "operator"), "In") == 0))
        return false;
    *self->why_p = xasprintf(
        "Container %s for pod %s/%s failed with exit code %lld matching %s rule at index %zu",
        object_string(status, "name"), object_namespace(self->pod), object_name(self->pod),
        (long long)json_integer_value(code), self->action, self->index);
    return true;
}

static bool matches_codes(trial_t *self, const json_t *rule)
{
    static const char *const lists[] = {"status.initContainerStatuses", "status.containerStatuses"};
    for (size_t i = 0; i < ARRAY_SIZE(lists); i++) {
        size_t j = 0;
        json_t *status = NULL;
        json_array_foreach(object_at(self->pod, lists[i]), j, status)
        {
            if (matches_container(self, rule, status))
                return true;
        }
    }
    return false;
}

static bool matches_conditions(trial_t *self, const json_t *patterns)
{
    size_t i = 0;
    json_t *pattern = NULL;
    json_array_foreach(patterns, i, pattern)
    {
        const json_t *condition = object_condition(self->pod, object_string(pattern, "type"));
        if (!condition
            || strcmp(object_string(condition, "status"), object_string(pattern, "status")) != 0)
            continue;
        *self->why_p = xasprintf("Pod %s/%s has condition %s matching %s rule at index %zu",
            object_namespace(self->pod), object_name(self->pod), object_string(pattern, "type"),
            self->action, self->index);
        return true;
    }
    return false;
}

const char *job_policy_action(const json_t *job, const json_t *pod, char **why_p)
{
    size_t i = 0;
    json_t *rule = NULL;
    json_array_foreach(object_at(job, "spec.podFailurePolicy.rules"), i, rule)
    {
        AUTO_FREE char *why = NULL;
        trial_t trial = {
            .pod = pod, .action = object_string(rule, "action"), .index = i, .why_p = &why};
        const json_t *codes = json_object_get(rule, "onExitCodes");
        bool is_match = codes
                            ? matches_codes(&trial, codes)
                            : matches_conditions(&trial, json_object_get(rule, "onPodConditions"));
        if (!is_match)
            continue;
        if (strcmp(trial.action, "FailJob") == 0)
            *why_p = TAKE(why);
        return trial.action;
    }
    return "Count";
}
