/* The real kubectl of users who may not do everything. */
#include "tests/integration/env/shell.h"

#define JANE "--token=jane-token "

static void who_has_no_role_is_refused_as_by_a_real_server(void **state)
{
    shell_expect(*state, JANE "get pods",
        "Error from server (Forbidden): pods is forbidden: User \"jane\" cannot list resource "
        "\"pods\" in API group \"\" in the namespace \"default\"\n");
    shell_expect(*state, JANE "get deploy web",
        "deployments.apps \"web\" is forbidden: User \"jane\" cannot get resource \"deployments\" "
        "in API group \"apps\" in the namespace \"default\"");
    shell_expect(*state, JANE "get nodes",
        "nodes is forbidden: User \"jane\" cannot list resource \"nodes\" in API group \"\" at the "
        "cluster scope");
    shell_expect(*state, JANE "get ns default",
        "namespaces \"default\" is forbidden: User \"jane\" cannot get resource \"namespaces\" in "
        "API group \"\" in the namespace \"default\"");
    shell_expect(*state, JANE "get --raw /metrics", "forbidden: User \"jane\" cannot get path");
}

static void a_role_is_made_bound_and_obeyed(void **state)
{
    shell_expect(*state, "create role reader --verb=get,list --resource=pods,deployments.apps",
        "role.rbac.authorization.k8s.io/reader created");
    shell_expect(*state, "create rolebinding readers --role=reader --user=jane",
        "rolebinding.rbac.authorization.k8s.io/readers created");
    shell_expect(*state, JANE "get pods", "No resources found in default namespace.");
    shell_expect(*state, JANE "get pods -w --request-timeout=1s", "(Forbidden)");
    shell_expect(*state, JANE "auth can-i list deployments.apps", "yes");
    shell_expect(*state, JANE "auth can-i delete pods", "no");
    shell_expect(*state, JANE "auth can-i --list", "pods [] [] [get list]");
    shell_expect(*state, "auth can-i list pods --as=jane", "yes");
    shell_expect(*state, "delete rolebinding readers", "\"readers\" deleted");
    shell_expect(*state, JANE "get pods", "pods is forbidden");
}

static void tables_and_descriptions_are_those_of_a_real_cluster(void **state)
{
    shell_expect(*state, "create role reader --verb=get,list --resource=pods", "created");
    shell_expect(*state,
        "create rolebinding readers --role=reader --user=jane --group=crew "
        "--serviceaccount=default:bot",
        "created");
    shell_expect(*state, "get role", "NAME CREATED AT\nreader 20");
    shell_expect(*state, "get rolebinding -o wide", "s jane crew default/bot\n");
    shell_expect(*state, "get clusterrole view", "NAME CREATED AT\nview 20");
    shell_expect(*state, "get clusterrolebinding cluster-admin",
        "NAME ROLE AGE\ncluster-admin ClusterRole/cluster-admin ");
    shell_expect(*state, "describe role reader",
        "PolicyRule:\n Resources Non-Resource URLs Resource Names Verbs\n"
        " --------- ----------------- -------------- -----\n pods [] [] [get list]\n");
    shell_expect(*state, "describe rolebinding readers",
        "Role:\n Kind: Role\n Name: reader\nSubjects:\n Kind Name Namespace\n ---- ---- "
        "---------\n User jane \n Group crew \n ServiceAccount bot default\n");
    shell_expect(*state, "describe clusterrole system:public-info-viewer",
        "Name: system:public-info-viewer\nLabels: kubernetes.io/bootstrapping=rbac-defaults\n"
        "Annotations: rbac.authorization.kubernetes.io/autoupdate: true\n");
}

static void a_subject_that_is_no_user_can_be_bound(void **state)
{
    shell_expect(*state, "create clusterrole nodes --verb=get,list --resource=nodes", "created");
    shell_expect(
        *state, "create clusterrolebinding nodes --clusterrole=nodes --group=crew", "created");
    shell_expect(*state, "get nodes --as=jane --as-group=crew", "kind-worker");
    shell_expect(*state, "create sa bot", "serviceaccount/bot created");
    shell_expect(*state, "create rolebinding bot --clusterrole=view --serviceaccount=default:bot",
        "created");
    shell_expect(*state, "auth can-i list pods --as=system:serviceaccount:default:bot", "yes");
    shell_expect(*state, "auth can-i list secrets --as=system:serviceaccount:default:bot", "no");
    shell_expect(*state, "auth can-i list pods -A --as=system:serviceaccount:default:bot", "no");
}

static void an_administrator_by_binding_may_do_all(void **state)
{
    shell_expect(*state, "--token=admin-token auth can-i '*' '*'", "yes");
    shell_expect(*state, "--token=admin-token auth whoami",
        "Username admin\nGroups [kubeadm:cluster-admins system:authenticated]\n");
    shell_expect(
        *state, "--token=admin-token create clusterrole x --verb=* --resource=*", "created");
    shell_expect(
        *state, "--token=admin-token delete clusterrolebinding kubeadm:cluster-admins", "deleted");
    shell_expect(*state, "--token=admin-token get pods", "pods is forbidden: User \"admin\"");
}

/* --token gets a fresh token of the ServiceAccount bot. */
#define BOT "--token=$(kubectl create token bot) "

static void an_account_gets_tokens(void **state)
{
    shell_expect(*state, "create sa bot", "created");
    shell_expect(*state, "create rolebinding bot --clusterrole=view --serviceaccount=default:bot",
        "created");
    shell_expect(*state, "create token nobody", "serviceaccounts \"nobody\" not found");
    shell_expect(*state, BOT "get pods", "No resources found in default namespace.");
    shell_expect(*state, BOT "get secrets",
        "secrets is forbidden: User \"system:serviceaccount:default:bot\" cannot list");
    shell_expect(*state, BOT "auth whoami",
        "Groups [system:serviceaccounts system:serviceaccounts:default system:authenticated]\n");
    shell_expect(*state, "describe sa bot", "Name: bot\nNamespace: default\n");
}

