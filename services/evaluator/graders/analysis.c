/* analysis: the level of the system and the type of the fault, each by its word. */
#include "services/evaluator/grader.h"

static bool is_right(const json_t *expected, const json_t *solution, const char *key)
{
    return grader_is_same_word(json_string_value(json_object_get(expected, key)),
        json_string_value(json_object_get(solution, key)));
}

static bool grade(const json_t *expected, const json_t *solution, json_t *results)
{
    bool is_level_right = is_right(expected, solution, "system_level");
    bool is_type_right = is_right(expected, solution, "fault_type");
    json_object_set_new(results, "system_level_correct", json_boolean(is_level_right));
    json_object_set_new(results, "fault_type_correct", json_boolean(is_type_right));
    json_object_set_new(results, "success", json_boolean(is_level_right && is_type_right));
    return is_level_right && is_type_right;
}

const grader_t grader_analysis = {.task = "analysis", .time_key = "TTA", .grade = grade};
