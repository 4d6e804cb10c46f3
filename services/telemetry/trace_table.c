#include "services/telemetry/trace_table.h"

#include "base/auto.h"
#include "base/mem.h"
#include "services/telemetry/csv.h"

#include <stdbool.h>

/* One row; all text is borrowed from the answers, which the table keeps. */
typedef struct row {
    const char *trace;
    const char *span;
    const char *parent;
    const char *service;
    const char *operation;
    json_int_t start_us;
    json_int_t duration_us;
    bool has_error;
    char *response;
} row_t;

struct trace_table {
    json_t *answers; /* array: keeps the text of the rows */
    json_t *seen;    /* trace ids */
    row_t *rows;
    size_t count;
    size_t capacity;
};

static const char *string_in(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    return text ? text : "";
}

/* ---- spans -------------------------------------------------------------------------------- */

static const char *parent_of(const json_t *span)
{
    size_t i = 0;
    json_t *reference = NULL;
    json_array_foreach(json_object_get(span, "references"), i, reference)
    {
        if (strcmp(string_in(reference, "refType"), "CHILD_OF") == 0)
            return string_in(reference, "spanID");
    }
    return "ROOT";
}

static json_t *tag(const json_t *span, const char *key)
{
    size_t i = 0;
    json_t *entry = NULL;
    json_array_foreach(json_object_get(span, "tags"), i, entry)
    {
        if (strcmp(string_in(entry, "key"), key) == 0)
            return json_object_get(entry, "value");
    }
    return NULL;
}

static char *response_of(const json_t *span)
{
    static const char *const keys[] = {
        "http.status_code", "http.response.status_code", "response_class"};
    for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
        const json_t *value = tag(span, keys[i]);
        if (json_is_integer(value))
            return xasprintf("%lld", (long long)json_integer_value(value));
        if (json_is_string(value))
            return xstrdup(json_string_value(value));
    }
    return xstrdup("Unknown");
}

static bool is_error(const json_t *span)
{
    const json_t *value = tag(span, "error");
    return json_is_true(value)
           || (json_is_string(value) && strcmp(json_string_value(value), "true") == 0);
}

static void add_row(trace_table_t *self, row_t row)
{
    if (self->count == self->capacity) {
        self->capacity = self->capacity ? 2 * self->capacity : 256;
        self->rows = mem_check(reallocarray(self->rows, self->capacity, sizeof(*self->rows)));
    }
    self->rows[self->count++] = row;
}

static void add_trace(trace_table_t *self, const json_t *trace)
{
    const char *id = string_in(trace, "traceID");
    const json_t *processes = json_object_get(trace, "processes");
    if (!*id || json_object_get(self->seen, id))
        return;
    json_object_set_new(self->seen, id, json_true());
    size_t i = 0;
    json_t *span = NULL;
    json_array_foreach(json_object_get(trace, "spans"), i, span)
    {
        const json_t *process = json_object_get(processes, string_in(span, "processID"));
        add_row(self, (row_t){.trace = id,
                          .span = string_in(span, "spanID"),
                          .parent = parent_of(span),
                          .service = string_in(process, "serviceName"),
                          .operation = string_in(span, "operationName"),
                          .start_us = json_integer_value(json_object_get(span, "startTime")),
                          .duration_us = json_integer_value(json_object_get(span, "duration")),
                          .has_error = is_error(span),
                          .response = response_of(span)});
    }
}

/* ---- answers ------------------------------------------------------------------------------ */

int trace_table_add(trace_table_t *self, const char *answer, size_t size, err_t *err)
{
    json_error_t why;
    json_t *root = json_loadb(answer, size, 0, &why);
    if (!root)
        return err_set(err, ERR_INVALID, "the trace store's answer is not JSON: %s", why.text);
    json_array_append_new(self->answers, root);
    size_t i = 0;
    json_t *trace = NULL;
    json_array_foreach(json_object_get(root, "data"), i, trace)
    {
        add_trace(self, trace);
    }
    return 0;
}

json_t *trace_table_services(const char *answer, size_t size)
{
    json_auto_t *root = json_loadb(answer, size, 0, NULL);
    json_t *names = json_array();
    size_t i = 0;
    json_t *name = NULL;
    json_array_foreach(json_object_get(root, "data"), i, name)
    {
        if (json_is_string(name))
            json_array_append(names, name);
    }
    return names;
}

size_t trace_table_count(const trace_table_t *self, const char *service)
{
    size_t count = 0;
    const char *last = NULL; /* the rows of a trace follow each other */
    for (size_t i = 0; i < self->count; i++) {
        if (self->rows[i].trace == last || strcmp(self->rows[i].service, service) != 0)
            continue;
        last = self->rows[i].trace;
        count++;
    }
    return count;
}

/* ---- text --------------------------------------------------------------------------------- */

static int compare_start(const void *left, const void *right)
{
    const row_t *a = left;
    const row_t *b = right;
    return a->start_us < b->start_us ? -1 : a->start_us > b->start_us;
}

static void write_row(FILE *out, const row_t *row)
{
    const char *const texts[] = {row->trace, row->span, row->parent, row->service, row->operation};
    for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
        csv_text(out, texts[i]);
        fputc(',', out);
    }
    fprintf(out, "%lld,%lld,%s,", (long long)row->start_us, (long long)row->duration_us,
        row->has_error ? "True" : "False");
    csv_text(out, row->response);
    fputc('\n', out);
}

char *trace_table_text(const trace_table_t *self)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = mem_check(open_memstream(&text, &size));
    fputs("trace_id,span_id,parent_span,service_name,operation_name,start_time,duration,"
          "has_error,response\n",
        out);
    AUTO_FREE row_t *rows = xcalloc(self->count + 1, sizeof(*rows));
    if (self->count) {
        memcpy(rows, self->rows, self->count * sizeof(*rows));
        qsort(rows, self->count, sizeof(*rows), compare_start);
    }
    for (size_t i = 0; i < self->count; i++)
        write_row(out, &rows[i]);
    fclose(out);
    return text;
}

/* ---- life cycle --------------------------------------------------------------------------- */

trace_table_t *trace_table_new(void)
{
    trace_table_t *self = xcalloc(1, sizeof(*self));
    self->answers = json_array();
    self->seen = json_object();
    return self;
}

void trace_table_destroy(trace_table_t **self_p)
{
    trace_table_t *self = *self_p;
    *self_p = NULL;
    if (!self)
        return;
    for (size_t i = 0; i < self->count; i++)
        free(self->rows[i].response);
    free(self->rows);
    json_decref(self->answers);
    json_decref(self->seen);
    free(self);
}
