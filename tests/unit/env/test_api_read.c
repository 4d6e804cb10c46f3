#include "tests/unit/env/world.h"

#include "services/cluster/env/object.h"

#include "base/auto.h"

#include <string.h>

static void make(world_t *world, const char *name, const char *app)
{
    json_t *object =
        json_pack("{s:{s:s, s:{s:s}}}", "metadata", "name", name, "labels", "app", app);
    assert_int_equal(store_create(world->store, kind_find("ConfigMap"), object, NULL, NULL), 0);
}

static void expect_names(world_t *world, const char *url, const char *names)
{
    json_auto_t *list = ask(world, "GET", url, NULL, NULL);
    char text[256] = "";
    size_t i;
    json_t *item;
    json_array_foreach(json_object_get(list, "items"), i, item)
    {
        strcat(text, i ? " " : "");
        strcat(text, object_name(item));
    }
    assert_string_equal(text, names);
}

static void lists_are_in_order_and_selected(void **state)
{
    world_t *world = *state;
    make(world, "b", "x");
    make(world, "a", "y");
    make(world, "c", "x");
    expect_names(world, CONFIG_MAPS, "a b c");
    expect_names(world, CONFIG_MAPS "?labelSelector=app%3Dx", "b c");
    expect_names(world, CONFIG_MAPS "?labelSelector=app%20notin%20%28x%29", "a");
    expect_names(world, CONFIG_MAPS "?fieldSelector=metadata.name%3Da", "a");
    expect_names(world, "/api/v1/configmaps", "a b c");
    expect_names(world, "/api/v1/namespaces/other/configmaps", "");
}

static void an_unknown_field_cannot_be_selected(void **state)
{
    world_t *world = *state;
    json_auto_t *answer = ask(world, "GET", PODS "?fieldSelector=foo.bar%3D1", NULL, NULL);
    expect_refusal(world, answer, 400, "field label not supported: foo.bar");
}

static void pages_follow_one_another(void **state)
{
    world_t *world = *state;
    char url[256];
    make(world, "a", "x");
    make(world, "b", "x");
    make(world, "c", "x");
    json_auto_t *first = ask(world, "GET", CONFIG_MAPS "?limit=2", NULL, NULL);
    expect_at(first, "metadata.remainingItemCount", "1");
    snprintf(url, sizeof(url), CONFIG_MAPS "?limit=2&continue=%s",
        object_string(first, "metadata.continue"));
    expect_names(world, url, "c");
}

static void change(world_t *world, const char *name, const char *value)
{
    char body[64];
    char url[128];
    snprintf(url, sizeof(url), CONFIG_MAPS "/%s", name);
    snprintf(body, sizeof(body), "{\"data\":{\"k\":\"%s\"}}", value);
    json_decref(ask(world, "PATCH", url, "application/merge-patch+json", body));
}

/* The pages of one list are one state, whatever happens between them. */
static void later_pages_show_what_was_there_at_the_first(void **state)
{
    world_t *world = *state;
    char url[256];
    make(world, "a", "x");
    make(world, "c", "x");
    make(world, "d", "x");
    json_auto_t *first = ask(world, "GET", CONFIG_MAPS "?limit=1", NULL, NULL);
    make(world, "b", "x");
    change(world, "c", "new");
    tell(world, "DELETE", CONFIG_MAPS "/d", NULL);
    snprintf(
        url, sizeof(url), CONFIG_MAPS "?continue=%s", object_string(first, "metadata.continue"));
    expect_names(world, url, "c d");
    json_auto_t *rest = ask(world, "GET", url, NULL, NULL);
    assert_null(object_at(json_array_get(json_object_get(rest, "items"), 0), "data"));
    expect_names(world, CONFIG_MAPS, "a b c");
    snprintf(url, sizeof(url), CONFIG_MAPS "?resourceVersionMatch=Exact&resourceVersion=%s",
        object_string(first, "metadata.resourceVersion"));
    expect_names(world, url, "a c d");
}

