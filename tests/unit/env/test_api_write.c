#include "tests/unit/env/world.h"

#include "services/cluster/env/object.h"

#include "base/auto.h"
#include "base/mem.h"

static const char web[] =
    "{\"apiVersion\":\"apps/v1\",\"kind\":\"Deployment\",\"metadata\":{\"name\":\"web\"},"
    "\"spec\":{\"selector\":{\"matchLabels\":{\"app\":\"web\"}},\"template\":{\"metadata\":"
    "{\"labels\":{\"app\":\"web\"}},\"spec\":{\"containers\":[{\"name\":\"c\",\"image\":\"i:1\"}]"
    "}}}}";
static const char config[] = "{\"apiVersion\":\"v1\",\"kind\":\"ConfigMap\",\"metadata\":{"
                             "\"name\":\"c\"},\"data\":{\"a\":\"1\"}}";

static void a_new_object_comes_back_with_defaults(void **state)
{
    world_t *world = *state;
    json_auto_t *made = ask(world, "POST", DEPLOYMENTS, "application/json", web);
    assert_int_equal(world->status, 201);
    expect_at(made, "spec.replicas", "1");
    expect_at(made, "spec.strategy",
        "{\"type\":\"RollingUpdate\",\"rollingUpdate\":{\"maxSurge\":\"25%\",\"maxUnavailable\":"
        "\"25%\"}}");
}

static void a_taken_name_is_a_conflict(void **state)
{
    world_t *world = *state;
    tell(world, "POST", DEPLOYMENTS, web);
    json_auto_t *answer = ask(world, "POST", DEPLOYMENTS, "application/json", web);
    expect_refusal(world, answer, 409, "deployments.apps \"web\" already exists");
    expect_at(answer, "reason", "\"AlreadyExists\"");
    expect_at(answer, "details", "{\"name\":\"web\",\"group\":\"apps\",\"kind\":\"deployments\"}");
}

static void a_missing_namespace_is_named(void **state)
{
    world_t *world = *state;
    json_auto_t *answer =
        ask(world, "POST", "/api/v1/namespaces/no/configmaps", "application/json", config);
    expect_refusal(world, answer, 404, "namespaces \"no\" not found");
    expect_at(answer, "details", "{\"name\":\"no\",\"kind\":\"namespaces\"}");
}

static void what_is_invalid_is_listed_field_by_field(void **state)
{
    world_t *world = *state;
    json_auto_t *answer = ask(world, "POST", DEPLOYMENTS, "application/json",
        "{\"apiVersion\":\"apps/v1\",\"kind\":\"Deployment\",\"metadata\":{\"name\":\"w\"},"
        "\"spec\":{\"selector\":{\"matchLabels\":{\"app\":\"a\"}},\"template\":{\"metadata\":{"
        "\"labels\":{\"app\":\"b\"}},\"spec\":{\"containers\":[{\"name\":\"c\"}]}}}}");
    expect_refusal(world, answer, 422,
        "Deployment.apps \"w\" is invalid: [spec.template.metadata.labels: Invalid value: "
        "map[string]string{\"app\":\"b\"}: `selector` does not match template `labels`, "
        "spec.template.spec.containers[0].image: Required value]");
    assert_int_equal(json_array_size(object_at(answer, "details.causes")), 2);
}

static void mounts_are_unique_and_lead_nowhere_else(void **state)
{
    world_t *world = *state;
    json_auto_t *answer = ask(world, "POST", "/api/v1/namespaces/default/pods", "application/json",
        "{\"apiVersion\":\"v1\",\"kind\":\"Pod\",\"metadata\":{\"name\":\"p\"},\"spec\":{"
        "\"volumes\":[{"
        "\"name\":\"v\",\"hostPath\":{\"path\":\"/a/../"
        "b\"}}],\"containers\":[{\"name\":\"c\",\"image\":"
        "\"i:1\",\"volumeMounts\":[{\"name\":\"v\",\"mountPath\":\"/x\",\"subPath\":\"../"
        "y\"},{\"name\":"
        "\"v\",\"mountPath\":\"/x\",\"subPath\":\"/y\"}]}]}}");
    expect_refusal(world, answer, 422,
        "Pod \"p\" is invalid: [spec.containers[0].volumeMounts[0].subPath: Invalid value: "
        "\"../y\": "
        "must not contain '..', spec.containers[0].volumeMounts[1].mountPath: Invalid value: "
        "\"/x\": "
        "must be unique, spec.containers[0].volumeMounts[1].subPath: Invalid value: \"/y\": must "
        "be a "
        "relative path, spec.volumes[0].hostPath.path: Invalid value: \"/a/../b\": must not "
        "contain "
        "'..']");
}

