/* detection: "Yes" or "No", in any case. */
#include "services/evaluator/grader.h"

static bool grade(const json_t *expected, const json_t *solution, json_t *results)
{
    const char *right = json_string_value(json_object_get(expected, "anomaly"));
    const char *given = json_string_value(solution);
    bool is_right = grader_is_same_word(given, right);
    const char *word = !given ? "Invalid Format" : is_right ? "Correct" : "Incorrect";
    json_object_set_new(results, "Detection Accuracy", json_string(word));
    json_object_set_new(results, "success", json_boolean(is_right));
    return is_right;
}

const grader_t grader_detection = {.task = "detection", .time_key = "TTD", .grade = grade};
