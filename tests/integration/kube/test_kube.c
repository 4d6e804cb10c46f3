/* The Kubernetes client against a server in the same loop that plays a few lines. */
#include "kube/kube.h"

#include "base/auto.h"
#include "base/mem.h"
#include "tests/support/http_stub.h"
#include "tests/support/test.h"

typedef struct line {
    const char *request; /* "GET /path?query" */
    int status;
    const char *body;
    bool is_unending;
} line_t;

typedef struct world {
    ev_t *ev;
    http_stub_t *stub;
    kube_t *kube;
    const line_t *lines; /* ends with a NULL request */
    char requests[2048]; /* all that were made */
    char body[512];      /* of the last */
    char content_type[64];
    char told[512]; /* by a watch or a log */
    kube_watch_t *watch;
    kube_wait_t *wait;
    err_t err;
} world_t;

static void serve(void *arg, const http_stub_request_t *request, http_stub_answer_t *answer)
{
    world_t *world = arg;
    AUTO_FREE char *wanted = xasprintf(
        "%s %s%s%s", request->method, request->path, *request->query ? "?" : "", request->query);
    size_t used = strlen(world->requests);
    (void)snprintf(world->requests + used, sizeof(world->requests) - used, "%s\n", wanted);
    (void)snprintf(world->body, sizeof(world->body), "%s", request->body);
    (void)snprintf(world->content_type, sizeof(world->content_type), "%s", request->content_type);
    const line_t *line = world->lines;
    while (line->request && strcmp(line->request, wanted) != 0)
        line++;
    answer->status = line->request ? line->status : 500;
    answer->body = xstrdup(line->request ? line->body : "not in the play");
    answer->is_unending = line->is_unending;
}

static world_t *world_new(const line_t *lines)
{
    world_t *world = xcalloc(1, sizeof(*world));
    world->lines = lines;
    world->ev = ev_new();
    world->stub = http_stub_new(world->ev, NULL, NULL, serve, world);
    kube_config_t config = {.server = http_stub_url(world->stub), .token = "t"};
    world->kube = kube_new(world->ev, &config, NULL);
    assert_non_null(world->kube);
    return world;
}

static void world_destroy(world_t **world_p)
{
    world_t *world = *world_p;
    kube_watch_end(&world->watch);
    kube_wait_end(&world->wait);
    kube_destroy(&world->kube);
    http_stub_destroy(&world->stub);
    ev_destroy(&world->ev);
    free(world);
}

static void an_object_is_got(void **state)
{
    (void)state;
    static const line_t lines[] = {
        {"GET /apis/apps/v1/namespaces/shop/deployments/geo", 200, "{\"kind\":\"Deployment\"}", 0},
        {0}};
    AUTO(world_destroy) world_t *world = world_new(lines);
    json_auto_t *object = NULL;

    int rc = kube_call(world->kube, kube_get(KUBE("Deployment", "shop", "geo")), &object, NULL);

    assert_int_equal(rc, 0);
    assert_string_equal(json_string_value(json_object_get(object, "kind")), "Deployment");
}

static void selectors_are_escaped(void **state)
{
    (void)state;
    static const line_t lines[] = {
        {"GET /api/v1/pods?labelSelector=a in (b,c)&fieldSelector=spec.nodeName=n1", 200, "{}", 0},
        {0}};
    AUTO(world_destroy) world_t *world = world_new(lines);

    kube_request_t *request = kube_list(KUBE("Pod", NULL, NULL), "a in (b,c)", "spec.nodeName=n1");
    assert_int_equal(kube_call(world->kube, request, NULL, NULL), 0);
}

static void a_refusal_carries_the_servers_message(void **state)
{
    (void)state;
    static const line_t lines[] = {{"GET /api/v1/namespaces/shop/pods/geo", 404,
                                       "{\"kind\":\"Status\",\"message\":\"pods \\\"geo\\\" not "
                                       "found\",\"reason\":\"NotFound\"}",
                                       0},
        {0}};
    AUTO(world_destroy) world_t *world = world_new(lines);
    err_t err = {0};

    int rc = kube_call(world->kube, kube_get(KUBE("Pod", "shop", "geo")), NULL, &err);

    assert_int_equal(rc, -ERR_NOT_FOUND);
    assert_string_equal(err.text, "pods \"geo\" not found");
}

