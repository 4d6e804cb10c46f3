#include "services/evaluator/grader.h"

#include "base/auto.h"
#include "services/evaluator/tokens.h"

#include <ctype.h>
#include <string.h>

static const grader_t *const graders[] = {
    &grader_analysis,
    &grader_detection,
    &grader_localization,
    &grader_mitigation,
};

const grader_t *grader_find(const char *task, err_t *err)
{
    for (size_t i = 0; i < ARRAY_SIZE(graders); i++) {
        if (strcmp(graders[i]->task, task) == 0)
            return graders[i];
    }
    err_set(err, ERR_NOT_FOUND, "there is no grader for the task '%.40s'", task);
    return NULL;
}

void grader_add_common(
    const grader_t *self, const json_t *trace, double duration_s, json_t *results)
{
    size_t steps = 0, in_tokens = 0, out_tokens = 0;
    size_t i;
    json_t *item;
    json_array_foreach(trace, i, item)
    {
        const char *role = json_string_value(json_object_get(item, "role"));
        const char *content = json_string_value(json_object_get(item, "content"));
        if (!role || !content)
            continue;
        if (strcmp(role, "assistant") == 0) {
            steps++;
            out_tokens += tokens_count(content);
        } else {
            in_tokens += tokens_count(content);
        }
    }
    json_object_set_new(results, self->time_key, json_real(duration_s));
    json_object_set_new(results, "steps", json_integer((json_int_t)steps));
    json_object_set_new(results, "in_tokens", json_integer((json_int_t)in_tokens));
    json_object_set_new(results, "out_tokens", json_integer((json_int_t)out_tokens));
}

static bool is_shown(const char *text, const json_t *trace)
{
    size_t i;
    json_t *item;
    json_array_foreach((json_t *)trace, i, item)
    {
        const char *role = json_string_value(json_object_get(item, "role"));
        const char *content = json_string_value(json_object_get(item, "content"));
        if (role && content && strcmp(role, "env") == 0 && strstr(content, text))
            return true;
    }
    return false;
}

void grader_add_evidence(const json_t *problem, const json_t *trace, json_t *results)
{
    const json_t *evidence = json_object_get(problem, "evidence");
    size_t count = json_array_size(evidence);
    size_t shown = 0;
    for (size_t i = 0; i < count; i++)
        shown += is_shown(json_string_value(json_array_get(evidence, i)), trace);
    if (count)
        json_object_set_new(results, "evidence_seen", json_real((double)shown / (double)count));
}

bool grader_is_same_word(const char *a, const char *b)
{
    if (!a || !b)
        return false;
    while (isspace((unsigned char)*a))
        a++;
    while (isspace((unsigned char)*b))
        b++;
    for (; *a && *b && tolower((unsigned char)*a) == tolower((unsigned char)*b); a++)
        b++;
    while (isspace((unsigned char)*a))
        a++;
    while (isspace((unsigned char)*b))
        b++;
    return !*a && !*b;
}
