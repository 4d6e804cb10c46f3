/* Who may ask the API for what, and what it says about that. */
#include "tests/unit/env/world.h"

#include "services/cluster/env/api/impersonate.h"
#include "services/cluster/env/api/wish.h"
#include "services/cluster/env/auth/default_roles.h"
#include "services/cluster/env/object.h"

#include "base/auto.h"
#include "base/mem.h"

#define REVIEWS "/apis/authorization.k8s.io/v1/"
#define RBAC    "/apis/rbac.authorization.k8s.io/v1/namespaces/default/"

static tokens_t *account_tokens;

static int teardown(void **state)
{
    int rc = world_teardown(state);
    tokens_destroy(&account_tokens);
    return rc;
}

static int setup(void **state)
{
    static const char *const masters[] = {"system:masters", NULL};
    static const api_token_t tokens[] = {
        {.token = "secret", .user = "operator", .groups = masters},
        {.token = "jane", .user = "jane"},
    };
    if (world_setup(state) < 0)
        return -1;
    world_t *world = *state;
    api_destroy(&world->api);
    account_tokens = tokens_new(world->store);
    const api_config_t config = {
        .tokens = tokens, .token_count = ARRAY_SIZE(tokens), .account_tokens = account_tokens};
    world->api = api_bare(world->ev, world->store, &config);
    default_roles_create(world->store);
    return 0;
}

/* The answer to a request that bears a token; body has ' for ". */
static json_t *ask_as(world_t *self, const char *token, const char *url, const char *body)
{
    AUTO(request_destroy) request_t *request = request_new(body ? "POST" : "GET", url);
    AUTO_FREE char *text = xstrdup(body ? body : "");
    for (char *c = text; *c; c++)
        *c = *c == '\'' ? '"' : *c;
    request->token = token ? xstrdup(token) : NULL;
    request->content_type = xstrdup("application/json");
    buffer_add_text(&request->body, text);
    api_handle(self->api, request);
    self->status = request->reply.status;
    const buffer_t *answer = &request->reply.body;
    return json_loadb(answer->bytes ? answer->bytes : "", answer->size, 0, NULL);
}

static void expect_answer(world_t *self, const char *token, const char *url, const char *body,
    const char *path, const char *json)
{
    json_auto_t *answer = ask_as(self, token, url, body);
    expect_at(answer, path, json);
}

static void tokens_tell_users_apart(void **state)
{
    expect_answer(*state, "secret", PODS, NULL, "kind", "\"PodList\"");
    expect_answer(*state, "jane", PODS, NULL, "message",
        "\"pods is forbidden: User \\\"jane\\\" cannot list resource \\\"pods\\\" in API group "
        "\\\"\\\" in the namespace \\\"default\\\"\"");
    expect_answer(*state, "secreT", PODS, NULL, "code", "401");
    expect_answer(*state, NULL, PODS, NULL, "code", "403");
    expect_answer(*state, NULL, "/version", NULL, "major", "\"1\"");
    expect_answer(*state, NULL, "/apis", NULL, "message",
        "\"forbidden: User \\\"system:anonymous\\\" cannot get path \\\"/apis\\\"\"");
    expect_answer(*state, "jane", "/apis", NULL, "kind", "\"APIGroupList\"");
}

static void what_there_is_not_is_refused_before_it_is_missed(void **state)
{
    expect_answer(*state, "jane", "/apis/no.such/v1/things/x", NULL, "details",
        "{\"name\":\"x\",\"group\":\"no.such\",\"kind\":\"things\"}");
    json_auto_t *answer = ask_as(*state, "secret", "/apis/no.such/v1/things/x", NULL);
    assert_int_equal(((world_t *)*state)->status, 404);
}

static void one_asks_about_oneself(void **state)
{
    expect_answer(*state, "jane", "/apis/authentication.k8s.io/v1/selfsubjectreviews", "{}",
        "status.userInfo", "{\"username\":\"jane\",\"groups\":[\"system:authenticated\"]}");
    expect_answer(*state, "jane", REVIEWS "selfsubjectaccessreviews",
        "{'spec':{'resourceAttributes':{'verb':'list','resource':'pods'}}}", "status",
        "{\"allowed\":false}");
    expect_answer(*state, "secret", REVIEWS "selfsubjectaccessreviews",
        "{'spec':{'resourceAttributes':{'verb':'*','resource':'*'}}}", "status",
        "{\"allowed\":true}");
    expect_answer(*state, "jane", REVIEWS "selfsubjectaccessreviews",
        "{'spec':{'nonResourceAttributes':{'verb':'get','path':'/api'}}}", "status",
        "{\"allowed\":true,\"reason\":\"RBAC: allowed by ClusterRoleBinding \\\"system:discovery"
        "\\\" of ClusterRole \\\"system:discovery\\\" to Group \\\"system:authenticated\\\"\"}");
    expect_answer(*state, "jane", REVIEWS "selfsubjectaccessreviews", "{'spec':{}}", "code", "422");
}

