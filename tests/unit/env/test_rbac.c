/* The authorizer: roles and bindings in, decisions and sentences out. */
#include "services/cluster/env/auth/aggregate.h"
#include "services/cluster/env/auth/default_roles.h"
#include "services/cluster/env/auth/rbac.h"
#include "services/cluster/env/auth/rules.h"
#include "services/cluster/env/object.h"

#include "base/auto.h"
#include "base/mem.h"
#include "tests/support/test.h"

typedef struct town {
    ev_t *ev;
    store_t *store;
    user_t user;
    char *reason;
} town_t;

static int setup(void **state)
{
    town_t *self = xcalloc(1, sizeof(*self));
    self->ev = ev_sim_new();
    self->store = store_new(self->ev, 1);
    store_create(self->store, kind_find("Namespace"),
        json_pack("{s:{s:s}}", "metadata", "name", "default"), NULL, NULL);
    default_roles_create(self->store);
    user_init(&self->user, "jane", "");
    user_add_group(&self->user, GROUP_AUTHENTICATED);
    *state = self;
    return 0;
}

static int teardown(void **state)
{
    town_t *self = *state;
    free(self->reason);
    user_done(&self->user);
    store_destroy(&self->store);
    ev_destroy(&self->ev);
    free(self);
    return 0;
}

/* JSON with ' for ". */
static json_t *parse(const char *text)
{
    AUTO_FREE char *copy = xstrdup(text);
    for (char *c = copy; *c; c++)
        *c = *c == '\'' ? '"' : *c;
    json_t *value = json_loads(copy, 0, NULL);
    assert_non_null(value);
    return value;
}

static void make(town_t *self, const char *kind, const char *name, const char *rest)
{
    json_t *object = parse(rest);
    json_object_set_new(
        object, "metadata", json_pack("{s:s, s:s}", "name", name, "namespace", "default"));
    assert_int_equal(store_create(self->store, kind_find(kind), object, NULL, NULL), 0);
}

static bool may(town_t *self, access_t access)
{
    const char **texts[] = {
        &access.group, &access.resource, &access.subresource, &access.namespace, &access.name};
    for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
        *texts[i] = *texts[i] ? *texts[i] : "";
    free(self->reason);
    return rbac_allows(self->store, &self->user, &access, &self->reason);
}

#define MAY(self, ...) may(self, (access_t){__VA_ARGS__})

static const char bind_jane[] = "{'roleRef': {'kind': 'Role', 'name': 'r'}, 'subjects': "
                                "[{'kind': 'User', 'name': 'jane'}]}";

static void without_a_binding_nothing_is_allowed(void **state)
{
    assert_false(MAY(*state, .verb = "list", .resource = "pods", .namespace = "default"));
    assert_string_equal(((town_t *)*state)->reason, "");
}

static void a_role_holds_in_its_namespace_only(void **state)
{
    make(*state, "Role", "r",
        "{'rules': [{'verbs': ['get', 'list'], 'apiGroups': [''], 'resources': ['pods']}]}");
    make(*state, "RoleBinding", "b", bind_jane);
    assert_true(MAY(*state, .verb = "list", .resource = "pods", .namespace = "default"));
    assert_string_equal(((town_t *)*state)->reason,
        "RBAC: allowed by RoleBinding \"b/default\" of Role \"r\" to User \"jane\"");
    assert_false(MAY(*state, .verb = "watch", .resource = "pods", .namespace = "default"));
    assert_false(MAY(*state, .verb = "list", .resource = "pods", .namespace = "other"));
    assert_false(MAY(*state, .verb = "list", .resource = "pods"));
    assert_false(
        MAY(*state, .verb = "list", .group = "x", .resource = "pods", .namespace = "default"));
}

static void a_subresource_is_a_resource_of_its_own(void **state)
{
    make(*state, "Role", "r",
        "{'rules': [{'verbs': ['get'], 'apiGroups': [''], 'resources': ['pods', '*/log']}]}");
    make(*state, "RoleBinding", "b", bind_jane);
    access_t access = {
        .verb = "get", .resource = "pods", .subresource = "log", .namespace = "default"};
    assert_true(may(*state, access));
    access.subresource = "exec";
    assert_false(may(*state, access));
}