static void an_unknown_kind_fails_when_it_is_sent(void **state)
{
    (void)state;
    static const line_t lines[] = {{0}};
    AUTO(world_destroy) world_t *world = world_new(lines);
    err_t err = {0};

    int rc = kube_call(world->kube, kube_get(KUBE("Pot", "shop", "geo")), NULL, &err);

    assert_int_equal(rc, -ERR_INVALID);
    assert_string_equal(err.text, "the kind 'Pot' is not known to this client");
    assert_string_equal(world->requests, "");
}

static void a_patch_says_of_which_kind_it_is(void **state)
{
    (void)state;
    static const line_t lines[] = {
        {"PATCH /api/v1/namespaces/shop/services/geo", 200, "{}", 0}, {0}};
    AUTO(world_destroy) world_t *world = world_new(lines);
    json_auto_t *patch = json_pack("{s:{s:i}}", "spec", "x", 1);

    kube_request_t *request = kube_patch(KUBE("Service", "shop", "geo"), KUBE_MERGE, patch);
    assert_int_equal(kube_call(world->kube, request, NULL, NULL), 0);

    assert_string_equal(world->body, "{\"spec\":{\"x\":1}}");
    assert_string_equal(world->content_type, "application/merge-patch+json");
}

static void applying_what_exists_changes_it(void **state)
{
    (void)state;
    static const line_t lines[] = {
        {"POST /api/v1/namespaces/shop/configmaps", 409, "{\"reason\":\"AlreadyExists\"}", 0},
        {"PATCH /api/v1/namespaces/shop/configmaps/c", 200, "{}", 0}, {0}};
    AUTO(world_destroy) world_t *world = world_new(lines);
    json_auto_t *object = json_pack(
        "{s:s,s:{s:s,s:s}}", "kind", "ConfigMap", "metadata", "name", "c", "namespace", "shop");

    assert_int_equal(kube_call(world->kube, kube_apply(object), NULL, NULL), 0);

    assert_string_equal(world->requests,
        "POST /api/v1/namespaces/shop/configmaps\nPATCH /api/v1/namespaces/shop/configmaps/c\n");
    assert_string_equal(world->content_type, "application/strategic-merge-patch+json");
}

static void a_job_may_use_a_private_loop(void **state)
{
    (void)state;
    err_t err = {0};
    AUTO(kube_destroy)
    kube_t *kube = kube_new(NULL, &(kube_config_t){.server = "http://127.0.0.1:1"}, &err);

    assert_int_equal(
        kube_call(kube, kube_get(KUBE("Node", NULL, "n")), NULL, &err), -ERR_UNAVAILABLE);
}

/* ---- logs --------------------------------------------------------------------------------- */

static void on_line(void *arg, const char *line)
{
    world_t *world = arg;
    (void)strcat(strcat(world->told, line), "|");
}

static void on_end(void *arg, const kube_answer_t *answer)
{
    world_t *world = arg;
    (void)strcat(world->told, answer->err ? "failed" : "ended");
    ev_stop(world->ev);
}

static void a_log_is_followed_line_by_line(void **state)
{
    (void)state;
    static const line_t lines[] = {
        {"GET /api/v1/namespaces/shop/pods/geo/log?follow=true&tailLines=2", 200, "one\ntw", true},
        {0}};
    AUTO(world_destroy) world_t *world = world_new(lines);
    kube_log_t log = {.namespace = "shop", .pod = "geo", .tail_lines = 2};
    kube_follow(world->kube, &log, on_line, on_end, world);

    ev_after(world->ev, 30, (ev_timer_fn *)ev_stop, world->ev);
    ev_run(world->ev);
    http_stub_push(world->stub, "o\n\nend");
    http_stub_hang_up(world->stub);
    ev_run(world->ev);

    assert_string_equal(world->told, "one|two||end|ended");
}

