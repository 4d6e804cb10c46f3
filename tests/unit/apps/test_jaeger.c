#include "apps/jaeger/otlp.h"
#include "apps/jaeger/query.h"
#include "apps/jaeger/texts.h"
#include "base/auto.h"
#include "base/mem.h"
#include "tests/support/test.h"

#include <jansson.h>

#define SPAN(trace, id, parent, name, start)                                                       \
    "{\"traceId\":\"" trace "\",\"spanId\":\"" id "\",\"parentSpanId\":\"" parent                  \
    "\",\"name\":\"" name "\",\"kind\":2,\"startTimeUnixNano\":\"" start                           \
    "\",\"endTimeUnixNano\":\"9000000\"}"
#define BATCH(service, spans)                                                                      \
    "{\"resource\":{\"attributes\":[{\"key\":\"service.name\",\"value\":{\"stringValue\":"         \
    "\"" service "\"}}]},\"scopeSpans\":[{\"spans\":[" spans "]}]}"
#define EXPORT(batches) "{\"resourceSpans\":[" batches "]}"

#define TRACE_A "0000000000000000000000000000000a"
#define TRACE_B "0000000000000000000000000000000b"
#define TRACE_C "0000000000000000000000000000000c"

static const char two_services[] = EXPORT(
    BATCH("frontend", SPAN(TRACE_A, "0000000000000001", "", "HTTP GET /", "1000000")) "," BATCH(
        "geo", SPAN(TRACE_A, "0000000000000002", "0000000000000001", "/geo", "2000000")));

static otlp_counts_t read_all(traces_t *traces, const char *text)
{
    otlp_counts_t counts = {0};
    assert_int_equal(otlp_read(traces, text, strlen(text), &counts, NULL), 0);
    return counts;
}

static traces_t *with_two_services(void)
{
    traces_t *traces = traces_new(10, 100);
    read_all(traces, two_services);
    return traces;
}

static void spans_come_out_in_jaegers_form(void **state)
{
    (void)state;
    AUTO(traces_destroy) traces_t *traces = with_two_services();
    uint64_t id[2];
    assert_true(traces_parse_trace_id("a", id));
    AUTO_FREE char *text = query_trace(traces, traces_find(traces, id));
    assert_string_equal(text,
        "{\"data\":[{\"traceID\":\"" TRACE_A "\",\"spans\":[{\"traceID\":\"" TRACE_A
        "\",\"spanID\":\"0000000000000001\",\"operationName\":\"HTTP GET /\",\"references\":[],"
        "\"startTime\":1000,\"duration\":8000,\"tags\":[{\"key\":\"span.kind\",\"type\":\"string\","
        "\"value\":\"server\"},{\"key\":\"internal.span.format\",\"type\":\"string\",\"value\":"
        "\"otlp\"}],\"logs\":[],\"processID\":\"p1\",\"warnings\":null},{\"traceID\":\"" TRACE_A
        "\",\"spanID\":\"0000000000000002\",\"operationName\":\"/"
        "geo\",\"references\":[{\"refType\":"
        "\"CHILD_OF\",\"traceID\":\"" TRACE_A "\",\"spanID\":\"0000000000000001\"}],\"startTime\":"
        "2000,\"duration\":7000,\"tags\":[{\"key\":\"span.kind\",\"type\":\"string\",\"value\":"
        "\"server\"},{\"key\":\"internal.span.format\",\"type\":\"string\",\"value\":\"otlp\"}],"
        "\"logs\":[],\"processID\":\"p2\",\"warnings\":null}],\"processes\":{\"p1\":{"
        "\"serviceName\":\"frontend\",\"tags\":[]},\"p2\":{\"serviceName\":\"geo\",\"tags\":[]}},"
        "\"warnings\":null}],\"total\":0,\"limit\":0,\"offset\":0,\"errors\":null}");
}