static void names_narrow_a_rule(void **state)
{
    make(*state, "Role", "r",
        "{'rules': [{'verbs': ['*'], 'apiGroups': ['*'], 'resources': ['configmaps'], "
        "'resourceNames': ['mine']}]}");
    make(*state, "RoleBinding", "b", bind_jane);
    access_t access = {
        .verb = "get", .resource = "configmaps", .name = "mine", .namespace = "default"};
    assert_true(may(*state, access));
    access.name = "theirs";
    assert_false(may(*state, access));
    access.name = NULL;
    assert_false(may(*state, access));
}

static void urls_may_end_in_a_star(void **state)
{
    assert_true(MAY(*state, .verb = "get", .path = "/apis/apps/v1"));
    assert_true(MAY(*state, .verb = "get", .path = "/version"));
    assert_false(MAY(*state, .verb = "get", .path = "/metrics"));
    assert_false(MAY(*state, .verb = "post", .path = "/apis"));
}

static void a_group_and_an_account_are_subjects_too(void **state)
{
    town_t *town = *state;
    make(town, "Role", "r",
        "{'rules': [{'verbs': ['get'], 'apiGroups': [''], 'resources': ['pods']}]}");
    make(town, "RoleBinding", "b",
        "{'roleRef': {'kind': 'Role', 'name': 'r'}, 'subjects': [{'kind': 'Group', 'name': "
        "'crew'}, {'kind': 'ServiceAccount', 'name': 'bot', 'namespace': 'default'}]}");
    access_t access = {.verb = "get", .resource = "pods", .namespace = "default"};
    assert_false(may(town, access));
    user_add_group(&town->user, "crew");
    assert_true(may(town, access));
    user_done(&town->user);
    user_init(&town->user, "system:serviceaccount:default:bot", "");
    assert_true(may(town, access));
    assert_string_equal(town->reason, "RBAC: allowed by RoleBinding \"b/default\" of Role \"r\" to "
                                      "ServiceAccount \"bot/default\"");
}

static void a_missing_role_is_named(void **state)
{
    make(*state, "RoleBinding", "b", bind_jane);
    assert_false(MAY(*state, .verb = "get", .resource = "pods", .namespace = "default"));
    assert_string_equal(
        ((town_t *)*state)->reason, "RBAC: role.rbac.authorization.k8s.io \"r\" not found");
}

static void masters_need_no_binding(void **state)
{
    town_t *town = *state;
    user_add_group(&town->user, GROUP_MASTERS);
    assert_true(MAY(town, .verb = "delete", .resource = "nodes"));
    assert_string_equal(town->reason, "");
}

static void admin_contains_edit_and_edit_contains_view(void **state)
{
    make(*state, "RoleBinding", "b",
        "{'roleRef': {'kind': 'ClusterRole', 'name': 'edit'}, 'subjects': [{'kind': 'User', "
        "'name': 'jane'}]}");
    access_t access = {.verb = "list", .resource = "pods", .namespace = "default"};
    assert_true(may(*state, access));
    access.verb = "delete";
    assert_true(may(*state, access));
    access.group = "rbac.authorization.k8s.io";
    access.resource = "roles";
    assert_false(may(*state, access));
    make(*state, "RoleBinding", "c",
        "{'roleRef': {'kind': 'ClusterRole', 'name': 'admin'}, 'subjects': [{'kind': 'User', "
        "'name': 'jane'}]}");
    assert_true(may(*state, access));
}

/* ---- covering ---------------------------------------------------------------------------------
 */

static void expect_missing(const char *owned, const char *wanted, const char *text)
{
    json_auto_t *left = parse(owned);
    json_auto_t *right = parse(wanted);
    json_auto_t *missing = rules_missing(left, right);
    AUTO_FREE char *shown =
        json_array_size(missing) ? rule_text(json_array_get(missing, 0)) : xstrdup("");
    assert_true(json_array_size(missing) <= 1);
    assert_string_equal(shown, text);
}

#define PODS "'apiGroups': [''], 'resources': ['pods']"