static void unknown_fields_are_refused_when_asked_for(void **state)
{
    world_t *world = *state;
    static const char body[] = "{\"apiVersion\":\"v1\",\"kind\":\"ConfigMap\",\"metadata\":{"
                               "\"name\":\"c\"},\"dataa\":{}}";
    json_auto_t *answer =
        ask(world, "POST", CONFIG_MAPS "?fieldValidation=Strict", "application/json", body);
    expect_refusal(world, answer, 400,
        "ConfigMap in version \"v1\" cannot be handled as a ConfigMap: strict decoding error: "
        "unknown field \"dataa\"");
    json_auto_t *made = ask(world, "POST", CONFIG_MAPS, "application/json", body);
    assert_int_equal(world->status, 201);
    assert_null(json_object_get(made, "dataa"));
}

static void a_value_of_the_wrong_type_is_refused(void **state)
{
    world_t *world = *state;
    tell(world, "POST", DEPLOYMENTS, web);
    json_auto_t *answer = ask(world, "PATCH", DEPLOYMENTS "/web", "application/merge-patch+json",
        "{\"spec\":{\"replicas\":\"two\"}}");
    expect_refusal(world, answer, 400,
        "Deployment in version \"v1\" cannot be handled as a Deployment: json: cannot unmarshal "
        "string into Go struct field DeploymentSpec.spec.replicas of type int32");
}

static void an_immutable_field_stays(void **state)
{
    world_t *world = *state;
    tell(world, "POST", DEPLOYMENTS, web);
    json_auto_t *answer = ask(world, "PATCH", DEPLOYMENTS "/web", "application/merge-patch+json",
        "{\"spec\":{\"selector\":{\"matchLabels\":{\"app\":null,\"x\":\"y\"}},\"template\":{"
        "\"metadata\":{\"labels\":{\"x\":\"y\"}}}}}");
    expect_refusal(world, answer, 422,
        "Deployment.apps \"web\" is invalid: spec.selector: Invalid value: {\"matchLabels\":{"
        "\"x\":\"y\"}}: field is immutable");
}

static void a_patch_that_changes_nothing_keeps_the_version(void **state)
{
    world_t *world = *state;
    tell(world, "POST", DEPLOYMENTS, web);
    uint64_t before = store_version(world->store);
    json_auto_t *answer = ask(world, "PATCH", DEPLOYMENTS "/web",
        "application/strategic-merge-patch+json", "{\"spec\":{\"replicas\":1}}");
    assert_int_equal(world->status, 200);
    assert_non_null(answer);
    assert_int_equal(store_version(world->store), before);
}

static void a_dry_run_stores_nothing(void **state)
{
    world_t *world = *state;
    json_auto_t *made = ask(world, "POST", CONFIG_MAPS "?dryRun=All", "application/json", config);
    assert_int_equal(world->status, 201);
    expect_at(made, "data", "{\"a\":\"1\"}");
    json_decref(ask(world, "GET", CONFIG_MAPS "/c", NULL, NULL));
    assert_int_equal(world->status, 404);
}

static void the_status_is_changed_only_as_such(void **state)
{
    world_t *world = *state;
    tell(world, "POST", DEPLOYMENTS, web);
    tell(world, "PATCH", DEPLOYMENTS "/web/status", NULL);
    json_auto_t *answer = ask(world, "PATCH", DEPLOYMENTS "/web/status",
        "application/merge-patch+json", "{\"status\":{\"replicas\":2},\"spec\":{\"replicas\":9}}");
    expect_at(answer, "status.replicas", "2");
    expect_at(answer, "spec.replicas", "1");
}

