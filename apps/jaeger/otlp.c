#include "apps/jaeger/otlp.h"

#include "base/auto.h"
#include "base/mem.h"

#include <jansson.h>
#include <math.h>

typedef struct reader {
    traces_t *traces;
    const char *service;
    const char *process_tags;
    otlp_counts_t counts;
} reader_t;

/* Integers of 64 bits come as decimal strings or as numbers. */
static int64_t read_integer(const json_t *value)
{
    if (json_is_string(value))
        return strtoll(json_string_value(value), NULL, 10);
    if (json_is_integer(value))
        return json_integer_value(value);
    double number = json_number_value(value);
    return isfinite(number) && fabs(number) < 9e18 ? (int64_t)number : 0;
}

/* ---- attributes to Jaeger's tags ------------------------------------------------------------ */

static void put_tag(FILE *out, const char *key, const char *type, const json_t *value)
{
    AUTO_FREE char *key_text = NULL;
    AUTO_FREE char *value_text = NULL;
    json_auto_t *key_json = json_string(key);
    key_text = mem_check(json_dumps(key_json, JSON_ENCODE_ANY));
    value_text = mem_check(json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT));
    fprintf(out, "%s{\"key\":%s,\"type\":\"%s\",\"value\":%s}", ftell(out) > 0 ? "," : "", key_text,
        type, value_text);
}

static void put_string_tag(FILE *out, const char *key, const char *value)
{
    json_auto_t *text = json_string(value);
    if (text)
        put_tag(out, key, "string", text);
}

/* Lists and maps become strings of JSON, as in Jaeger. */
static void put_attribute(FILE *out, const char *key, const json_t *value)
{
    json_t *plain = json_object_get(value, "stringValue");
    if (json_is_string(plain)) {
        put_tag(out, key, "string", plain);
        return;
    }
    plain = json_object_get(value, "boolValue");
    if (json_is_boolean(plain)) {
        put_tag(out, key, "bool", plain);
        return;
    }
    plain = json_object_get(value, "intValue");
    if (plain) {
        json_auto_t *number = json_integer(read_integer(plain));
        put_tag(out, key, "int64", number);
        return;
    }
    plain = json_object_get(value, "doubleValue");
    if (json_is_number(plain)) {
        put_tag(out, key, "float64", plain);
        return;
    }
    AUTO_FREE char *text = json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT);
    put_string_tag(out, key, text ? text : "");
}

static void put_attributes(FILE *out, const json_t *attributes, const char *except)
{
    size_t i = 0;
    json_t *attribute = NULL;
    json_array_foreach(attributes, i, attribute)
    {
        const char *key = json_string_value(json_object_get(attribute, "key"));
        if (key && strcmp(key, except) != 0)
            put_attribute(out, key, json_object_get(attribute, "value"));
    }
}

static const char *kind_of(const json_t *span)
{
    static const char *const kinds[] = {"", "internal", "server", "client", "producer", "consumer"};
    static const char *const names[] = {"SPAN_KIND_UNSPECIFIED", "SPAN_KIND_INTERNAL",
        "SPAN_KIND_SERVER", "SPAN_KIND_CLIENT", "SPAN_KIND_PRODUCER", "SPAN_KIND_CONSUMER"};
    const json_t *kind = json_object_get(span, "kind");
    const char *name = json_string_value(kind);
    for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
        if (name ? strcmp(name, names[i]) == 0
                 : json_is_integer(kind) && json_integer_value(kind) == (json_int_t)i)
            return kinds[i];
    }
    return "";
}

static void put_status(FILE *out, const json_t *status)
{
    const json_t *code = json_object_get(status, "code");
    const char *name = json_string_value(code);
    bool is_error = name ? strcmp(name, "STATUS_CODE_ERROR") == 0 : json_integer_value(code) == 2;
    if (!is_error)
        return;
    put_string_tag(out, "otel.status_code", "ERROR");
    const char *message = json_string_value(json_object_get(status, "message"));
    if (message && *message)
        put_string_tag(out, "otel.status_description", message);
    json_auto_t *yes = json_true();
    put_tag(out, "error", "bool", yes);
}

static char *make_span_tags(const json_t *span, const char *kind)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = mem_check(open_memstream(&text, &size));
    put_attributes(out, json_object_get(span, "attributes"), "");
    if (*kind)
        put_string_tag(out, "span.kind", kind);
    put_status(out, json_object_get(span, "status"));
    put_string_tag(out, "internal.span.format", "otlp");
    fclose(out);
    return text;
}

