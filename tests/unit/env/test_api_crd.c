#include "tests/unit/env/world.h"

#include "services/cluster/env/object.h"

#include "base/auto.h"

#include <stdlib.h>
#include <string.h>

#define CRDS  "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
#define SHIPS "/apis/sea.example.com/v1/namespaces/default/ships"
#define OLD   "/apis/sea.example.com/v1beta1/namespaces/default/ships"
#define SPEC                                                                                       \
    "\"spec\":{\"type\":\"object\",\"required\":[\"sails\"],\"properties\":{"                      \
    "\"sails\":{\"type\":\"integer\",\"minimum\":1},\"name\":{\"type\":\"string\","                \
    "\"default\":\"Argo\"},\"replicas\":{\"type\":\"integer\"}}}"
#define SCHEMA                                                                                     \
    "\"schema\":{\"openAPIV3Schema\":{\"type\":\"object\",\"properties\":{" SPEC                   \
    ",\"status\":{\"type\":\"object\",\"properties\":{\"replicas\":{\"type\":\"integer\"}}}}}}"

static const char definition[] =
    "{\"apiVersion\":\"apiextensions.k8s.io/v1\",\"kind\":\"CustomResourceDefinition\","
    "\"metadata\":{\"name\":\"ships.sea.example.com\"},\"spec\":{\"group\":\"sea.example.com\","
    "\"scope\":\"Namespaced\",\"names\":{\"plural\":\"ships\",\"kind\":\"Ship\",\"shortNames\":"
    "[\"sh\"],\"categories\":[\"all\"]},\"versions\":["
    "{\"name\":\"v1beta1\",\"served\":true,\"storage\":false," SCHEMA "},"
    "{\"name\":\"v1\",\"served\":true,\"storage\":true," SCHEMA ",\"subresources\":{\"status\":{},"
    "\"scale\":{\"specReplicasPath\":\".spec.replicas\",\"statusReplicasPath\":\".status."
    "replicas\"}},\"additionalPrinterColumns\":[{\"name\":\"Sails\",\"type\":\"integer\","
    "\"jsonPath\":\".spec.sails\"},{\"name\":\"Age\",\"type\":\"date\",\"jsonPath\":\".metadata."
    "creationTimestamp\"}]}]}}";

#define SHIP(name, spec)                                                                           \
    "{\"apiVersion\":\"sea.example.com/v1\",\"kind\":\"Ship\",\"metadata\":{\"name\":\"" name      \
    "\"},\"spec\":" spec "}"

static int setup(void **state)
{
    int rc = world_setup(state);
    tell(*state, "POST", CRDS, definition);
    return rc;
}

static void a_definition_is_established_at_once(void **state)
{
    world_t *world = *state;
    json_auto_t *stored = ask(world, "GET", CRDS "/ships.sea.example.com", NULL, NULL);
    expect_at(object_condition(stored, "Established"), "status", "\"True\"");
    expect_at(object_condition(stored, "NamesAccepted"), "reason", "\"NoConflicts\"");
    expect_at(stored, "status.storedVersions", "[\"v1\"]");
    expect_at(stored, "spec.names.listKind", "\"ShipList\"");
    json_auto_t *resources = ask(world, "GET", "/apis/sea.example.com/v1", NULL, NULL);
    expect_at(json_array_get(json_object_get(resources, "resources"), 0), "shortNames", "[\"sh\"]");
    json_auto_t *group = ask(world, "GET", "/apis/sea.example.com", NULL, NULL);
    expect_at(group, "preferredVersion.version", "\"v1\"");
}

static void objects_are_pruned_defaulted_and_numbered(void **state)
{
    world_t *world = *state;
    json_auto_t *made =
        ask(world, "POST", SHIPS, "application/json", SHIP("argo", "{\"sails\":1,\"nosuch\":2}"));
    assert_int_equal(world->status, 201);
    expect_at(made, "spec", "{\"sails\":1,\"name\":\"Argo\"}");
    expect_at(made, "metadata.generation", "1");
    json_auto_t *patched = ask(world, "PATCH", SHIPS "/argo", "application/merge-patch+json",
        "{\"spec\":{\"sails\":3},\"status\":{\"replicas\":9}}");
    expect_at(patched, "metadata.generation", "2");
    assert_null(json_object_get(patched, "status"));
    json_auto_t *after = ask(world, "PATCH", SHIPS "/argo/status", "application/merge-patch+json",
        "{\"status\":{\"replicas\":2}}");
    expect_at(after, "status.replicas", "2");
    expect_at(after, "metadata.generation", "2");
}