static void scaling_changes_the_replicas(void **state)
{
    world_t *world = *state;
    tell(world, "POST", DEPLOYMENTS, web);
    json_auto_t *scale = ask(world, "PATCH", DEPLOYMENTS "/web/scale",
        "application/merge-patch+json", "{\"spec\":{\"replicas\":3}}");
    expect_at(scale, "spec.replicas", "3");
    expect_at(scale, "status.selector", "\"app=web\"");
    json_auto_t *deployment = ask(world, "GET", DEPLOYMENTS "/web", NULL, NULL);
    expect_at(deployment, "spec.replicas", "3");
    expect_at(deployment, "metadata.generation", "2");
}

static void deleting_answers_with_what_is_gone(void **state)
{
    world_t *world = *state;
    tell(world, "POST", CONFIG_MAPS, config);
    json_auto_t *answer = ask(world, "DELETE", CONFIG_MAPS "/c", NULL, NULL);
    expect_at(answer, "status", "\"Success\"");
    expect_at(answer, "details.kind", "\"configmaps\"");
    json_auto_t *again = ask(world, "DELETE", CONFIG_MAPS "/c", NULL, NULL);
    expect_refusal(world, again, 404, "configmaps \"c\" not found");
}

static void an_upload_is_not_a_kind_of_its_own(void **state)
{
    world_t *world = *state;
    json_auto_t *answer = ask(world, "POST", DEPLOYMENTS, "application/json", config);
    expect_refusal(world, answer, 400,
        "the API version in the data (v1) does not match the expected API version (apps/v1)");
}

static const char pod[] = "{\"apiVersion\":\"v1\",\"kind\":\"Pod\",\"metadata\":{\"name\":\"p\"},"
                          "\"spec\":{\"containers\":[{\"name\":\"c\",\"image\":\"i:1\"}]}}";

static void ephemeral_containers_are_added_and_nothing_else_is_changed(void **state)
{
    world_t *world = *state;
    tell(world, "POST", PODS, pod);
    json_auto_t *changed =
        ask(world, "PATCH", PODS "/p/ephemeralcontainers", "application/strategic-merge-patch+json",
            "{\"spec\":{\"activeDeadlineSeconds\":9,\"ephemeralContainers\":[{\"name\":\"look\","
            "\"image\":\"i:2\"}]}}");
    assert_int_equal(world->status, 200);
    assert_null(object_at(changed, "spec.activeDeadlineSeconds"));
    json_auto_t *read = ask(world, "GET", PODS "/p", NULL, NULL);
    assert_int_equal(json_array_size(object_at(read, "spec.ephemeralContainers")), 1);
}

static void ephemeral_containers_are_not_taken_away(void **state)
{
    world_t *world = *state;
    tell(world, "POST", PODS, pod);
    json_auto_t *changed =
        ask(world, "PATCH", PODS "/p/ephemeralcontainers", "application/merge-patch+json",
            "{\"spec\":{\"ephemeralContainers\":[{\"name\":\"look\",\"image\":\"i:2\"}]}}");
    assert_non_null(changed);
    json_auto_t *answer = ask(world, "PATCH", PODS "/p/ephemeralcontainers",
        "application/merge-patch+json", "{\"spec\":{\"ephemeralContainers\":[]}}");
    expect_refusal(world, answer, 422,
        "Pod \"p\" is invalid: spec.ephemeralContainers: Forbidden: existing ephemeral containers "
        "\"look\" may not be removed");
}