static void a_token_that_is_too_old_gets_another_one(void **state)
{
    world_t *world = *state;
    char url[256];
    make(world, "a", "x");
    make(world, "b", "x");
    json_auto_t *first = ask(world, "GET", CONFIG_MAPS "?limit=1", NULL, NULL);
    for (int i = 0; i < 5000; i++) {
        char value[16];
        snprintf(value, sizeof(value), "%d", i);
        change(world, "a", value);
        ev_sim_run_for(world->ev, 1);
    }
    snprintf(
        url, sizeof(url), CONFIG_MAPS "?continue=%s", object_string(first, "metadata.continue"));
    json_auto_t *expired = ask(world, "GET", url, NULL, NULL);
    assert_int_equal(world->status, 410);
    expect_at(expired, "reason", "\"Expired\"");
    snprintf(
        url, sizeof(url), CONFIG_MAPS "?continue=%s", object_string(expired, "metadata.continue"));
    expect_names(world, url, "b");
}

static void a_version_from_the_future_is_a_timeout(void **state)
{
    world_t *world = *state;
    json_auto_t *answer = ask(world, "GET", CONFIG_MAPS "?resourceVersion=99", NULL, NULL);
    expect_refusal(world, answer, 504, "Timeout: Too large resource version: 99, current: 1");
}

static void what_is_not_there_is_named(void **state)
{
    world_t *world = *state;
    json_auto_t *answer = ask(world, "GET", DEPLOYMENTS "/nope", NULL, NULL);
    expect_refusal(world, answer, 404, "deployments.apps \"nope\" not found");
    assert_null(ask(world, "GET", "/apis/apps/v1/nothing", NULL, NULL));
    assert_int_equal(world->status, 404);
}

static json_t *ask_table(world_t *world, const char *url)
{
    request_t *request =
        listen_to(world, url, "application/json;as=Table;v=v1;g=meta.k8s.io,application/json");
    json_t *table = json_loadb(request->reply.body.bytes, request->reply.body.size, 0, NULL);
    request_destroy(&request);
    return table;
}

static void a_table_shows_what_servers_show(void **state)
{
    world_t *world = *state;
    json_t *pod = json_loads(
        "{\"metadata\":{\"name\":\"p\"},\"spec\":{\"containers\":[{\"name\":\"a\"},{\"name\":"
        "\"b\"}]}}",
        0, NULL);
    store_create(world->store, kind_find("Pod"), pod, NULL, NULL);
    pod = object_copy(store_get(world->store, kind_find("Pod"), "default", "p"), "status");
    json_object_set_new(pod, "status",
        json_loads("{\"phase\":\"Running\",\"containerStatuses\":[{\"name\":\"a\",\"ready\":true,"
                   "\"restartCount\":0,\"state\":{\"running\":{}}},{\"name\":\"b\",\"ready\":"
                   "false,\"restartCount\":4,\"state\":{\"waiting\":{\"reason\":"
                   "\"CrashLoopBackOff\"}}}]}",
            0, NULL));
    store_update(world->store, kind_find("Pod"), pod, STORE_STATUS, NULL);
    json_auto_t *table = ask_table(world, PODS);
    const json_t *row = json_array_get(json_object_get(table, "rows"), 0);
    expect_at(row, "cells",
        "[\"p\",\"1/2\",\"CrashLoopBackOff\",\"4\",\"0s\",\"<none>\",\"<none>\",\"<none>\","
        "\"<none>\"]");
    expect_at(row, "object.metadata.name", "\"p\"");
    assert_int_equal(json_array_size(json_object_get(table, "columnDefinitions")), 9);
}

static void both_forms_of_discovery_agree(void **state)
{
    world_t *world = *state;
    json_auto_t *old = ask(world, "GET", "/apis/apps/v1", NULL, NULL);
    expect_at(old, "groupVersion", "\"apps/v1\"");
    expect_at(json_array_get(json_object_get(old, "resources"), 1), "shortNames", "[\"ds\"]");
    request_t *request = listen_to(
        world, "/apis", "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList");
    assert_string_equal(request->reply.content_type,
        "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList");
    json_auto_t *new = json_loadb(request->reply.body.bytes, request->reply.body.size, 0, NULL);
    expect_at(json_array_get(json_object_get(new, "items"), 0), "metadata.name", "\"apps\"");
    request_destroy(&request);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WORLD_TEST(lists_are_in_order_and_selected),
        WORLD_TEST(an_unknown_field_cannot_be_selected),
        WORLD_TEST(pages_follow_one_another),
        WORLD_TEST(later_pages_show_what_was_there_at_the_first),
        WORLD_TEST(a_token_that_is_too_old_gets_another_one),
        WORLD_TEST(a_version_from_the_future_is_a_timeout),
        WORLD_TEST(what_is_not_there_is_named),
        WORLD_TEST(a_table_shows_what_servers_show),
        WORLD_TEST(both_forms_of_discovery_agree),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