static void one_asks_about_others_with_the_right_to(void **state)
{
    static const char body[] =
        "{'spec':{'user':'joe','groups':['system:masters'],'resourceAttributes':{'verb':'list',"
        "'resource':'pods','namespace':'default'}}}";
    expect_answer(*state, "secret", REVIEWS "subjectaccessreviews", body, "status.allowed", "true");
    expect_answer(*state, "jane", REVIEWS "subjectaccessreviews", body, "code", "403");
    expect_answer(*state, "secret", REVIEWS "namespaces/default/localsubjectaccessreviews", body,
        "status.allowed", "true");
    expect_answer(*state, "secret", REVIEWS "namespaces/other/localsubjectaccessreviews", body,
        "code", "422");
    expect_answer(*state, "secret", REVIEWS "subjectaccessreviews",
        "{'spec':{'resourceAttributes':{}}}", "code", "422");
}

static void rules_are_listed(void **state)
{
    expect_answer(*state, "jane", REVIEWS "selfsubjectrulesreviews",
        "{'spec':{'namespace':'default'}}", "status.resourceRules",
        "[{\"verbs\":[\"create\"],\"apiGroups\":[\"authorization.k8s.io\"],\"resources\":"
        "[\"selfsubjectaccessreviews\",\"selfsubjectrulesreviews\"]},{\"verbs\":[\"create\"],"
        "\"apiGroups\":[\"authentication.k8s.io\"],\"resources\":[\"selfsubjectreviews\"]}]");
    expect_answer(*state, "jane", REVIEWS "selfsubjectrulesreviews", "{'spec':{}}", "code", "400");
}

static void a_token_is_reviewed(void **state)
{
    static const char url[] = "/apis/authentication.k8s.io/v1/tokenreviews";
    expect_answer(*state, "secret", url, "{'spec':{'token':'jane'}}", "status",
        "{\"authenticated\":true,\"user\":{\"username\":\"jane\",\"groups\":"
        "[\"system:authenticated\"]},\"audiences\":"
        "[\"https://kubernetes.default.svc.cluster.local\"]}");
    expect_answer(*state, "secret", url, "{'spec':{'token':'x'}}", "status",
        "{\"user\":{},\"error\":\"[invalid bearer token]\"}");
}

static void nobody_gives_away_what_they_do_not_have(void **state)
{
    static const char role[] =
        "{'apiVersion':'rbac.authorization.k8s.io/v1','kind':'Role','metadata':{'name':'r'},"
        "'rules':[{'verbs':['get'],'apiGroups':[''],'resources':['secrets']}]}";
    static const char binding[] =
        "{'apiVersion':'rbac.authorization.k8s.io/v1','kind':'RoleBinding','metadata':{'name':'b'}"
        ",'roleRef':{'kind':'ClusterRole','name':'cluster-admin'},'subjects':[{'kind':'User',"
        "'name':'jane'}]}";
    json_auto_t *maker = ask_as(*state, "secret", RBAC "roles",
        "{'apiVersion':'rbac.authorization.k8s.io/v1','kind':'Role','metadata':{'name':'maker'},"
        "'rules':[{'verbs':['*'],'apiGroups':['*'],'resources':['roles','rolebindings']}]}");
    json_auto_t *bound = ask_as(*state, "secret", RBAC "rolebindings",
        "{'apiVersion':'rbac.authorization.k8s.io/v1','kind':'RoleBinding','metadata':{'name':'m'}"
        ",'roleRef':{'kind':'Role','name':'maker'},'subjects':[{'kind':'User','name':'jane'}]}");
    assert_int_equal(((world_t *)*state)->status, 201);
    /* she has every verb on roles, and so "escalate" too */
    expect_answer(*state, "jane", RBAC "roles", role, "metadata.name", "\"r\"");
    expect_answer(*state, "jane", RBAC "rolebindings", binding, "message",
        "\"rolebindings.rbac.authorization.k8s.io \\\"b\\\" is forbidden: user \\\"jane\\\" "
        "(groups=[\\\"system:authenticated\\\"]) is attempting to grant RBAC permissions not "
        "currently held:\\n{APIGroups:[\\\"*\\\"], Resources:[\\\"*\\\"], Verbs:[\\\"*\\\"]}\\n"
        "{NonResourceURLs:[\\\"*\\\"], Verbs:[\\\"*\\\"]}\"");
}