static void services_and_dependencies_are_known(void **state)
{
    (void)state;
    AUTO(traces_destroy) traces_t *traces = with_two_services();
    AUTO_FREE char *services = query_services(traces);
    AUTO_FREE char *operations = query_operations(traces, "geo");
    AUTO_FREE char *dependencies = query_dependencies(traces, 0, 10000);
    assert_string_equal(services, "{\"data\":[\"frontend\",\"geo\"],\"total\":2,\"limit\":0,"
                                  "\"offset\":0,\"errors\":null}");
    assert_string_equal(
        operations, "{\"data\":[\"/geo\"],\"total\":1,\"limit\":0,\"offset\":0,\"errors\":null}");
    assert_string_equal(dependencies,
        "{\"data\":[{\"parent\":\"frontend\",\"child\":\"geo\",\"callCount\":1}],\"total\":1,"
        "\"limit\":0,\"offset\":0,\"errors\":null}");
}

static size_t count_found(const traces_t *traces, const query_t *query)
{
    AUTO_FREE char *text = query_traces(traces, query);
    json_auto_t *json = json_loads(text, 0, NULL);
    return json_array_size(json_object_get(json, "data"));
}

static void traces_are_found_by_service_operation_time_and_duration(void **state)
{
    (void)state;
    AUTO(traces_destroy) traces_t *traces = with_two_services();
    const query_t all = {
        .service = "geo", .end_us = 10000, .max_duration_us = INT64_MAX, .limit = 5};
    query_t query = all;
    assert_int_equal(count_found(traces, &query), 1);
    query.operation = "/rate";
    assert_int_equal(count_found(traces, &query), 0);
    query = all;
    query.service = "rate";
    assert_int_equal(count_found(traces, &query), 0);
    query = all;
    query.end_us = 1500;
    assert_int_equal(count_found(traces, &query), 0);
    query = all;
    query.min_duration_us = 7001;
    assert_int_equal(count_found(traces, &query), 0);
}

static void the_oldest_trace_goes_when_there_are_too_many(void **state)
{
    (void)state;
    AUTO(traces_destroy) traces_t *traces = traces_new(2, 100);
    read_all(traces, EXPORT(BATCH("a", SPAN(TRACE_A, "1", "", "x", "1000"))));
    read_all(traces, EXPORT(BATCH("b", SPAN(TRACE_B, "2", "", "x", "1000"))));
    read_all(traces, EXPORT(BATCH("c", SPAN(TRACE_C, "3", "", "x", "1000"))));
    AUTO_FREE char *services = query_services(traces);
    assert_non_null(strstr(services, "[\"b\",\"c\"]"));
    assert_int_equal(traces_span_count(traces), 2);
}

static void a_trace_of_too_many_spans_goes_too(void **state)
{
    (void)state;
    AUTO(traces_destroy) traces_t *traces = traces_new(10, 2);
    read_all(
        traces, EXPORT(BATCH("a", SPAN(TRACE_A, "1", "", "x", "1000") "," SPAN(TRACE_A, "2", "1",
                                      "x", "1000") "," SPAN(TRACE_A, "3", "1", "x", "1000"))));
    assert_int_equal(traces_span_count(traces), 0);
    assert_null(traces_newest(traces));
}

static void spans_without_ids_are_counted_and_left_out(void **state)
{
    (void)state;
    AUTO(traces_destroy) traces_t *traces = traces_new(10, 100);
    otlp_counts_t counts = read_all(traces,
        EXPORT(BATCH("a", SPAN("0", "1", "", "x", "1000") "," SPAN(TRACE_A, "0", "", "x",
                              "1000") "," SPAN(TRACE_A, "zz", "", "x", "1000") "," SPAN(TRACE_A,
                              "1", "", "x", "9900000") "," SPAN(TRACE_A, "1", "", "x", "1000"))));
    assert_int_equal(counts.accepted, 1);
    assert_int_equal(counts.rejected, 4);
}

