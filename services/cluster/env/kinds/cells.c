/* Cells of printed tables. */
#include "services/cluster/env/kinds/cells.h"

#include "services/cluster/env/object.h"

#include "base/auto.h"
#include "base/mem.h"

static void in_two_units(
    char text[DURATION_SIZE], int64_t big, char big_unit, int64_t small, char small_unit)
{
    if (small)
        snprintf(text, DURATION_SIZE, "%lld%c%lld%c", (long long)big, big_unit, (long long)small,
            small_unit);
    else
        snprintf(text, DURATION_SIZE, "%lld%c", (long long)big, big_unit);
}

void human_duration(char text[DURATION_SIZE], int64_t seconds)
{
    int64_t minutes = seconds / 60;
    int64_t hours = minutes / 60;
    int64_t days = hours / 24;
    if (seconds < -1)
        snprintf(text, DURATION_SIZE, "<invalid>");
    else if (seconds < 120)
        in_two_units(text, seconds < 0 ? 0 : seconds, 's', 0, 0);
    else if (minutes < 10)
        in_two_units(text, minutes, 'm', seconds % 60, 's');
    else if (minutes < 180)
        in_two_units(text, minutes, 'm', 0, 0);
    else if (hours < 8)
        in_two_units(text, hours, 'h', minutes % 60, 'm');
    else if (hours < 48)
        in_two_units(text, hours, 'h', 0, 0);
    else if (hours < 192)
        in_two_units(text, days, 'd', hours % 24, 'h');
    else if (days < 2L * 365)
        in_two_units(text, days, 'd', 0, 0);
    else
        in_two_units(text, days / 365, 'y', days < 8L * 365 ? days % 365 : 0, 'd');
}

void cells_string(json_t *cells, const char *text)
{
    json_array_append_new(cells, json_string(text));
}

void cells_format(json_t *cells, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    json_array_append_new(cells, json_vsprintf(format, args));
    va_end(args);
}

void cells_integer(json_t *cells, int64_t value)
{
    json_array_append_new(cells, json_integer(value));
}

void cells_at(json_t *cells, const json_t *object, const char *path, const char *otherwise)
{
    const char *text = object_string(object, path);
    cells_string(cells, *text ? text : otherwise);
}

void cells_since(json_t *cells, const char *time, time_t now)
{
    char text[DURATION_SIZE] = "<unknown>";
    time_t at = object_time_parse(time);
    if (at >= 0)
        human_duration(text, now - at);
    cells_string(cells, text);
}

void cells_age(json_t *cells, const json_t *object, time_t now)
{
    cells_since(cells, object_string(object, "metadata.creationTimestamp"), now);
}

/* ---- joined lists ------------------------------------------------------------------------- */

static int by_text(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Joins texts (freed) with commas. */
static char *join(char **texts, size_t count)
{
    char *joined = NULL;
    size_t size = 0;
    FILE *out = mem_check(open_memstream(&joined, &size));
    for (size_t i = 0; i < count; i++) {
        fprintf(out, "%s%s", i ? "," : "", texts[i]);
        free(texts[i]);
    }
    fclose(out);
    return joined;
}

/* "a=b" for each label, sorted, into texts; returns how many. */
static size_t label_texts(const json_t *labels, char **texts)
{
    const char *key;
    json_t *value;
    size_t count = 0;
    json_object_foreach((json_t *)labels, key, value)
    {
        const char *text = json_string_value(value);
        texts[count++] = xasprintf("%s=%s", key, text ? text : "");
    }
    qsort(texts, count, sizeof(*texts), by_text);
    return count;
}

static char *expression_text(const json_t *expression)
{
    const char *key = object_string(expression, "key");
    const char *operator= object_string(expression, "operator");
    const json_t *values = json_object_get(expression, "values");
    AUTO_FREE char **texts = xcalloc(json_array_size(values) + 1, sizeof(char *));
    size_t i;
    json_t *value;
    if (!strcmp(operator, "Exists") || !strcmp(operator, "DoesNotExist"))
        return xasprintf("%s%s", *operator== 'E' ? "" : "!", key);
    json_array_foreach(values, i, value) texts[i] =
        xstrdup(json_is_string(value) ? json_string_value(value) : "");
    qsort(texts, i, sizeof(*texts), by_text);
    AUTO_FREE char *joined = join(texts, i);
    return xasprintf("%s %s (%s)", key, !strcmp(operator, "In") ? "in" : "notin", joined);
}

void cells_labels(json_t *cells, const json_t *labels)
{
    AUTO_FREE char **texts = xcalloc(json_object_size(labels) + 1, sizeof(char *));
    size_t count = label_texts(labels, texts);
    AUTO_FREE char *joined = join(texts, count);
    cells_string(cells, count ? joined : "<none>");
}

void cells_selector(json_t *cells, const json_t *selector)
{
    const json_t *labels = json_object_get(selector, "matchLabels");
    const json_t *expressions = json_object_get(selector, "matchExpressions");
    AUTO_FREE char **texts =
        xcalloc(json_object_size(labels) + json_array_size(expressions) + 1, sizeof(char *));
    size_t count = label_texts(labels, texts);
    size_t i;
    json_t *expression;
    json_array_foreach(expressions, i, expression) texts[count++] = expression_text(expression);
    AUTO_FREE char *joined = join(texts, count);
    cells_string(cells, count ? joined : "<none>");
}

static void cells_container_field(json_t *cells, const json_t *containers, const char *key)
{
    AUTO_FREE char **texts = xcalloc(json_array_size(containers) + 1, sizeof(char *));
    size_t i;
    json_t *container;
    json_array_foreach(containers, i, container) texts[i] = xstrdup(object_string(container, key));
    AUTO_FREE char *joined = join(texts, i);
    cells_string(cells, joined);
}

void cells_containers(json_t *cells, const json_t *pod_spec)
{
    const json_t *containers = json_object_get(pod_spec, "containers");
    cells_container_field(cells, containers, "name");
    cells_container_field(cells, containers, "image");
}

void cells_some(json_t *cells, const json_t *texts, const char *none)
{
    enum { SHOWN = 3 };
    char *shown[SHOWN];
    size_t count = 0;
    size_t total = json_array_size(texts);
    for (; count < SHOWN && count < total; count++)
        shown[count] = xstrdup(json_string_value(json_array_get(texts, count)));
    AUTO_FREE char *joined = join(shown, count);
    if (total > SHOWN)
        cells_format(cells, "%s + %zu more...", joined, total - SHOWN);
    else
        cells_string(cells, count ? joined : none);
}

void row_name_age(const json_t *object, time_t now, json_t *cells)
{
    cells_string(cells, object_name(object));
    cells_age(cells, object, now);
}
