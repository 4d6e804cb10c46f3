/* What ResourceQuotas let through, in a real server's words. */
#include "tests/unit/env/world.h"

#include "services/cluster/env/admission/quota.h"
#include "services/cluster/env/object.h"

#include "base/auto.h"

#define QUOTAS   "/api/v1/namespaces/default/resourcequotas"
#define CLAIMS   "/api/v1/namespaces/default/persistentvolumeclaims"
#define SERVICES "/api/v1/namespaces/default/services"

static void make_quota(world_t *self, const char *spec)
{
    AUTO_FREE char *body = NULL;
    assert_true(asprintf(&body, "{'metadata':{'name':'q'},'spec':{%s}}", spec) > 0);
    must_post(self, QUOTAS, body);
}

static json_t *post_pod(world_t *self, const char *name, const char *resources)
{
    AUTO_FREE char *body = NULL;
    assert_true(asprintf(&body,
                    "{'metadata':{'name':'%s'},'spec':{'containers':[{'name':'c','image':'i',"
                    "'resources':{%s}}]}}",
                    name, resources)
                > 0);
    return post_object(self, PODS, body);
}

static void make_pod(world_t *self, const char *name, const char *resources)
{
    json_decref(post_pod(self, name, resources));
    assert_int_equal(self->status, 201);
}

static void what_there_is_no_room_for_is_refused(void **state)
{
    world_t *world = *state;
    make_quota(world, "'hard':{'requests.cpu':'1','limits.memory':'1Gi','pods':'10'}");
    make_pod(world, "a", "'requests':{'cpu':'0.6'},'limits':{'memory':'512Mi'}");
    json_auto_t *answer =
        post_pod(world, "b", "'requests':{'cpu':'500m'},'limits':{'memory':'600Mi'}");
    expect_refusal(world, answer, 403,
        "pods \"b\" is forbidden: exceeded quota: q, requested: "
        "limits.memory=600Mi,requests.cpu=500m, used: limits.memory=512Mi,requests.cpu=600m, "
        "limited: limits.memory=1Gi,requests.cpu=1");
    expect_at(answer, "reason", "\"Forbidden\"");
    expect_at(answer, "details", "{\"name\":\"b\",\"kind\":\"pods\"}");
}

static void what_is_limited_must_be_said(void **state)
{
    world_t *world = *state;
    make_quota(world, "'hard':{'limits.cpu':'2','requests.memory':'1Gi'}");
    json_auto_t *answer = post_pod(world, "p", "'requests':{'cpu':'1'}");
    expect_refusal(world, answer, 403,
        "pods \"p\" is forbidden: failed quota: q: must specify limits.cpu for: c; requests.memory "
        "for: c");
}

static void pods_that_have_ended_take_nothing(void **state)
{
    world_t *world = *state;
    make_quota(world, "'hard':{'pods':'1'}");
    make_pod(world, "a", "");
    json_decref(post_pod(world, "b", ""));
    assert_int_equal(world->status, 403);
    json_decref(ask(world, "PATCH", PODS "/a/status", "application/merge-patch+json",
        "{\"status\":{\"phase\":\"Succeeded\"}}"));
    make_pod(world, "b", "");
}

static void objects_are_counted(void **state)
{
    world_t *world = *state;
    make_quota(world, "'hard':{'configmaps':'1','count/deployments.apps':'0'}");
    must_post(world, CONFIG_MAPS, "{'metadata':{'name':'a'}}");
    json_auto_t *answer = post_object(world, CONFIG_MAPS, "{'metadata':{'name':'b'}}");
    expect_refusal(world, answer, 403,
        "configmaps \"b\" is forbidden: exceeded quota: q, requested: configmaps=1, used: "
        "configmaps=1, limited: configmaps=1");
    json_auto_t *other = post_object(world, DEPLOYMENTS,
        "{'metadata':{'name':'d'},'spec':{'selector':{'matchLabels':{'a':'b'}},'template':{"
        "'metadata':{'labels':{'a':'b'}},'spec':{'containers':[{'name':'c','image':'i'}]}}}}");
    expect_refusal(world, other, 403,
        "deployments.apps \"d\" is forbidden: exceeded quota: q, requested: "
        "count/deployments.apps=1, used: count/deployments.apps=0, limited: "
        "count/deployments.apps=0");
}

static void a_service_may_become_too_much(void **state)
{
    world_t *world = *state;
    make_quota(world, "'hard':{'services.nodeports':'1'}");
    must_post(world, SERVICES,
        "{'metadata':{'name':'s'},'spec':{'ports':[{'name':'a','port':1},{'name':'b','port':2}]}}");
    json_auto_t *answer = ask(world, "PATCH", SERVICES "/s", "application/merge-patch+json",
        "{\"spec\":{\"type\":\"NodePort\"}}");
    expect_refusal(world, answer, 403,
        "services \"s\" is forbidden: exceeded quota: q, requested: services.nodeports=2, used: "
        "services.nodeports=0, limited: services.nodeports=1");
}

