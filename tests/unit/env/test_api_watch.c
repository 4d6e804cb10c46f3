#include "tests/unit/env/world.h"

#include "services/cluster/env/object.h"

#include "base/auto.h"

#include <string.h>

static void make(world_t *world, const char *name, const char *app)
{
    json_t *object =
        json_pack("{s:{s:s, s:{s:s}}}", "metadata", "name", name, "labels", "app", app);
    store_create(world->store, kind_find("ConfigMap"), object, NULL, NULL);
}

static void relabel(world_t *world, const char *name, const char *app)
{
    const kind_t *kind = kind_find("ConfigMap");
    json_t *copy = json_deep_copy(store_get(world->store, kind, "default", name));
    object_set(copy, "metadata.labels.app", json_string(app));
    store_update(world->store, kind, copy, STORE_ALL, NULL);
}

/* "ADDED a, DELETED b" of what a watch says. */
static void expect_events(request_t *request, const char *wanted)
{
    AUTO_FREE char *text = hear(request);
    char got[512] = "";
    for (const char *line = text; *line; line = strchr(line, '\n') ? strchr(line, '\n') + 1 : "") {
        json_auto_t *event = json_loads(line, JSON_DISABLE_EOF_CHECK, NULL);
        strcat(got, *got ? ", " : "");
        strcat(got, event ? object_string(event, "type") : line);
        strcat(got, event ? " " : "");
        strcat(got, object_name(json_object_get(event, "object")));
    }
    assert_string_equal(got, wanted);
}

static void a_watch_starts_with_what_is_there(void **state)
{
    world_t *world = *state;
    make(world, "a", "x");
    AUTO(request_destroy) request_t *watch = listen_to(world, CONFIG_MAPS "?watch=true", NULL);
    expect_events(watch, "ADDED a");
    make(world, "b", "x");
    store_delete(world->store, kind_find("ConfigMap"), "default", "a", NULL, NULL);
    expect_events(watch, "ADDED b, DELETED a");
    expect_events(watch, "");
}

static void a_watch_is_taken_up_where_it_was_left(void **state)
{
    world_t *world = *state;
    make(world, "a", "x");
    make(world, "b", "x");
    AUTO(request_destroy)
    request_t *watch = listen_to(world, CONFIG_MAPS "?watch=true&resourceVersion=2", NULL);
    expect_events(watch, "ADDED b");
}

static void a_selector_makes_objects_come_and_go(void **state)
{
    world_t *world = *state;
    make(world, "a", "x");
    AUTO(request_destroy)
    request_t *watch =
        listen_to(world, CONFIG_MAPS "?watch=true&resourceVersion=2&labelSelector=app%3Dy", NULL);
    relabel(world, "a", "y");
    expect_events(watch, "ADDED a");
    relabel(world, "a", "x");
    expect_events(watch, "DELETED a");
    relabel(world, "a", "z");
    expect_events(watch, "");
}

static void initial_events_end_with_a_mark(void **state)
{
    world_t *world = *state;
    make(world, "a", "x");
    AUTO(request_destroy)
    request_t *watch = listen_to(world,
        CONFIG_MAPS "?watch=true&sendInitialEvents=true&resourceVersionMatch=NotOlderThan"
                    "&allowWatchBookmarks=true",
        NULL);
    AUTO_FREE char *text = hear(watch);
    assert_non_null(strstr(text, "\"k8s.io/initial-events-end\":\"true\""));
}

static void initial_events_without_bookmarks_are_refused(void **state)
{
    world_t *world = *state;
    json_auto_t *answer =
        ask(world, "GET", CONFIG_MAPS "?watch=true&sendInitialEvents=true", NULL, NULL);
    expect_refusal(world, answer, 422,
        "ListOptions.meta.k8s.io \"\" is invalid: resourceVersionMatch: Forbidden: "
        "sendInitialEvents requires setting resourceVersionMatch to NotOlderThan");
}

static void a_watch_ends_in_its_time(void **state)
{
    world_t *world = *state;
    AUTO(request_destroy)
    request_t *watch = listen_to(world, CONFIG_MAPS "?watch=true&timeoutSeconds=5", NULL);
    ev_sim_run_for(world->ev, 4999);
    expect_events(watch, "");
    ev_sim_run_for(world->ev, 2);
    expect_events(watch, "(end)");
}

static void bookmarks_tell_the_version(void **state)
{
    world_t *world = *state;
    AUTO(request_destroy)
    request_t *watch = listen_to(world, CONFIG_MAPS "?watch=true&allowWatchBookmarks=true", NULL);
    ev_sim_run_for(world->ev, 60001);
    expect_events(watch, "BOOKMARK ");
}

static void a_version_too_old_has_expired(void **state)
{
    enum { MORE_THAN_IS_KEPT = 3000 };
    world_t *world = *state;
    make(world, "a", "x");
    for (int i = 0; i < MORE_THAN_IS_KEPT; i++)
        relabel(world, "a", i % 2 ? "x" : "y");
    ev_sim_run_for(world->ev, 1);
    make(world, "b", "x");
    AUTO(request_destroy)
    request_t *watch = listen_to(world, CONFIG_MAPS "?watch=true&resourceVersion=2", NULL);
    AUTO_FREE char *text = hear(watch);
    assert_non_null(strstr(text, "\"type\":\"ERROR\""));
    assert_non_null(strstr(text, "\"reason\":\"Expired\""));
}

static void only_the_first_table_has_columns(void **state)
{
    world_t *world = *state;
    make(world, "a", "x");
    make(world, "b", "x");
    AUTO(request_destroy)
    request_t *watch =
        listen_to(world, CONFIG_MAPS "?watch=true", "application/json;as=Table;v=v1;g=meta.k8s.io");
    AUTO_FREE char *text = hear(watch);
    assert_non_null(strstr(text, "\"columnDefinitions\":[{"));
    assert_non_null(strstr(text, "\"columnDefinitions\":null"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WORLD_TEST(a_watch_starts_with_what_is_there),
        WORLD_TEST(a_watch_is_taken_up_where_it_was_left),
        WORLD_TEST(a_selector_makes_objects_come_and_go),
        WORLD_TEST(initial_events_end_with_a_mark),
        WORLD_TEST(initial_events_without_bookmarks_are_refused),
        WORLD_TEST(a_watch_ends_in_its_time),
        WORLD_TEST(bookmarks_tell_the_version),
        WORLD_TEST(a_version_too_old_has_expired),
        WORLD_TEST(only_the_first_table_has_columns),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