static void nobody_gives_away_what_they_do_not_have(void **state)
{
    shell_expect(*state, "create rolebinding a --clusterrole=admin --user=jane", "a created");
    shell_expect(*state, JANE "create role pods --verb=get --resource=pods", "created");
    shell_expect(*state, JANE "create role nodes --verb=get,list --resource=nodes",
        "roles.rbac.authorization.k8s.io \"nodes\" is forbidden: "
        "user \"jane\" (groups=[\"system:authenticated\"]) is attempting to grant RBAC permissions "
        "not currently held:\n{APIGroups:[\"\"], Resources:[\"nodes\"], Verbs:[\"get\" "
        "\"list\"]}\n");
    shell_expect(*state, JANE "create rolebinding b --clusterrole=cluster-admin --user=joe",
        "is attempting to grant RBAC permissions not currently held:\n{APIGroups:[\"*\"], "
        "Resources:[\"*\"], Verbs:[\"*\"]}\n{NonResourceURLs:[\"*\"], Verbs:[\"*\"]}");
    shell_expect(*state, JANE "create rolebinding b --clusterrole=view --user=joe", "created");
}

static void who_shows_nothing_is_anonymous_and_a_wrong_token_is_refused(void **state)
{
    shell_expect(*state, "--token=wrong get pods", "error: You must be logged in to the server (");
    /* what is no token is not looked at */
    shell_expect(*state, "config unset users.u.token", "unset");
    shell_expect(*state, "config set-credentials u --username=a --password=b", "User \"u\" set");
    shell_expect(*state, "get --raw /version", "\"gitVersion\"");
    shell_expect(*state, "get --raw /api/v1/pods",
        "pods is forbidden: User \"system:anonymous\" cannot list resource \"pods\" in API group "
        "\"\" at the cluster scope");
}

static void impersonation_needs_a_right_of_its_own(void **state)
{
    shell_expect(*state, JANE "get --raw /api/v1/pods --as=joe",
        "users \"joe\" is forbidden: User \"jane\" cannot impersonate resource \"users\" in API "
        "group \"\" at the cluster scope");
    shell_expect(*state,
        "create clusterrole joe --verb=impersonate --resource=users --resource-name=joe",
        "created");
    shell_expect(*state, "create clusterrolebinding joe --clusterrole=joe --user=jane", "created");
    shell_expect(*state, JANE "get --raw /api/v1/pods --as=joe",
        "pods is forbidden: User \"joe\" cannot list");
    shell_expect(*state, JANE "get --raw /api/v1/pods --as=joe --as-group=system:masters",
        "groups \"system:masters\" is forbidden: User \"jane\" cannot impersonate");
}

static void reconcile_makes_what_is_missing(void **state)
{
    shell_write(*state, "rbac.yaml",
        "apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRole\nmetadata: {name: reader}\n"
        "rules: [{apiGroups: [''], resources: [pods], verbs: [get]}]\n---\n"
        "apiVersion: rbac.authorization.k8s.io/v1\nkind: RoleBinding\n"
        "metadata: {name: readers, namespace: shop}\nroleRef: {apiGroup: "
        "rbac.authorization.k8s.io, kind: ClusterRole, name: reader}\nsubjects: [{kind: User, "
        "name: jane, apiGroup: rbac.authorization.k8s.io}]\n");
    shell_expect(*state, "auth reconcile -f rbac.yaml", "reader reconciled");
    shell_expect(*state, "get rolebinding -n shop", "readers ClusterRole/reader");
    shell_expect(*state, "apply -f rbac.yaml", "readers");
    shell_expect(*state, JANE "auth can-i get pods -n shop", "yes");
}

static void what_is_wrong_with_a_role_is_said(void **state)
{
    shell_write(*state, "role.yaml",
        "apiVersion: rbac.authorization.k8s.io/v1\nkind: Role\nmetadata: {name: r}\n"
        "rules: [{resources: [pods], verbs: []}]\n");
    shell_expect(*state, "create -f role.yaml",
        "The Role \"r\" is invalid: \n* rules[0].verbs: Required value: verbs must contain at "
        "least one value\n* rules[0].apiGroups: Required value: resource rules must supply at "
        "least one api group\n");
    shell_expect(*state, "create rolebinding b --role=x --user=jane", "created");
    shell_expect(*state, JANE "get pods",
        "in the namespace \"default\": RBAC: role.rbac.authorization.k8s.io \"x\" not found");
    shell_expect(*state, "patch rolebinding b --type=merge -p '{\"roleRef\":{\"name\":\"y\"}}'",
        "roleRef: Invalid value: rbac.RoleRef{APIGroup:\"rbac.authorization.k8s.io\", "
        "Kind:\"Role\", Name:\"y\"}: cannot change roleRef");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, shell_setup, shell_teardown)
    const struct CMUnitTest tests[] = {
        TEST(who_has_no_role_is_refused_as_by_a_real_server),
        TEST(a_role_is_made_bound_and_obeyed),
        TEST(tables_and_descriptions_are_those_of_a_real_cluster),
        TEST(a_subject_that_is_no_user_can_be_bound),
        TEST(an_administrator_by_binding_may_do_all),
        TEST(an_account_gets_tokens),
        TEST(nobody_gives_away_what_they_do_not_have),
        TEST(who_shows_nothing_is_anonymous_and_a_wrong_token_is_refused),
        TEST(impersonation_needs_a_right_of_its_own),
        TEST(reconcile_makes_what_is_missing),
        TEST(what_is_wrong_with_a_role_is_said),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