static void claims_are_counted_by_class(void **state)
{
    world_t *world = *state;
    make_quota(world, "'hard':{'requests.storage':'10Gi','gold.storageclass.storage.k8s.io/"
                      "requests.storage':'1Gi'}");
    json_auto_t *answer = post_object(world, CLAIMS,
        "{'metadata':{'name':'p'},'spec':{'accessModes':['ReadWriteOnce'],'storageClassName':"
        "'gold','resources':{'requests':{'storage':'2Gi'}}}}");
    expect_refusal(world, answer, 403,
        "persistentvolumeclaims \"p\" is forbidden: exceeded quota: q, requested: "
        "gold.storageclass.storage.k8s.io/requests.storage=2Gi, used: "
        "gold.storageclass.storage.k8s.io/requests.storage=0, limited: "
        "gold.storageclass.storage.k8s.io/requests.storage=1Gi");
}

static void scopes_pick_the_pods(void **state)
{
    world_t *world = *state;
    make_quota(world, "'hard':{'pods':'0'},'scopes':['BestEffort']");
    make_pod(world, "a", "'requests':{'cpu':'1'}");
    json_auto_t *answer = post_pod(world, "b", "");
    expect_refusal(world, answer, 403,
        "pods \"b\" is forbidden: exceeded quota: q, requested: pods=1, used: pods=0, limited: "
        "pods=0");
}

static void a_priority_class_may_have_a_quota_of_its_own(void **state)
{
    world_t *world = *state;
    must_post(world, "/apis/scheduling.k8s.io/v1/priorityclasses",
        "{'metadata':{'name':'high'},'value':10}");
    make_quota(world, "'hard':{'pods':'0'},'scopeSelector':{'matchExpressions':[{'scopeName':"
                      "'PriorityClass','operator':'In','values':['high']}]}");
    make_pod(world, "low", "");
    json_decref(post_object(world, PODS,
        "{'metadata':{'name':'p'},'spec':{'priorityClassName':'high','containers':[{'name':'c',"
        "'image':'i'}]}}"));
    assert_int_equal(world->status, 403);
}

static void init_containers_run_one_after_the_other(void **state)
{
    world_t *world = *state;
    make_quota(world, "'hard':{'requests.cpu':'10'}");
    must_post(world, PODS,
        "{'metadata':{'name':'p'},'spec':{'initContainers':[{'name':'i','image':'i','resources':{"
        "'requests':{'cpu':'3'}}},{'name':'side','image':'i','restartPolicy':'Always','resources':{"
        "'requests':{'cpu':'1'}}},{'name':'j','image':'i','resources':{'requests':{'cpu':'2'}}}],"
        "'containers':[{'name':'c','image':'i','resources':{'requests':{'cpu':'500m'}}}]}}");
    json_auto_t *used = quota_used(
        world->store, store_get(world->store, kind_find("ResourceQuota"), "default", "q"));
    assert_string_equal(json_string_value(json_object_get(used, "requests.cpu")), "3");
}

static void quotas_are_checked_and_shown_in_their_one_form(void **state)
{
    world_t *world = *state;
    json_auto_t *wrong = post_object(world, QUOTAS,
        "{'metadata':{'name':'q'},'spec':{'hard':{'cats':"
        "'1'}}}");
    expect_refusal(world, wrong, 422,
        "ResourceQuota \"q\" is invalid: spec.hard[cats]: Invalid value: \"cats\": must be a "
        "standard resource for quota");
    json_auto_t *made = post_object(world, QUOTAS,
        "{'metadata':{'name':'q'},'spec':{'hard':{'cpu':"
        "'1000m','memory':'2048Mi','pods':1000}}}");
    expect_at(made, "spec.hard", "{\"cpu\":\"1\",\"memory\":\"2Gi\",\"pods\":\"1k\"}");
}

static void a_dry_run_is_refused_too(void **state)
{
    world_t *world = *state;
    make_quota(world, "'hard':{'configmaps':'0'}");
    json_decref(post_object(world, CONFIG_MAPS "?dryRun=All", "{'metadata':{'name':'a'}}"));
    assert_int_equal(world->status, 403);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WORLD_TEST(what_there_is_no_room_for_is_refused),
        WORLD_TEST(what_is_limited_must_be_said),
        WORLD_TEST(pods_that_have_ended_take_nothing),
        WORLD_TEST(objects_are_counted),
        WORLD_TEST(a_service_may_become_too_much),
        WORLD_TEST(claims_are_counted_by_class),
        WORLD_TEST(scopes_pick_the_pods),
        WORLD_TEST(a_priority_class_may_have_a_quota_of_its_own),
        WORLD_TEST(init_containers_run_one_after_the_other),
        WORLD_TEST(quotas_are_checked_and_shown_in_their_one_form),
        WORLD_TEST(a_dry_run_is_refused_too),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
