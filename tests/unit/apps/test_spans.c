#include "apps/common/trace.h"
#include "base/auto.h"
#include "tests/support/test.h"

#include <jansson.h>
#include <string.h>

#define PARENT "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"

static bool parses(const char *header)
{
    span_context_t context;
    return trace_parse_parent(header, &context);
}

static void a_parent_survives_reading_and_writing(void **state)
{
    (void)state;
    span_context_t context;
    char text[TRACE_PARENT_SIZE];
    assert_true(trace_parse_parent(PARENT, &context));
    assert_true(context.is_sampled);
    trace_format_parent(&context, text);
    assert_string_equal(text, PARENT);
}

static void a_parent_that_is_not_sampled_says_so(void **state)
{
    (void)state;
    span_context_t context;
    assert_true(
        trace_parse_parent("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00", &context));
    assert_false(context.is_sampled);
}

static void a_later_version_may_say_more(void **state)
{
    (void)state;
    assert_true(parses("01-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-more"));
    assert_false(parses(PARENT "-more"));
}

static void a_malformed_parent_is_refused(void **state)
{
    (void)state;
    assert_false(parses(NULL));
    assert_false(parses(""));
    assert_false(parses("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331"));
    assert_false(parses("ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"));
    assert_false(parses("00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01"));
    assert_false(parses("00-00000000000000000000000000000000-b7ad6b7169203331-01"));
    assert_false(parses("00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01"));
}

static void a_span_is_encoded_as_otlp(void **state)
{
    (void)state;
    AUTO(stats_destroy) stats_t *stats = stats_new();
    AUTO(tracer_destroy) tracer_t *tracer = tracer_new("geo", NULL, stats);
    span_context_t parent;
    span_t span;
    char text[2048];
    trace_parse_parent(PARENT, &parent);
    span_begin(&span, tracer, SPAN_CLIENT, "say \"hi\"", &parent);
    span_set(&span, "peer.service", "a\\b\n");
    span_set_int(&span, "http.response.status_code", 500);
    span_fail(&span, "refused");
    assert_true(span_encode(&span, span.start_ns + 5, text, sizeof(text)) > 0);

    json_auto_t *json = json_loads(text, 0, NULL);
    const char *trace_id = NULL, *parent_id = NULL, *name = NULL, *value = NULL, *message = NULL;
    int kind = 0, code = 0;
    assert_int_equal(
        json_unpack(json, "{ss, ss, ss, si, s[{s{ss}}, {}], s{si, ss}}", "traceId", &trace_id,
            "parentSpanId", &parent_id, "name", &name, "kind", &kind, "attributes", "value",
            "stringValue", &value, "status", "code", &code, "message", &message),
        0);
    assert_string_equal(trace_id, "0af7651916cd43dd8448eb211c80319c");
    assert_string_equal(parent_id, "b7ad6b7169203331");
    assert_string_equal(name, "say \"hi\"");
    assert_string_equal(value, "a\\b\n");
    assert_string_equal(message, "refused");
    assert_int_equal(kind, 3);
    assert_int_equal(code, 2);
}

static void attributes_that_do_not_fit_are_left_out_whole(void **state)
{
    (void)state;
    AUTO(stats_destroy) stats_t *stats = stats_new();
    AUTO(tracer_destroy) tracer_t *tracer = tracer_new("geo", "", stats);
    span_t span;
    char value[300];
    char text[2048];
    memset(value, '"', sizeof(value) - 1);
    value[sizeof(value) - 1] = '\0';
    span_begin(&span, tracer, SPAN_SERVER, "x", NULL);
    span_set(&span, "a", value);
    span_set(&span, "b", value);
    span_set(&span, "c", value);
    span_set(&span, "d", value);
    assert_true(span_encode(&span, span.start_ns, text, sizeof(text)) > 0);
    json_auto_t *json = json_loads(text, 0, NULL);
    assert_in_range(json_array_size(json_object_get(json, "attributes")), 1, 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_parent_survives_reading_and_writing),
        cmocka_unit_test(a_parent_that_is_not_sampled_says_so),
        cmocka_unit_test(a_later_version_may_say_more),
        cmocka_unit_test(a_malformed_parent_is_refused),
        cmocka_unit_test(a_span_is_encoded_as_otlp),
        cmocka_unit_test(attributes_that_do_not_fit_are_left_out_whole),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