static void ephemeral_containers_are_checked(void **state)
{
    world_t *world = *state;
    tell(world, "POST", PODS, pod);
    json_auto_t *answer =
        ask(world, "PATCH", PODS "/p/ephemeralcontainers", "application/merge-patch+json",
            "{\"spec\":{\"ephemeralContainers\":[{\"name\":\"c\",\"image\":\"i:2\","
            "\"targetContainerName\":\"d\",\"ports\":[{\"containerPort\":1}]}]}}");
    expect_refusal(world, answer, 422,
        "Pod \"p\" is invalid: [spec.ephemeralContainers[0].ports: Forbidden: cannot be set for an "
        "Ephemeral Container, spec.ephemeralContainers[0].name: Duplicate value: \"c\", "
        "spec.ephemeralContainers[0].targetContainerName: Not found: \"d\"]");
}

static void expect_strict(world_t *world, const char *body, const char *why)
{
    AUTO_FREE char *wanted = xasprintf("ConfigMap in version \"v1\" cannot be handled as a "
                                       "ConfigMap: strict decoding error: %s",
        why);
    json_auto_t *answer =
        ask(world, "POST", CONFIG_MAPS "?fieldValidation=Strict", "application/json", body);
    expect_refusal(world, answer, 400, wanted);
}

static void a_field_that_is_there_twice_is_told(void **state)
{
    world_t *world = *state;
    expect_strict(world,
        "{\"apiVersion\":\"v1\",\"kind\":\"ConfigMap\",\"metadata\":{\"name\":\"a\",\"name\":\"b\"}"
        ","
        "\"data\":{\"k\":\"1\",\"x\\\"y\":\"\",\"k\":\"2\",\"k\":\"3\"},\"nosuch\":[{\"z\":1,\"z\":"
        "2}]}",
        "duplicate field \"metadata.name\", duplicate field \"data.k\", duplicate field "
        "\"nosuch[0].z\", unknown field \"nosuch\"");
    json_auto_t *answer =
        ask(world, "POST", CONFIG_MAPS "?fieldValidation=Loose", "application/json",
            "{\"apiVersion\":\"v1\",\"kind\":\"ConfigMap\",\"metadata\":{\"name\":\"a\"}}");
    expect_refusal(world, answer, 422,
        "CreateOptions.meta.k8s.io \"\" is invalid: fieldValidation: Unsupported value: \"Loose\": "
        "supported values: \"Ignore\", \"Strict\", \"Warn\"");
}

static void a_token_secret_names_its_account(void **state)
{
    world_t *world = *state;
    json_auto_t *answer =
        ask(world, "POST", "/api/v1/namespaces/default/secrets", "application/json",
            "{\"apiVersion\":\"v1\",\"kind\":\"Secret\",\"metadata\":{\"name\":\"t\"},\"type\":"
            "\"kubernetes.io/service-account-token\"}");
    expect_refusal(world, answer, 422,
        "Secret \"t\" is invalid: metadata.annotations[kubernetes.io/service-account.name]: "
        "Required value");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WORLD_TEST(a_new_object_comes_back_with_defaults),
        WORLD_TEST(a_taken_name_is_a_conflict),
        WORLD_TEST(a_missing_namespace_is_named),
        WORLD_TEST(what_is_invalid_is_listed_field_by_field),
        WORLD_TEST(mounts_are_unique_and_lead_nowhere_else),
        WORLD_TEST(unknown_fields_are_refused_when_asked_for),
        WORLD_TEST(a_value_of_the_wrong_type_is_refused),
        WORLD_TEST(an_immutable_field_stays),
        WORLD_TEST(a_patch_that_changes_nothing_keeps_the_version),
        WORLD_TEST(a_dry_run_stores_nothing),
        WORLD_TEST(the_status_is_changed_only_as_such),
        WORLD_TEST(scaling_changes_the_replicas),
        WORLD_TEST(deleting_answers_with_what_is_gone),
        WORLD_TEST(an_upload_is_not_a_kind_of_its_own),
        WORLD_TEST(ephemeral_containers_are_added_and_nothing_else_is_changed),
        WORLD_TEST(ephemeral_containers_are_not_taken_away),
        WORLD_TEST(ephemeral_containers_are_checked),
        WORLD_TEST(a_field_that_is_there_twice_is_told),
        WORLD_TEST(a_token_secret_names_its_account),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
