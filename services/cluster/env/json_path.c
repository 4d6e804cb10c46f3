/* Walking along a path; a star or a filter tries each element until the rest leads somewhere. */
#include "services/cluster/env/json_path.h"

#include "services/cluster/env/object.h"

#include "base/auto.h"
#include "base/mem.h"

#include <ctype.h>

typedef enum { STEP_END, STEP_KEY, STEP_INDEX, STEP_ALL, STEP_FILTER, STEP_BAD } step_kind_t;

enum { TEXT_SIZE = 256 };

typedef struct step {
    step_kind_t kind;
    char key[TEXT_SIZE];   /* of a member; of a filter, the path after @ */
    char value[TEXT_SIZE]; /* of a filter */
    bool is_equal;
    long index;
    const char *rest;
} step_t;

/* ---- reading ------------------------------------------------------------------------------ */

static bool copy_text(char to[TEXT_SIZE], const char *from, size_t length)
{
    if (length >= TEXT_SIZE)
        return false;
    memcpy(to, from, length);
    to[length] = 0;
    return true;
}

/* A name up to '.' or '[', in which a backslash takes the next character as it is. */
static void read_name(step_t *step, const char *at)
{
    size_t length = 0;
    while (*at && *at != '.' && *at != '[' && length < TEXT_SIZE - 1) {
        if (*at == '\\' && at[1])
            at++;
        step->key[length++] = *at++;
    }
    step->key[length] = 0;
    step->kind = length ? STEP_KEY : STEP_BAD;
    step->rest = at;
    if (!strcmp(step->key, "*"))
        step->kind = STEP_ALL;
}

/* 'text' or "text"; NULL if it is neither. */
static const char *read_quoted(char to[TEXT_SIZE], const char *at)
{
    char quote = *at;
    const char *end = quote == '\'' || quote == '"' ? strchr(at + 1, quote) : NULL;
    return end && copy_text(to, at + 1, (size_t)(end - at - 1)) ? end + 1 : NULL;
}

/* What follows "[?(": @.path=="value")] */
static void read_filter(step_t *step, const char *at)
{
    size_t length = strcspn(at, "=!)");
    const char *operator= at + length;
    step->kind = STEP_BAD;
    if (*at != '@'
        || operator[0] == ')' || !operator[0] || operator[1] != '=' || !copy_text(
            step->key, at + 1, length - 1))
        return;
    for (char *end = step->key + strlen(step->key); end > step->key && end[-1] == ' ';)
        *--end = 0;
    step->is_equal = operator[0] == '=';
    at = operator+ 2;
    at += strspn(at, " ");
    const char *end = read_quoted(step->value, at);
    if (!end) { /* a number or a truth value */
        length = strcspn(at, " )");
        end = length && copy_text(step->value, at, length) ? at + length : NULL;
    }
    if (!end)
        return;
    end += strspn(end, " ");
    if (strncmp(end, ")]", 2) != 0)
        return;
    step->kind = STEP_FILTER;
    step->rest = end + 2;
}

static void read_bracket(step_t *step, const char *at)
{
    char *end;
    const char *after = read_quoted(step->key, at);
    step->kind = STEP_BAD;
    if (!strncmp(at, "?(", 2)) {
        read_filter(step, at + 2);
        return;
    }
    if (after && *after == ']') {
        step->kind = STEP_KEY;
        step->rest = after + 1;
        return;
    }
    if (!strncmp(at, "*]", 2)) {
        step->kind = STEP_ALL;
        step->rest = at + 2;
        return;
    }
    step->index = strtol(at, &end, 10);
    if (end == at || *end != ']')
        return;
    step->kind = STEP_INDEX;
    step->rest = end + 1;
}

static void read_step(step_t *step, const char *path)
{
    *step = (step_t){.kind = STEP_BAD};
    if (!*path)
        step->kind = STEP_END;
    else if (*path == '[')
        read_bracket(step, path + 1);
    else if (*path == '.' && path[1])
        read_name(step, path + 1);
}

bool json_path_is_valid(const char *path)
{
    step_t step;
    if (*path != '.' && *path != '[')
        return false;
    do {
        read_step(&step, path);
        path = step.rest;
    } while (step.kind != STEP_END && step.kind != STEP_BAD);
    return step.kind == STEP_END;
}

/* ---- walking ------------------------------------------------------------------------------ */

static const json_t *walk(const json_t *value, const char *path);

static bool is_picked(const step_t *step, const json_t *element)
{
    const json_t *value = walk(element, step->key);
    if (!value)
        return false;
    if (json_is_string(value))
        return !strcmp(json_string_value(value), step->value) == step->is_equal;
    AUTO_FREE char *text = mem_check(json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY));
    return !strcmp(text, step->value) == step->is_equal;
}

static const json_t *walk_elements(const json_t *list, const step_t *step)
{
    size_t i;
    json_t *element;
    json_array_foreach(list, i, element)
    {
        const json_t *found =
            step->kind == STEP_ALL || is_picked(step, element) ? walk(element, step->rest) : NULL;
        if (found)
            return found;
    }
    return NULL;
}

static const json_t *walk(const json_t *value, const char *path)
{
    step_t step;
    read_step(&step, path);
    switch (step.kind) {
    case STEP_END:
        return value;
    case STEP_KEY:
        value = json_object_get(value, step.key);
        return value ? walk(value, step.rest) : NULL;
    case STEP_INDEX: {
        long count = (long)json_array_size(value);
        long index = step.index < 0 ? step.index + count : step.index;
        return index >= 0 && index < count ? walk(json_array_get(value, (size_t)index), step.rest)
                                           : NULL;
    }
    case STEP_ALL:
    case STEP_FILTER:
        return walk_elements(value, &step);
    case STEP_BAD:
        break;
    }
    return NULL;
}

const json_t *json_path_first(const json_t *root, const char *path)
{
    return json_path_is_valid(path) ? walk(root, path) : NULL;
}