/* ---- watches ------------------------------------------------------------------------------ */

#define POD(name, version)                                                                         \
    "{\"metadata\":{\"name\":\"" name "\",\"namespace\":\"shop\",\"resourceVersion\":\"" version   \
    "\"}}"
#define CHANGE(type, object) "{\"type\":\"" type "\",\"object\":" object "}\n"
#define PODS                 "GET /api/v1/namespaces/shop/pods"
#define WATCHING             "?watch=true&allowWatchBookmarks=true&resourceVersion="

static void on_change(void *arg, kube_change_t change, json_t *object)
{
    static const char *const names[] = {[KUBE_ADDED] = "added",
        [KUBE_MODIFIED] = "modified",
        [KUBE_DELETED] = "deleted",
        [KUBE_SYNCED] = "synced",
        [KUBE_LOST] = "lost"};
    world_t *world = arg;
    const char *name =
        json_string_value(json_object_get(json_object_get(object, "metadata"), "name"));
    size_t used = strlen(world->told);
    (void)snprintf(world->told + used, sizeof(world->told) - used, "%s%s%s ", names[change],
        name ? ":" : "", name ? name : "");
}

static void run_for(world_t *world, int64_t span_ms)
{
    ev_after(world->ev, span_ms, (ev_timer_fn *)ev_stop, world->ev);
    ev_run(world->ev);
}

static void run_until_told(world_t *world, const char *text)
{
    for (int i = 0; i < 10000 && !strstr(world->told, text); i++)
        run_for(world, 1);
    assert_non_null(strstr(world->told, text));
}

static void a_watch_tells_what_is_there_and_what_changes(void **state)
{
    (void)state;
    static const line_t lines[] = {
        {PODS, 200,
            "{\"kind\":\"PodList\",\"metadata\":{\"resourceVersion\":\"7\"},\"items\":[" POD(
                "a", "3") "]}",
            0},
        {PODS WATCHING "7", 200, CHANGE("ADDED", POD("b", "8")), true}, {0}};
    AUTO(world_destroy) world_t *world = world_new(lines);
    world->watch = kube_watch(world->kube, KUBE("Pod", "shop", NULL), NULL, NULL, on_change, world);

    run_for(world, 30);
    http_stub_push(
        world->stub, CHANGE("MODIFIED", POD("a", "9")) CHANGE("DELETED", POD("b", "10")));
    run_for(world, 30);

    assert_string_equal(world->told, "added:a synced added:b modified:a deleted:b ");
    assert_int_equal(json_object_size(kube_watch_objects(world->watch)), 1);
}

static void a_watch_is_taken_up_where_it_broke(void **state)
{
    (void)state;
    static const line_t lines[] = {
        {PODS, 200, "{\"metadata\":{\"resourceVersion\":\"7\"},\"items\":[]}", 0},
        {PODS WATCHING "7", 200, CHANGE("ADDED", POD("b", "8")), false},
        {PODS WATCHING "8", 200, CHANGE("MODIFIED", POD("b", "9")), true}, {0}};
    AUTO(world_destroy) world_t *world = world_new(lines);
    world->watch = kube_watch(world->kube, KUBE("Pod", "shop", NULL), NULL, NULL, on_change, world);

    run_for(world, 50);

    assert_string_equal(world->told, "synced added:b modified:b ");
}

