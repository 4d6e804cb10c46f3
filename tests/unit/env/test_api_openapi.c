#include "tests/unit/env/world.h"

#include "services/cluster/env/api/openapi.h"

#include "base/auto.h"

#include <string.h>

static const json_t *schema(const json_t *document, const char *name)
{
    const json_t *schemas = json_object_get(json_object_get(document, "components"), "schemas");
    if (!schemas)
        schemas = json_object_get(document, "definitions");
    return json_object_get(schemas, name);
}

static const json_t *property(const json_t *document, const char *type, const char *name)
{
    return json_object_get(json_object_get(schema(document, type), "properties"), name);
}

static void every_group_version_has_a_document(void **state)
{
    world_t *world = *state;
    json_auto_t *index = ask(world, "GET", "/openapi/v3", NULL, NULL);
    json_auto_t *core = ask(world, "GET", "/openapi/v3/api/v1", NULL, NULL);
    json_auto_t *old = ask(world, "GET", "/openapi/v3/apis/autoscaling/v1", NULL, NULL);
    expect_at(json_object_get(index, "paths"), "apis/apps/v1",
        "{\"serverRelativeURL\":\"/openapi/v3/apis/apps/v1\"}");
    assert_non_null(schema(core, "io.k8s.api.core.v1.Pod"));
    assert_null(schema(core, "io.k8s.api.apps.v1.Deployment"));
    assert_non_null(
        property(old, "io.k8s.api.autoscaling.v1.HorizontalPodAutoscalerSpec", "maxReplicas"));
    ask(world, "GET", "/openapi/v3/apis/nosuch/v1", NULL, NULL);
    assert_int_equal(world->status, 404);
}

static void a_schema_tells_how_patches_merge(void **state)
{
    json_auto_t *document = ask(*state, "GET", "/openapi/v3/api/v1", NULL, NULL);
    const json_t *containers = property(document, "io.k8s.api.core.v1.PodSpec", "containers");
    const json_t *volumes = property(document, "io.k8s.api.core.v1.PodSpec", "volumes");
    expect_at(containers, "x-kubernetes-patch-merge-key", "\"name\"");
    expect_at(containers, "x-kubernetes-list-map-keys", "[\"name\"]");
    expect_at(containers, "items",
        "{\"allOf\":[{\"$ref\":\"#/components/schemas/io.k8s.api.core.v1.Container\"}]}");
    expect_at(volumes, "x-kubernetes-patch-strategy", "\"merge,retainKeys\"");
    expect_at(schema(document, "io.k8s.api.core.v1.PodSpec"), "required", "[\"containers\"]");
}

static void inlined_types_are_part_of_what_has_them(void **state)
{
    json_auto_t *document = ask(*state, "GET", "/openapi/v3/api/v1", NULL, NULL);
    assert_non_null(property(document, "io.k8s.api.core.v1.Volume", "emptyDir"));
    assert_null(property(document, "io.k8s.api.core.v1.Volume", ""));
}

static void patches_take_fieldvalidation(void **state)
{
    json_auto_t *document = ask(*state, "GET", "/openapi/v3/apis/apps/v1", NULL, NULL);
    const json_t *path = json_object_get(json_object_get(document, "paths"),
        "/apis/apps/v1/namespaces/{namespace}/deployments/{name}");
    const json_t *patch = json_object_get(path, "patch");
    expect_at(
        json_array_get(json_object_get(patch, "parameters"), 2), "name", "\"fieldValidation\"");
    expect_at(patch, "x-kubernetes-group-version-kind",
        "{\"group\":\"apps\",\"version\":\"v1\",\"kind\":\"Deployment\"}");
    assert_non_null(
        json_object_get(json_object_get(json_object_get(patch, "requestBody"), "content"),
            "application/strategic-merge-patch+json"));
}

static void version_two_names_every_version_of_a_kind(void **state)
{
    json_auto_t *document = ask(*state, "GET", "/openapi/v2", NULL, NULL);
    expect_at(schema(document, "io.k8s.api.batch.v1.CronJob"), "x-kubernetes-group-version-kind",
        "[{\"group\":\"batch\",\"version\":\"v1\",\"kind\":\"CronJob\"},"
        "{\"group\":\"batch\",\"version\":\"v1beta1\",\"kind\":\"CronJob\"}]");
    expect_at(property(document, "io.k8s.api.core.v1.Pod", "spec"), "$ref",
        "\"#/definitions/io.k8s.api.core.v1.PodSpec\"");
}

/* kubectl 1.20 checks manifests against the schema: any value can be a default. */
static void what_may_be_any_value_has_no_type(void **state)
{
    static const char json[] = "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSON";
    json_auto_t *document = ask(*state, "GET", "/openapi/v2", NULL, NULL);
    assert_int_equal(json_object_size(schema(document, json)), 0);
    assert_true(json_is_object(schema(document, json)));
}

static void expect_encoded(const char *json, const char *bytes, size_t size)
{
    AUTO(buffer_done) buffer_t out = {0};
    json_auto_t *document = json_loads(json, 0, NULL);
    openapi_encode(&out, document);
    assert_int_equal(out.size, size);
    assert_memory_equal(out.bytes, bytes, size);
}

/* As gnostic's own encoder writes it. */
static void version_two_has_a_protobuf_form(void **state)
{
    (void)state;
    static const char wanted[] =
        "\x0a\x03\x32.0\x12\x03\x0a\x01T\x42\x00\x4a\x12\x0a\x10\x0a\x01\x41"
        "\x12\x0b\xb2\x01\x08\x0a\x06object";
    expect_encoded("{\"swagger\":\"2.0\",\"info\":{\"title\":\"T\"},\"paths\":{},"
                   "\"definitions\":{\"A\":{\"type\":\"object\"}}}",
        wanted, sizeof(wanted) - 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WORLD_TEST(every_group_version_has_a_document),
        WORLD_TEST(a_schema_tells_how_patches_merge),
        WORLD_TEST(inlined_types_are_part_of_what_has_them),
        WORLD_TEST(patches_take_fieldvalidation),
        WORLD_TEST(version_two_names_every_version_of_a_kind),
        WORLD_TEST(what_may_be_any_value_has_no_type),
        WORLD_TEST(version_two_has_a_protobuf_form),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
