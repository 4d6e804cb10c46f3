#include "services/cluster/env/api/patch.h"

#include "base/auto.h"

#include "tests/support/test.h"

static json_t *read(const char *text)
{
    json_t *value = json_loads(text, JSON_DECODE_ANY, NULL);
    assert_non_null(value);
    return value;
}

static void expect(json_t *got, const char *wanted_text)
{
    json_auto_t *wanted = read(wanted_text);
    AUTO_FREE char *text = got ? json_dumps(got, JSON_ENCODE_ANY) : NULL;
    if (!json_equal(got, wanted))
        fail_msg("got %s, not %s", text ? text : "nothing", wanted_text);
    json_decref(got);
}

static void merge(const char *document_text, const char *patch_text, const char *wanted)
{
    json_auto_t *document = read(document_text);
    json_auto_t *patch = read(patch_text);
    expect(patch_merge(document, patch), wanted);
}

static void operate(const char *document_text, const char *patch_text, const char *wanted)
{
    json_auto_t *document = read(document_text);
    json_auto_t *patch = read(patch_text);
    json_t *result = patch_json(document, patch, NULL);
    if (wanted)
        expect(result, wanted);
    else
        assert_null(result);
}

static void pod_spec(const char *document_text, const char *patch_text, const char *wanted)
{
    json_auto_t *document = read(document_text);
    json_auto_t *patch = read(patch_text);
    json_auto_t *before = json_deep_copy(document);
    expect(patch_strategic(document, patch, "core/v1.PodSpec", NULL), wanted);
    assert_true(json_equal(before, document));
}

static void a_merge_patch_removes_by_null(void **state)
{
    (void)state;
    merge("{\"a\":{\"b\":1,\"c\":2}}", "{\"a\":{\"b\":null,\"d\":3}}", "{\"a\":{\"c\":2,\"d\":3}}");
    merge("{\"a\":[1]}", "{\"a\":[2]}", "{\"a\":[2]}");
}

static void a_json_patch_does_what_rfc_6902_says(void **state)
{
    (void)state;
    operate("{\"a\":[1,3]}", "[{\"op\":\"add\",\"path\":\"/a/1\",\"value\":2}]", "{\"a\":[1,2,3]}");
    operate("{\"a\":[1]}", "[{\"op\":\"add\",\"path\":\"/a/-\",\"value\":2}]", "{\"a\":[1,2]}");
    operate("{\"a\":1}", "[{\"op\":\"move\",\"from\":\"/a\",\"path\":\"/b\"}]", "{\"b\":1}");
    operate("{\"a/b\":1}", "[{\"op\":\"remove\",\"path\":\"/a~1b\"}]", "{}");
    operate("{\"a\":1}", "[{\"op\":\"test\",\"path\":\"/a\",\"value\":1}]", "{\"a\":1}");
}

static void a_json_patch_that_cannot_be_done_changes_nothing(void **state)
{
    (void)state;
    operate("{\"a\":1}", "[{\"op\":\"test\",\"path\":\"/a\",\"value\":2}]", NULL);
    operate("{\"a\":1}", "[{\"op\":\"replace\",\"path\":\"/b\",\"value\":2}]", NULL);
    operate("{\"a\":[]}", "[{\"op\":\"remove\",\"path\":\"/a/0\"}]", NULL);
    operate("{\"a\":{}}", "[{\"op\":\"move\",\"from\":\"/a\",\"path\":\"/a/b\"}]", NULL);
}

static void lists_are_merged_by_their_key(void **state)
{
    (void)state;
    pod_spec("{\"containers\":[{\"name\":\"a\",\"image\":\"x\"},{\"name\":\"b\"}]}",
        "{\"containers\":[{\"name\":\"a\",\"image\":\"y\"},{\"name\":\"c\"}]}",
        "{\"containers\":[{\"name\":\"a\",\"image\":\"y\"},{\"name\":\"b\"},{\"name\":\"c\"}]}");
}

static void lists_without_a_key_are_replaced(void **state)
{
    (void)state;
    pod_spec("{\"containers\":[{\"name\":\"a\",\"args\":[\"1\",\"2\"]}]}",
        "{\"containers\":[{\"name\":\"a\",\"args\":[\"3\"]}]}",
        "{\"containers\":[{\"name\":\"a\",\"args\":[\"3\"]}]}");
}

static void elements_and_lists_obey_their_directives(void **state)
{
    (void)state;
    pod_spec("{\"containers\":[{\"name\":\"a\"},{\"name\":\"b\"}]}",
        "{\"containers\":[{\"name\":\"a\",\"$patch\":\"delete\"}]}",
        "{\"containers\":[{\"name\":\"b\"}]}");
    pod_spec("{\"containers\":[{\"name\":\"a\"},{\"name\":\"b\"}]}",
        "{\"containers\":[{\"name\":\"c\"},{\"$patch\":\"replace\"}]}",
        "{\"containers\":[{\"name\":\"c\"}]}");
}

static void the_order_is_the_one_asked_for(void **state)
{
    (void)state;
    pod_spec("{\"containers\":[{\"name\":\"a\"},{\"name\":\"server\"},{\"name\":\"b\"}]}",
        "{\"$setElementOrder/containers\":[{\"name\":\"b\"},{\"name\":\"a\"}],"
        "\"containers\":[{\"name\":\"a\",\"image\":\"x\"}]}",
        "{\"containers\":[{\"name\":\"b\"},{\"name\":\"server\"},"
        "{\"name\":\"a\",\"image\":\"x\"}]}");
}

static void retain_keys_drops_the_others(void **state)
{
    (void)state;
    pod_spec("{\"volumes\":[{\"name\":\"v\",\"emptyDir\":{}}]}",
        "{\"volumes\":[{\"name\":\"v\",\"$retainKeys\":[\"name\",\"secret\"],"
        "\"secret\":{\"secretName\":\"s\"}}]}",
        "{\"volumes\":[{\"name\":\"v\",\"secret\":{\"secretName\":\"s\"}}]}");
}

static void an_element_without_its_key_is_refused(void **state)
{
    err_t err = {0};
    json_auto_t *document = read("{\"containers\":[]}");
    json_auto_t *patch = read("{\"containers\":[{\"image\":\"x\"}]}");
    (void)state;
    assert_null(patch_strategic(document, patch, "core/v1.PodSpec", &err));
    assert_string_equal(
        err.text, "map: {\"image\":\"x\"} does not contain declared merge key: name");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_merge_patch_removes_by_null),
        cmocka_unit_test(a_json_patch_does_what_rfc_6902_says),
        cmocka_unit_test(a_json_patch_that_cannot_be_done_changes_nothing),
        cmocka_unit_test(lists_are_merged_by_their_key),
        cmocka_unit_test(lists_without_a_key_are_replaced),
        cmocka_unit_test(elements_and_lists_obey_their_directives),
        cmocka_unit_test(the_order_is_the_one_asked_for),
        cmocka_unit_test(retain_keys_drops_the_others),
        cmocka_unit_test(an_element_without_its_key_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
