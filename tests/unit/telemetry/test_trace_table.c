/* Jaeger's answers as the original's table. */
#include "services/telemetry/trace_table.h"

#include "base/auto.h"

#include "tests/support/test.h"

#include <string.h>

#define HEAD                                                                                       \
    "trace_id,span_id,parent_span,service_name,operation_name,start_time,duration,has_error,"      \
    "response\n"
#define ANSWER                                                                                     \
    "{\"data\":[{\"traceID\":\"t1\",\"spans\":["                                                   \
    "{\"spanID\":\"b\",\"operationName\":\"GET /geo, near\",\"references\":[{\"refType\":"         \
    "\"CHILD_OF\",\"spanID\":\"a\"}],\"startTime\":20,\"duration\":5,\"processID\":\"p2\","        \
    "\"tags\":[{\"key\":\"error\",\"value\":true}]},"                                              \
    "{\"spanID\":\"a\",\"operationName\":\"/hotels\",\"references\":[],\"startTime\":10,"          \
    "\"duration\":30,\"processID\":\"p1\",\"tags\":[{\"key\":\"http.status_code\","                \
    "\"value\":500}]}],\"processes\":{\"p1\":{\"serviceName\":\"frontend\"},"                      \
    "\"p2\":{\"serviceName\":\"geo\"}}}]}"
#define ROWS                                                                                       \
    "t1,a,ROOT,frontend,/hotels,10,30,False,500\n"                                                 \
    "t1,b,a,geo,\"GET /geo, near\",20,5,True,Unknown\n"

static void add(trace_table_t *table, const char *text)
{
    assert_int_equal(trace_table_add(table, text, strlen(text), NULL), 0);
}

static void spans_are_rows_in_order_of_time(void **state)
{
    (void)state;
    AUTO(trace_table_destroy) trace_table_t *table = trace_table_new();

    add(table, ANSWER);

    AUTO_FREE char *text = trace_table_text(table);
    assert_string_equal(text, HEAD ROWS);
}

static void a_trace_of_several_services_is_written_once(void **state)
{
    (void)state;
    AUTO(trace_table_destroy) trace_table_t *table = trace_table_new();

    add(table, ANSWER);
    add(table, ANSWER);

    AUTO_FREE char *text = trace_table_text(table);
    assert_string_equal(text, HEAD ROWS);
    assert_int_equal(trace_table_count(table, "geo"), 1);
}

static void no_traces_are_an_empty_table(void **state)
{
    (void)state;
    AUTO(trace_table_destroy) trace_table_t *table = trace_table_new();

    add(table, "{\"data\":null}");

    AUTO_FREE char *text = trace_table_text(table);
    assert_string_equal(text, HEAD);
}

static void what_is_no_answer_is_refused(void **state)
{
    (void)state;
    AUTO(trace_table_destroy) trace_table_t *table = trace_table_new();

    assert_int_equal(trace_table_add(table, "<html>", 6, NULL), -ERR_INVALID);
}

static void services_are_names(void **state)
{
    (void)state;
    static const char answer[] = "{\"data\":[\"frontend\",7,\"geo\"],\"total\":2}";

    json_auto_t *names = trace_table_services(answer, sizeof(answer) - 1);

    assert_int_equal(json_array_size(names), 2);
    assert_string_equal(json_string_value(json_array_get(names, 1)), "geo");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(spans_are_rows_in_order_of_time),
        cmocka_unit_test(a_trace_of_several_services_is_written_once),
        cmocka_unit_test(no_traces_are_an_empty_table),
        cmocka_unit_test(what_is_no_answer_is_refused),
        cmocka_unit_test(services_are_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