static void values_are_checked(void **state)
{
    world_t *world = *state;
    json_auto_t *wrong =
        ask(world, "POST", SHIPS, "application/json", SHIP("argo", "{\"sails\":0}"));
    expect_refusal(world, wrong, 422,
        "Ship.sea.example.com \"argo\" is invalid: spec.sails: Invalid value: 0: spec.sails in "
        "body should be greater than or equal to 1");
    json_auto_t *missing = ask(world, "POST", SHIPS, "application/json", SHIP("argo", "{}"));
    expect_refusal(world, missing, 422,
        "Ship.sea.example.com \"argo\" is invalid: spec.sails: Required value");
    json_auto_t *strict = ask(world, "POST", SHIPS "?fieldValidation=Strict", "application/json",
        SHIP("argo", "{\"sails\":1,\"nosuch\":2}"));
    expect_refusal(world, strict, 400,
        "Ship in version \"v1\" cannot be handled as a Ship: strict decoding error: unknown field "
        "\"spec.nosuch\"");
    json_decref(ask(world, "PATCH", SHIPS "/argo", "application/strategic-merge-patch+json",
        "{\"spec\":{\"sails\":3}}"));
    assert_int_equal(world->status, 415);
    tell(world, "POST", SHIPS, SHIP("argo", "{\"sails\":1}"));
    json_auto_t *status = ask(world, "PATCH", SHIPS "/argo/status", "application/merge-patch+json",
        "{\"status\":{\"replicas\":\"x\"}}");
    expect_refusal(world, status, 422,
        "Ship.sea.example.com \"argo\" is invalid: status.replicas: Invalid value: \"string\": "
        "status.replicas in body must be of type integer: \"string\"");
}

static void each_version_shows_the_same_objects(void **state)
{
    world_t *world = *state;
    tell(world, "POST", SHIPS, SHIP("argo", "{\"sails\":1}"));
    json_auto_t *old = ask(world, "GET", OLD "/argo", NULL, NULL);
    expect_at(old, "apiVersion", "\"sea.example.com/v1beta1\"");
    json_auto_t *list = ask(world, "GET", OLD, NULL, NULL);
    expect_at(list, "apiVersion", "\"sea.example.com/v1beta1\"");
    expect_at(json_array_get(json_object_get(list, "items"), 0), "apiVersion",
        "\"sea.example.com/v1beta1\"");
    json_auto_t *stored = ask(world, "GET", SHIPS "/argo", NULL, NULL);
    expect_at(stored, "apiVersion", "\"sea.example.com/v1\"");
}

static void watches_begin_as_soon_as_the_kind_is_there(void **state)
{
    world_t *world = *state;
    request_t *watch = listen_to(world, SHIPS "?watch=true", NULL);
    tell(world, "POST", SHIPS, SHIP("argo", "{\"sails\":1}"));
    ev_sim_run_for(world->ev, 1);
    AUTO_FREE char *heard = hear(watch);
    assert_non_null(strstr(heard, "\"ADDED\""));
    request_destroy(&watch);
}

static void scale_follows_its_paths(void **state)
{
    world_t *world = *state;
    tell(world, "POST", SHIPS, SHIP("argo", "{\"sails\":1,\"replicas\":2}"));
    json_auto_t *scale = ask(world, "PATCH", SHIPS "/argo/scale", "application/merge-patch+json",
        "{\"spec\":{\"replicas\":5}}");
    expect_at(scale, "spec.replicas", "5");
    json_auto_t *ship = ask(world, "GET", SHIPS "/argo", NULL, NULL);
    expect_at(ship, "spec.replicas", "5");
}