static void accounts_get_tokens(void **state)
{
    static const char accounts[] = "/api/v1/namespaces/default/serviceaccounts/bot/token";
    world_t *world = *state;
    store_create(world->store, kind_find("ServiceAccount"),
        json_pack("{s:{s:s, s:s}}", "metadata", "name", "bot", "namespace", "default"), NULL, NULL);
    json_auto_t *answer = ask_as(world, "secret", accounts, "{'spec':{}}");
    expect_at(answer, "spec.expirationSeconds", "3600");
    expect_answer(world, object_string(answer, "status.token"),
        "/apis/authentication.k8s.io/v1/selfsubjectreviews", "{}", "status.userInfo.username",
        "\"system:serviceaccount:default:bot\"");
    expect_answer(world, "jane", accounts, "{'spec':{}}", "message",
        "\"serviceaccounts \\\"bot\\\" is forbidden: User \\\"jane\\\" cannot create resource "
        "\\\"serviceaccounts/token\\\" in API group \\\"\\\" in the namespace \\\"default\\\"\"");
    expect_answer(world, "secret", accounts, "{'spec':{'expirationSeconds':5}}", "message",
        "\"TokenRequest.authentication.k8s.io \\\"bot\\\" is invalid: spec.expirationSeconds: "
        "Invalid value: 5: may not specify a duration less than 10 minutes\"");
    expect_answer(world, "secret", accounts,
        "{'spec':{'boundObjectRef':{'kind':'Pod','name':'no'}}}", "message",
        "\"pods \\\"no\\\" not found\"");
}

/* ---- what a request wants ---------------------------------------------------------------------
 */

static void expect_wish(const char *method, const char *url, const char *wanted)
{
    AUTO(request_destroy) request_t *request = request_new(method, url);
    AUTO(wish_done) wish_t wish;
    wish_init(&wish, request);
    const access_t *access = &wish.access;
    AUTO_FREE char *text =
        access->path ? xasprintf("%s %s", access->verb, access->path)
                     : xasprintf("%s %s %s/%s in %s named %s", access->verb, access->group,
                         access->resource, access->subresource, access->namespace, access->name);
    assert_string_equal(text, wanted);
}

static void a_url_says_what_is_wanted(void **state)
{
    (void)state;
    expect_wish("GET", "/api/v1/pods", "list  pods/ in  named ");
    expect_wish("GET", "/api/v1/pods?watch=true", "watch  pods/ in  named ");
    expect_wish("GET", "/api/v1/namespaces/a/pods?fieldSelector=metadata.name%3Dx",
        "list  pods/ in a named x");
    expect_wish("DELETE", "/apis/apps/v1/namespaces/a/deployments",
        "deletecollection apps deployments/ in a named ");
    expect_wish("PATCH", "/apis/apps/v1/namespaces/a/deployments/d/scale",
        "patch apps deployments/scale in a named d");
    expect_wish("GET", "/api/v1/namespaces/a", "get  namespaces/ in a named a");
    expect_wish("PUT", "/api/v1/namespaces/a/finalize", "update  namespaces/finalize in a named a");
    expect_wish("POST", "/api/v1/namespaces/a/services/s:80/proxy/x/y",
        "create  services/proxy in a named s:80");
    expect_wish("GET", "/apis/apps/v1", "get /apis/apps/v1");
    expect_wish("GET", "/api/v1", "get /api/v1");
    expect_wish("POST", "/metrics", "post /metrics");
}

static void headers_name_somebody_else(void **state)
{
    (void)state;
    json_auto_t *found = NULL;
    impersonation_add(&found, "Accept", "x");
    assert_null(found);
    impersonation_add(&found, "impersonate-user", "joe");
    impersonation_add(&found, "Impersonate-Group", "a");
    impersonation_add(&found, "Impersonate-Group", "b");
    impersonation_add(&found, "Impersonate-Extra-Some%2FThing", "v");
    expect_at(found, "user", "\"joe\"");
    expect_at(found, "groups", "[\"a\",\"b\"]");
    expect_at(found, "extra", "{\"some/thing\":[\"v\"]}");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(tokens_tell_users_apart),
        TEST(what_there_is_not_is_refused_before_it_is_missed),
        TEST(one_asks_about_oneself),
        TEST(one_asks_about_others_with_the_right_to),
        TEST(rules_are_listed),
        TEST(a_token_is_reviewed),
        TEST(nobody_gives_away_what_they_do_not_have),
        TEST(accounts_get_tokens),
        cmocka_unit_test(a_url_says_what_is_wanted),
        cmocka_unit_test(headers_name_somebody_else),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
