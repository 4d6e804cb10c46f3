#include "tests/unit/env/world.h"

#include "services/cluster/env/api/protobuf.h"
#include "services/cluster/env/object.h"

#include "base/auto.h"
#include "base/mem.h"

static json_t *apply(world_t *world, const char *manager, const char *data)
{
    AUTO_FREE char *url = xasprintf(CONFIG_MAPS "/c?fieldManager=%s", manager);
    AUTO_FREE char *body = xasprintf("{\"apiVersion\":\"v1\",\"kind\":\"ConfigMap\",\"metadata\":{"
                                     "\"name\":\"c\"},\"data\":%s}",
        data);
    return ask(world, "PATCH", url, "application/apply-patch+yaml", body);
}

static void applying_makes_and_changes_an_object(void **state)
{
    world_t *world = *state;
    json_auto_t *made = apply(world, "one", "{\"a\":\"1\"}");
    assert_int_equal(world->status, 201);
    json_auto_t *changed = apply(world, "one", "{\"a\":\"2\"}");
    assert_int_equal(world->status, 200);
    expect_at(made, "data", "{\"a\":\"1\"}");
    expect_at(changed, "data", "{\"a\":\"2\"}");
}

static void what_a_manager_no_longer_applies_goes(void **state)
{
    world_t *world = *state;
    json_decref(apply(world, "one", "{\"a\":\"1\",\"b\":\"2\"}"));
    json_decref(apply(world, "two", "{\"c\":\"3\"}"));
    json_auto_t *changed = apply(world, "one", "{\"a\":\"1\"}");
    expect_at(changed, "data", "{\"a\":\"1\",\"c\":\"3\"}");
}

static void two_managers_that_disagree_conflict(void **state)
{
    world_t *world = *state;
    json_decref(apply(world, "one", "{\"a\":\"1\"}"));
    json_auto_t *answer = apply(world, "two", "{\"a\":\"2\"}");
    expect_refusal(
        world, answer, 409, "Apply failed with 1 conflict: conflict with \"one\": .data.a");
    expect_at(answer, "details.causes",
        "[{\"reason\":\"FieldManagerConflict\",\"message\":\"conflict with \\\"one\\\"\","
        "\"field\":\".data.a\"}]");
}

static void force_takes_a_field_over(void **state)
{
    world_t *world = *state;
    json_decref(apply(world, "one", "{\"a\":\"1\"}"));
    json_decref(apply(world, "two&force=true", "{\"a\":\"2\"}"));
    assert_int_equal(world->status, 200);
    json_auto_t *answer = apply(world, "one", "{\"a\":\"1\"}");
    expect_refusal(
        world, answer, 409, "Apply failed with 1 conflict: conflict with \"two\": .data.a");
}

static void an_ordinary_change_makes_a_manager_too(void **state)
{
    world_t *world = *state;
    json_decref(apply(world, "one", "{\"a\":\"1\"}"));
    json_decref(ask(world, "PATCH", CONFIG_MAPS "/c?fieldManager=kubectl-edit",
        "application/merge-patch+json", "{\"data\":{\"a\":\"5\"}}"));
    json_auto_t *answer = apply(world, "one", "{\"a\":\"1\"}");
    expect_refusal(world, answer, 409,
        "Apply failed with 1 conflict: conflict with \"kubectl-edit\" using v1: .data.a");
}

static void list_elements_are_applied_by_their_keys(void **state)
{
    world_t *world = *state;
    static const char body[] =
        "apiVersion: v1\nkind: Service\nmetadata: {name: s}\nspec:\n  ports:\n"
        "  - {port: 80, name: http}\n";
    json_decref(ask(world, "PATCH", "/api/v1/namespaces/default/services/s?fieldManager=one",
        "application/apply-patch+yaml", body));
    json_auto_t *answer = ask(world, "PATCH",
        "/api/v1/namespaces/default/services/s?fieldManager=two", "application/apply-patch+yaml",
        "{\"apiVersion\":\"v1\",\"kind\":\"Service\",\"metadata\":{\"name\":\"s\"},\"spec\":{"
        "\"ports\":[{\"port\":81,\"name\":\"other\"}]}}");
    assert_int_equal(json_array_size(object_at(answer, "spec.ports")), 2);
}

static void a_protobuf_body_is_its_json(void **state)
{
    AUTO_FREE char *path =
        xasprintf("%s/tests/fuzz/corpus/fuzz_env_protobuf/deployment", getenv("AIOPSLAB_SRC"));
    char bytes[1024];
    (void)state;
    FILE *file = fopen(path, "re");
    assert_non_null(file);
    size_t size = fread(bytes, 1, sizeof(bytes), file);
    fclose(file);
    json_auto_t *object = protobuf_decode(bytes, size, NULL);
    expect_at(object, "kind", "\"Deployment\"");
    expect_at(object, "spec.replicas", "2");
    const json_t *containers = object_at(object, "spec.template.spec.containers");
    json_auto_t *first = json_deep_copy(json_array_get(containers, 0));
    json_object_del(first, "resources");
    json_auto_t *root = json_pack("{s:O}", "c", first);
    expect_at(root, "c",
        "{\"name\":\"redis\",\"image\":\"redis:7.0\",\"ports\":[{\"containerPort\":6379}]}");
}

/* kubectl moves what it applied from its own side to its manager on the server, and only that. */
static void fields_before_the_first_apply_have_an_owner(void **state)
{
    world_t *world = *state;
    tell(world, "POST", CONFIG_MAPS,
        "{\"apiVersion\":\"v1\",\"kind\":\"ConfigMap\",\"metadata\":{\"name\":\"c\","
        "\"annotations\":{\"kubectl.kubernetes.io/last-applied-configuration\":"
        "\"{\\\"data\\\":{\\\"a\\\":\\\"1\\\"}}\"}},\"data\":{\"a\":\"1\",\"b\":\"1\"}}");
    json_auto_t *changed = apply(world, "kubectl", "{\"a\":\"1\"}");
    const json_t *entries = object_at(changed, "metadata.managedFields");
    expect_at(json_array_get(entries, 0), "manager", "\"kubectl-client-side-apply\"");
    expect_at(json_array_get(entries, 0), "fieldsV1.f:data", "{\"f:a\":{}}");
    expect_at(json_array_get(entries, 1), "manager", "\"before-first-apply\"");
    expect_at(json_array_get(entries, 1), "fieldsV1", "{\"f:data\":{\"f:b\":{}}}");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WORLD_TEST(applying_makes_and_changes_an_object),
        WORLD_TEST(what_a_manager_no_longer_applies_goes),
        WORLD_TEST(two_managers_that_disagree_conflict),
        WORLD_TEST(force_takes_a_field_over),
        WORLD_TEST(an_ordinary_change_makes_a_manager_too),
        WORLD_TEST(list_elements_are_applied_by_their_keys),
        WORLD_TEST(a_protobuf_body_is_its_json),
        WORLD_TEST(fields_before_the_first_apply_have_an_owner),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