static void a_forgotten_version_is_listed_anew_and_told_as_differences(void **state)
{
    (void)state;
    static const line_t lines[] = {
        {PODS, 200, "{\"metadata\":{\"resourceVersion\":\"7\"},\"items\":[" POD("a", "3") "]}", 0},
        {PODS WATCHING "7", 200, CHANGE("ADDED", POD("b", "8")), false},
        {PODS WATCHING "8", 410, "{\"message\":\"too old resource version\"}", false}, {0}};
    static const line_t later[] = {
        {PODS, 200, "{\"metadata\":{\"resourceVersion\":\"20\"},\"items\":[" POD("a", "3") "]}", 0},
        {PODS WATCHING "8", 410, "{}", false}, {PODS WATCHING "20", 200, "", true}, {0}};
    AUTO(world_destroy) world_t *world = world_new(lines);
    world->watch = kube_watch(world->kube, KUBE("Pod", "shop", NULL), NULL, NULL, on_change, world);
    run_until_told(world, "added:b ");
    world->lines = later;

    run_until_told(world, "added:a synced added:b deleted:b synced ");
}

static void a_lost_server_is_found_again(void **state)
{
    (void)state;
    static const line_t broken[] = {{PODS, 503, "{}", 0}, {0}};
    static const line_t mended[] = {
        {PODS, 200, "{\"metadata\":{\"resourceVersion\":\"7\"},\"items\":[]}", 0},
        {PODS WATCHING "7", 200, "", true}, {0}};
    AUTO(world_destroy) world_t *world = world_new(broken);
    world->watch = kube_watch(world->kube, KUBE("Pod", "shop", NULL), NULL, NULL, on_change, world);

    run_for(world, 30);
    world->lines = mended;
    run_for(world, 300);

    assert_string_equal(world->told, "lost synced ");
}

/* ---- waiting ------------------------------------------------------------------------------ */

#define READY(status)                                                                              \
    "{\"metadata\":{\"name\":\"a\",\"resourceVersion\":\"" status                                  \
    "\"},\"status\":{\"conditions\":[{\"type\":\"Ready\",\"status\":\"" status "\"}]}}"

static void a_wait_ends_when_its_condition_holds(void **state)
{
    (void)state;
    static const line_t lines[] = {
        {PODS, 200, "{\"metadata\":{\"resourceVersion\":\"7\"},\"items\":[" READY("False") "]}", 0},
        {PODS WATCHING "7", 200, CHANGE("MODIFIED", READY("True")), true}, {0}};
    AUTO(world_destroy) world_t *world = world_new(lines);

    assert_int_equal(kube_wait_call(world->kube, KUBE("Pod", "shop", NULL), NULL,
                         kube_pods_are_ready, NULL, 1000, NULL),
        0);
}

static void a_wait_that_times_out_says_what_was_missing(void **state)
{
    (void)state;
    static const line_t lines[] = {
        {PODS, 200, "{\"metadata\":{\"resourceVersion\":\"7\"},\"items\":[" READY("False") "]}", 0},
        {PODS WATCHING "7", 200, "", true}, {0}};
    AUTO(world_destroy) world_t *world = world_new(lines);
    err_t err = {0};

    assert_int_equal(kube_wait_call(world->kube, KUBE("Pod", "shop", NULL), NULL,
                         kube_pods_are_ready, NULL, 40, &err),
        -ERR_TIMEOUT);
    assert_string_equal(err.text, "not within 40 ms: 0 of 1 pods are ready, 'a' is not");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_object_is_got),
        cmocka_unit_test(selectors_are_escaped),
        cmocka_unit_test(a_refusal_carries_the_servers_message),
        cmocka_unit_test(an_unknown_kind_fails_when_it_is_sent),
        cmocka_unit_test(a_patch_says_of_which_kind_it_is),
        cmocka_unit_test(applying_what_exists_changes_it),
        cmocka_unit_test(a_job_may_use_a_private_loop),
        cmocka_unit_test(a_log_is_followed_line_by_line),
        cmocka_unit_test(a_watch_tells_what_is_there_and_what_changes),
        cmocka_unit_test(a_watch_is_taken_up_where_it_broke),
        cmocka_unit_test(a_forgotten_version_is_listed_anew_and_told_as_differences),
        cmocka_unit_test(a_lost_server_is_found_again),
        cmocka_unit_test(a_wait_ends_when_its_condition_holds),
        cmocka_unit_test(a_wait_that_times_out_says_what_was_missing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