/* Events are what Jaeger calls logs. */
static char *make_logs(const json_t *events)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = mem_check(open_memstream(&text, &size));
    size_t i = 0;
    json_t *event = NULL;
    json_array_foreach(events, i, event)
    {
        AUTO_FREE char *fields = NULL;
        size_t fields_size = 0;
        FILE *fields_out = mem_check(open_memstream(&fields, &fields_size));
        const char *name = json_string_value(json_object_get(event, "name"));
        put_string_tag(fields_out, "event", name ? name : "");
        put_attributes(fields_out, json_object_get(event, "attributes"), "");
        fclose(fields_out);
        fprintf(out, "%s{\"timestamp\":%lld,\"fields\":[%s]}", i ? "," : "",
            (long long)read_integer(json_object_get(event, "timeUnixNano")) / 1000, fields);
    }
    fclose(out);
    return text;
}

/* ---- spans ---------------------------------------------------------------------------------- */

static bool read_ids(const json_t *span, traces_entry_t *entry)
{
    const char *parent = json_string_value(json_object_get(span, "parentSpanId"));
    bool has_parent = parent && *parent && strspn(parent, "0") != strlen(parent);
    return traces_parse_trace_id(
               json_string_value(json_object_get(span, "traceId")), entry->trace_id)
           && traces_parse_span_id(json_string_value(json_object_get(span, "spanId")), &entry->id)
           && (!has_parent || traces_parse_span_id(parent, &entry->parent_id));
}

static void read_span(reader_t *self, const json_t *span)
{
    traces_entry_t entry = {.service = self->service, .process_tags = self->process_tags};
    int64_t start_ns = read_integer(json_object_get(span, "startTimeUnixNano"));
    int64_t end_ns = read_integer(json_object_get(span, "endTimeUnixNano"));
    entry.operation = json_string_value(json_object_get(span, "name"));
    if (!read_ids(span, &entry) || !entry.operation || start_ns <= 0 || end_ns < start_ns) {
        self->counts.rejected++;
        return;
    }
    entry.start_us = start_ns / 1000;
    entry.duration_us = (end_ns - start_ns) / 1000;
    AUTO_FREE char *tags = make_span_tags(span, kind_of(span));
    AUTO_FREE char *logs = make_logs(json_object_get(span, "events"));
    entry.tags = tags;
    entry.logs = logs;
    traces_put(self->traces, &entry);
    self->counts.accepted++;
}

static void read_scopes(reader_t *self, const json_t *resource_spans)
{
    size_t i = 0;
    json_t *scope = NULL;
    json_array_foreach(json_object_get(resource_spans, "scopeSpans"), i, scope)
    {
        size_t j = 0;
        json_t *span = NULL;
        json_array_foreach(json_object_get(scope, "spans"), j, span) read_span(self, span);
    }
}

static const char *find_service(const json_t *attributes)
{
    size_t i = 0;
    json_t *attribute = NULL;
    json_array_foreach(attributes, i, attribute)
    {
        const char *key = json_string_value(json_object_get(attribute, "key"));
        const char *value =
            json_string_value(json_object_get(json_object_get(attribute, "value"), "stringValue"));
        if (key && value && strcmp(key, "service.name") == 0)
            return value;
    }
    return "unknown_service";
}

static void read_resource(reader_t *self, const json_t *resource_spans)
{
    const json_t *attributes =
        json_object_get(json_object_get(resource_spans, "resource"), "attributes");
    AUTO_FREE char *tags = NULL;
    size_t size = 0;
    FILE *out = mem_check(open_memstream(&tags, &size));
    put_attributes(out, attributes, "service.name");
    fclose(out);
    self->service = find_service(attributes);
    self->process_tags = tags;
    read_scopes(self, resource_spans);
}

int otlp_read(traces_t *traces, const char *body, size_t size, otlp_counts_t *counts_p, err_t *err)
{
    json_error_t error;
    json_auto_t *root = json_loadb(body, size, 0, &error);
    if (!root)
        return err_set(err, ERR_INVALID, "not JSON: %s (line %d)", error.text, error.line);
    const json_t *resources = json_object_get(root, "resourceSpans");
    if (!json_is_array(resources))
        return err_set(err, ERR_INVALID, "'resourceSpans' is not a list");
    reader_t reader = {.traces = traces};
    size_t i = 0;
    json_t *resource_spans = NULL;
    json_array_foreach(resources, i, resource_spans) read_resource(&reader, resource_spans);
    *counts_p = reader.counts;
    return 0;
}
