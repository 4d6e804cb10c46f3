/* Completion indexes as Job.status.completedIndexes lists them: "0-3,7". */
#include "services/cluster/env/controllers/job_run.h"

#include "base/auto.h"
#include "base/mem.h"
#include "services/cluster/env/object.h"

int64_t job_index_of(const json_t *pod)
{
    const char *text = object_annotation(pod, JOB_INDEX);
    char *end = NULL;
    long long index = text ? strtoll(text, &end, 10) : -1;
    return end && end != text && !*end && index >= 0 ? index : -1;
}

static const char *read_range(const char *list, long long *first_p, long long *last_p)
{
    char *end = NULL;
    *first_p = *last_p = strtoll(list, &end, 10);
    if (*end == '-')
        *last_p = strtoll(end + 1, &end, 10);
    return end + (*end == ',');
}

/* Reads the next range of a list, and those that follow it without a gap; false at its end. */
static bool next_range(const char **list_p, long long *first_p, long long *last_p)
{
    const char *list = *list_p;
    if (!*list)
        return false;
    const char *rest = read_range(list, first_p, last_p);
    bool is_read = rest != list;
    while (is_read && *rest) {
        long long first;
        long long last;
        const char *next = read_range(rest, &first, &last);
        if (next == rest || first != *last_p + 1)
            break;
        *last_p = last;
        rest = next;
    }
    *list_p = rest;
    return is_read;
}

bool job_index_has(const char *list, int64_t index)
{
    long long first;
    long long last;
    while (next_range(&list, &first, &last)) {
        if (index >= first && index <= last)
            return true;
    }
    return false;
}

static char *append(char *list, long long first, long long last)
{
    AUTO_FREE char *old = list;
    const char *comma = *old ? "," : "";
    if (last > first + 1)
        return xasprintf("%s%s%lld-%lld", old, comma, first, last);
    if (last == first + 1)
        return xasprintf("%s%s%lld,%lld", old, comma, first, last);
    return xasprintf("%s%s%lld", old, comma, first);
}

char *job_index_add(const char *list, int64_t index)
{
    char *result = xstrdup("");
    long long held_first = index;
    long long held_last = index;
    long long first;
    long long last;
    bool is_placed = false;
    while (next_range(&list, &first, &last)) {
        if (is_placed || last + 1 < held_first) {
            result = append(result, first, last);
        } else if (first > held_last + 1) {
            result = append(append(result, held_first, held_last), first, last);
            is_placed = true;
        } else {
            held_first = first < held_first ? first : held_first;
            held_last = last > held_last ? last : held_last;
        }
    }
    return is_placed ? result : append(result, held_first, held_last);
}
