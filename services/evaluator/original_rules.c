#include "services/evaluator/original.h"

#include "base/auto.h"
#include "base/mem.h"
#include "services/evaluator/grader.h"

#include <string.h>

static const char *text_of(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    return text ? text : "";
}

/* ---- answers ------------------------------------------------------------------------------- */

static bool grade_detection(const json_t *expected, const json_t *solution, json_t *results)
{
    const char *given = json_string_value(solution);
    bool is_right = grader_is_same_word(given, text_of(expected, "anomaly"));
    const char *word = !given ? "Invalid Format" : is_right ? "Correct" : "Incorrect";
    json_object_set_new(results, "Detection Accuracy", json_string(word));
    return is_right;
}

static bool is_equal(const json_t *text, const char *name)
{
    return json_is_string(text) && strcmp(json_string_value(text), name) == 0;
}

static bool has(const json_t *list, const char *name)
{
    size_t i;
    json_t *item;
    json_array_foreach((json_t *)list, i, item)
    {
        if (is_equal(item, name))
            return true;
    }
    return false;
}

/* Its exact match is of the one list, case and all, or of a bare name; a bare name has no members.
 */
static bool is_exact(const json_t *solution, const char *name)
{
    if (json_is_string(solution))
        return is_equal(solution, name);
    return json_array_size(solution) == 1 && is_equal(json_array_get(solution, 0), name);
}

static bool grade_localization(const json_t *expected, const json_t *solution, json_t *results)
{
    const char *right =
        json_string_value(json_array_get(json_object_get(expected, "components"), 0));
    const char *other =
        json_string_value(json_array_get(json_object_get(expected, "also_accepted"), 0));
    size_t count = json_array_size(solution);
    bool is_right = (right && is_exact(solution, right)) || (other && is_exact(solution, other));
    bool is_subset = (right && has(solution, right)) || (other && has(solution, other));
    double accuracy = is_right ? 100.0 : is_subset ? 100.0 / (double)count : 0.0;
    bool is_success = is_right || (is_subset && count == 1);
    json_object_set_new(results, "Localization Accuracy", json_real(accuracy));
    json_object_set_new(results, "success", json_boolean(is_success));
    json_object_set_new(results, "is_subset", json_boolean(is_subset));
    return is_success;
}

bool original_grade(
    const char *task, const json_t *expected, const json_t *solution, json_t *results)
{
    if (strcmp(task, "detection") == 0)
        return grade_detection(expected, solution, results);
    if (strcmp(task, "localization") == 0)
        return grade_localization(expected, solution, results);
    return grader_analysis.grade(expected, solution, results);
}

/* ---- pods ---------------------------------------------------------------------------------- */

static const json_t *statuses_of(const json_t *pod)
{
    return json_object_get(json_object_get(pod, "status"), "containerStatuses");
}

static bool are_all_ready(const json_t *pod)
{
    size_t i;
    json_t *status;
    json_array_foreach((json_t *)statuses_of(pod), i, status)
    {
        if (!json_is_true(json_object_get(status, "ready")))
            return false;
    }
    return json_array_size(statuses_of(pod)) > 0;
}

/* Its snapshot: which reasons of waiting count differs from problem to problem. */
static bool is_container_well(const json_t *status, bool is_strict)
{
    static const char *const bad[] = {
        "CrashLoopBackOff", "Error", "ImagePullBackOff", "ErrImagePull"};
    const json_t *state = json_object_get(status, "state");
    const char *waiting = text_of(json_object_get(state, "waiting"), "reason");
    const json_t *ended = json_object_get(state, "terminated");
    size_t count = is_strict ? ARRAY_SIZE(bad) : 1;
    for (size_t i = 0; i < count; i++) {
        if (strcmp(waiting, bad[i]) == 0)
            return false;
    }
    if (ended && strcmp(text_of(ended, "reason"), "Completed") != 0)
        return false;
    return ended || json_is_true(json_object_get(status, "ready"));
}

static bool is_pod_well(const json_t *pod, bool is_strict)
{
    size_t i;
    json_t *status;
    json_array_foreach((json_t *)statuses_of(pod), i, status)
    {
        if (!is_container_well(status, is_strict))
            return false;
    }
    return json_is_array(statuses_of(pod)); /* without, the original breaks off */
}

bool original_pods_pass(const char *rule, const json_t *pods)
{
    const json_t *items = json_object_get(pods, "items");
    bool is_waiting = strcmp(rule, "wait_ready") == 0;
    bool is_strict = strcmp(rule, "pods_and_command") == 0;
    size_t i;
    json_t *pod;
    json_array_foreach((json_t *)items, i, pod)
    {
        bool is_done = strcmp(text_of(json_object_get(pod, "status"), "phase"), "Succeeded") == 0;
        bool is_well = is_waiting ? is_done || are_all_ready(pod) : is_pod_well(pod, is_strict);
        if (!is_well)
            return false;
    }
    return !is_waiting || json_array_size(items) > 0; /* a snapshot of no pods passes */
}

bool original_command_is(const json_t *deployment, const char *program)
{
    const json_t *template = json_object_get(json_object_get(deployment, "spec"), "template");
    const json_t *containers = json_object_get(json_object_get(template, "spec"), "containers");
    size_t i;
    json_t *container;
    json_array_foreach((json_t *)containers, i, container)
    {
        if (!has(json_object_get(container, "command"), program))
            return false;
    }
    return json_array_size(containers) > 0;
}