static void server_side_apply_merges_objects(void **state)
{
    world_t *world = *state;
    json_decref(ask(world, "PATCH", SHIPS "/argo?fieldManager=a", "application/apply-patch+yaml",
        SHIP("argo", "{\"sails\":1}")));
    assert_int_equal(world->status, 201);
    json_auto_t *other = ask(world, "PATCH", SHIPS "/argo?fieldManager=b",
        "application/apply-patch+yaml", SHIP("argo", "{\"sails\":2}"));
    expect_refusal(
        world, other, 409, "Apply failed with 1 conflict: conflict with \"a\": .spec.sails");
}

static void names_that_are_taken_are_not_accepted(void **state)
{
    world_t *world = *state;
    json_auto_t *second = json_loads(definition, 0, NULL);
    object_set(second, "metadata.name", json_string("boats.sea.example.com"));
    object_set(second, "spec.names", json_pack("{s:s, s:s}", "plural", "boats", "kind", "Ship"));
    AUTO_FREE char *text = json_dumps(second, 0);
    json_auto_t *made = ask(world, "POST", CRDS, "application/json", text);
    expect_at(object_condition(made, "NamesAccepted"), "message",
        "\"\\\"ShipList\\\" is already in use\"");
    tell(world, "GET", "/apis/sea.example.com/v1/namespaces/default/boats", NULL);
    assert_int_equal(world->status, 404);
}

static void a_definition_waits_for_its_objects(void **state)
{
    world_t *world = *state;
    tell(world, "POST", SHIPS, SHIP("argo", "{\"sails\":1}"));
    json_auto_t *leaving = ask(world, "DELETE", CRDS "/ships.sea.example.com", NULL, NULL);
    expect_at(leaving, "metadata.finalizers", "[\"" CUSTOM_FINALIZER "\"]");
    json_auto_t *late =
        ask(world, "POST", SHIPS, "application/json", SHIP("late", "{\"sails\":1}"));
    expect_refusal(
        world, late, 405, "create not allowed while custom resource definition is terminating");
}

static void openapi_knows_custom_kinds(void **state)
{
    json_auto_t *document = ask(*state, "GET", "/openapi/v3/apis/sea.example.com/v1", NULL, NULL);
    const json_t *schemas = object_at(document, "components.schemas");
    const json_t *ship = json_object_get(schemas, "com.example.sea.v1.Ship");
    expect_at(ship, "properties.spec.properties.sails.type", "\"integer\"");
    expect_at(json_array_get(json_object_get(ship, "x-kubernetes-group-version-kind"), 0), "kind",
        "\"Ship\"");
}

static void a_definition_that_makes_no_sense_is_refused(void **state)
{
    world_t *world = *state;
    json_auto_t *wrong = json_loads(definition, 0, NULL);
    object_set(wrong, "metadata.name", json_string("boats.sea.example.com"));
    object_set(wrong, "spec.conversion", json_pack("{s:s}", "strategy", "Webhook"));
    object_set(json_array_get(object_at(wrong, "spec.versions"), 1),
        "subresources.scale.specReplicasPath", json_string(".metadata"));
    AUTO_FREE char *text = json_dumps(wrong, 0);
    json_auto_t *answer = ask(world, "POST", CRDS, "application/json", text);
    expect_refusal(world, answer, 422,
        "CustomResourceDefinition.apiextensions.k8s.io \"boats.sea.example.com\" is invalid: "
        "[metadata.name: Invalid value: \"boats.sea.example.com\": must be "
        "spec.names.plural+\".\"+spec.group, "
        "spec.versions[1].subresources.scale.specReplicasPath: Invalid value: \".metadata\": "
        "should be a json path under .spec, spec.conversion.strategy: Unsupported value: "
        "\"Webhook\": supported values: \"None\"]");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, world_teardown)
    const struct CMUnitTest tests[] = {
        TEST(a_definition_is_established_at_once),
        TEST(objects_are_pruned_defaulted_and_numbered),
        TEST(values_are_checked),
        TEST(each_version_shows_the_same_objects),
        TEST(watches_begin_as_soon_as_the_kind_is_there),
        TEST(scale_follows_its_paths),
        TEST(server_side_apply_merges_objects),
        TEST(names_that_are_taken_are_not_accepted),
        TEST(a_definition_waits_for_its_objects),
        TEST(openapi_knows_custom_kinds),
        TEST(a_definition_that_makes_no_sense_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
