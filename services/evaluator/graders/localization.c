/* localization: a list of names, or one name. Order and repetition do not matter. */
#include "services/evaluator/grader.h"

/* Whether a name is among the first count of a list. */
static bool has(const json_t *list, size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++) {
        if (grader_is_same_word(json_string_value(json_array_get(list, i)), name))
            return true;
    }
    return false;
}

/* How many different names there are, or -1 if something is no name. */
static int count_names(const json_t *list)
{
    int count = 0;
    for (size_t i = 0; i < json_array_size(list); i++) {
        const char *name = json_string_value(json_array_get(list, i));
        if (!name)
            return -1;
        count += !has(list, i, name);
    }
    return count;
}

static bool has_all(const json_t *list, const json_t *names)
{
    size_t i;
    json_t *name;
    json_array_foreach(names, i, name)
    {
        if (!has(list, json_array_size(list), json_string_value(name)))
            return false;
    }
    return true;
}

static bool grade(const json_t *expected, const json_t *solution, json_t *results)
{
    const json_t *right = json_object_get(expected, "components");
    json_t *given =
        json_is_string(solution) ? json_pack("[O]", solution) : json_incref((json_t *)solution);
    int count = json_is_array(given) ? count_names(given) : -1;
    bool is_subset = count >= 0 && has_all(given, right);
    int right_count = count_names(right);
    const json_t *also = json_object_get(expected, "also_accepted");
    bool is_other =
        count == 1 && also
        && has(also, json_array_size(also), json_string_value(json_array_get(given, 0)));
    bool is_exact = is_other || (is_subset && count == right_count);
    double accuracy = is_exact ? 100.0 : is_subset ? 100.0 * right_count / count : 0.0;
    json_decref(given);

    json_object_set_new(results, "Localization Accuracy", json_real(accuracy));
    json_object_set_new(results, "success", json_boolean(is_exact));
    json_object_set_new(results, "is_subset", json_boolean(is_subset || is_other));
    return is_exact;
}

const grader_t grader_localization = {.task = "localization", .time_key = "TTL", .grade = grade};