static void attributes_keep_their_types(void **state)
{
    (void)state;
    AUTO(traces_destroy) traces_t *traces = traces_new(10, 100);
    read_all(traces,
        "{\"resourceSpans\":[{\"scopeSpans\":[{\"spans\":[{\"traceId\":\"a\",\"spanId\":\"1\","
        "\"name\":\"x\",\"startTimeUnixNano\":1000,\"endTimeUnixNano\":2000,\"attributes\":["
        "{\"key\":\"s\",\"value\":{\"stringValue\":\"t\"}},{\"key\":\"b\",\"value\":{\"boolValue\":"
        "true}},{\"key\":\"i\",\"value\":{\"intValue\":\"7\"}},{\"key\":\"d\",\"value\":{"
        "\"doubleValue\":0.5}}],\"status\":{\"code\":2,\"message\":\"no\"},\"events\":[{"
        "\"timeUnixNano\":\"1500000\",\"name\":\"e\"}]}]}]}]}");
    const traces_span_t *span = traces_newest(traces)->first;
    assert_string_equal(span->process->service, "unknown_service");
    assert_string_equal(span->tags,
        "{\"key\":\"s\",\"type\":\"string\",\"value\":\"t\"},{\"key\":\"b\",\"type\":\"bool\","
        "\"value\":true},{\"key\":\"i\",\"type\":\"int64\",\"value\":7},{\"key\":\"d\",\"type\":"
        "\"float64\",\"value\":0.5},{\"key\":\"otel.status_code\",\"type\":\"string\",\"value\":"
        "\"ERROR\"},{\"key\":\"otel.status_description\",\"type\":\"string\",\"value\":\"no\"},{"
        "\"key\":\"error\",\"type\":\"bool\",\"value\":true},{\"key\":\"internal.span.format\","
        "\"type\":\"string\",\"value\":\"otlp\"}");
    assert_string_equal(span->logs, "{\"timestamp\":1500,\"fields\":[{\"key\":\"event\",\"type\":"
                                    "\"string\",\"value\":\"e\"}]}");
}

static void what_is_no_export_is_refused(void **state)
{
    (void)state;
    AUTO(traces_destroy) traces_t *traces = traces_new(10, 100);
    otlp_counts_t counts = {0};
    assert_int_equal(otlp_read(traces, "{", 1, &counts, NULL), -ERR_INVALID);
    assert_int_equal(otlp_read(traces, "{}", 2, &counts, NULL), -ERR_INVALID);
}

static void durations_are_read_in_every_unit(void **state)
{
    (void)state;
    int64_t us = 0;
    assert_int_equal(query_parse_duration("1h", &us, NULL), 0);
    assert_int_equal(us, 3600000000);
    assert_int_equal(query_parse_duration("1.5ms", &us, NULL), 0);
    assert_int_equal(us, 1500);
    assert_int_equal(query_parse_duration("5", &us, NULL), -ERR_INVALID);
    assert_int_equal(query_parse_duration("-5m", &us, NULL), -ERR_INVALID);
    assert_int_equal(query_parse_duration("1e30d", &us, NULL), -ERR_INVALID);
}

static void equal_texts_are_kept_once(void **state)
{
    (void)state;
    AUTO(texts_destroy) texts_t *texts = texts_new();
    char word[] = "word";
    const char *first = texts_take(texts, "word");
    const char *second = texts_take(texts, word);
    assert_ptr_equal(first, second);
    texts_give_back(texts, first);
    assert_int_equal(texts_count(texts), 1);
    texts_give_back(texts, second);
    assert_int_equal(texts_count(texts), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(equal_texts_are_kept_once),
        cmocka_unit_test(spans_come_out_in_jaegers_form),
        cmocka_unit_test(services_and_dependencies_are_known),
        cmocka_unit_test(traces_are_found_by_service_operation_time_and_duration),
        cmocka_unit_test(the_oldest_trace_goes_when_there_are_too_many),
        cmocka_unit_test(a_trace_of_too_many_spans_goes_too),
        cmocka_unit_test(spans_without_ids_are_counted_and_left_out),
        cmocka_unit_test(attributes_keep_their_types),
        cmocka_unit_test(what_is_no_export_is_refused),
        cmocka_unit_test(durations_are_read_in_every_unit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