static void what_is_owned_is_not_missing(void **state)
{
    (void)state;
    expect_missing("[{" PODS ", 'verbs': ['get']}, {" PODS ", 'verbs': ['list']}]",
        "[{" PODS ", 'verbs': ['get', 'list']}]", "");
    expect_missing("[{'apiGroups': ['*'], 'resources': ['*'], 'verbs': ['*']}]",
        "[{" PODS ", 'verbs': ['*'], 'resourceNames': ['a']}]", "");
    expect_missing("[{'apiGroups': [''], 'resources': ['*/log'], 'verbs': ['get']}]",
        "[{'apiGroups': [''], 'resources': ['pods/log'], 'verbs': ['get']}]", "");
    expect_missing("[{'nonResourceURLs': ['/api/*'], 'verbs': ['get']}]",
        "[{'nonResourceURLs': ['/api/v1'], 'verbs': ['get']}]", "");
}

static void what_is_missing_is_put_together(void **state)
{
    (void)state;
    expect_missing("[]", "[{" PODS ", 'verbs': ['get', 'list']}]",
        "{APIGroups:[\"\"], Resources:[\"pods\"], Verbs:[\"get\" \"list\"]}");
    expect_missing("[{" PODS ", 'verbs': ['*'], 'resourceNames': ['a']}]",
        "[{" PODS ", 'verbs': ['get']}]",
        "{APIGroups:[\"\"], Resources:[\"pods\"], Verbs:[\"get\"]}");
    expect_missing("[{" PODS ", 'verbs': ['get']}]", "[{" PODS ", 'verbs': ['*']}]",
        "{APIGroups:[\"\"], Resources:[\"pods\"], Verbs:[\"*\"]}");
}

/* ---- sentences --------------------------------------------------------------------------------
 */

static void expect_refusal(const town_t *town, access_t access, const char *wanted)
{
    AUTO_FREE char *text = access_refusal(&access, &town->user);
    assert_string_equal(text, wanted);
}

static void refusals_are_worded_as_by_a_real_server(void **state)
{
    expect_refusal(*state,
        (access_t){.verb = "list",
            .group = "",
            .resource = "pods",
            .subresource = "",
            .namespace = "default",
            .name = ""},
        "User \"jane\" cannot list resource \"pods\" in API group \"\" in the namespace "
        "\"default\"");
    expect_refusal(*state,
        (access_t){.verb = "patch",
            .group = "apps",
            .resource = "deployments",
            .subresource = "scale",
            .namespace = ""},
        "User \"jane\" cannot patch resource \"deployments/scale\" in API group \"apps\" at the "
        "cluster scope");
    expect_refusal(*state, (access_t){.verb = "get", .path = "/<x>"},
        "User \"jane\" cannot get path \"/&lt;x&gt;\"");
}

static void an_account_has_a_name_as_a_user(void **state)
{
    (void)state;
    char *namespace = NULL;
    char *account = NULL;
    assert_true(user_split_account_name("system:serviceaccount:a:b", &namespace, &account));
    assert_string_equal(namespace, "a");
    assert_string_equal(account, "b");
    free(namespace);
    free(account);
    assert_false(user_split_account_name("system:serviceaccount::b", &namespace, &account));
    assert_false(user_split_account_name("system:serviceaccount:a:", &namespace, &account));
    assert_false(user_split_account_name("system:serviceaccount:a:b:c", &namespace, &account));
    assert_false(user_split_account_name("jane", &namespace, &account));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(without_a_binding_nothing_is_allowed),
        TEST(a_role_holds_in_its_namespace_only),
        TEST(a_subresource_is_a_resource_of_its_own),
        TEST(names_narrow_a_rule),
        TEST(urls_may_end_in_a_star),
        TEST(a_group_and_an_account_are_subjects_too),
        TEST(a_missing_role_is_named),
        TEST(masters_need_no_binding),
        TEST(admin_contains_edit_and_edit_contains_view),
        TEST(what_is_owned_is_not_missing),
        TEST(what_is_missing_is_put_together),
        TEST(refusals_are_worded_as_by_a_real_server),
        TEST(an_account_has_a_name_as_a_user),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
