/* LimitRanges: defaults and bounds, in a real server's words. */
#include "tests/unit/env/world.h"

#include "services/cluster/env/object.h"

#include "base/auto.h"

#define RANGES "/api/v1/namespaces/default/limitranges"
#define CLAIMS "/api/v1/namespaces/default/persistentvolumeclaims"

static void make_range(world_t *self, const char *limit)
{
    AUTO_FREE char *body = NULL;
    assert_true(asprintf(&body, "{'metadata':{'name':'r'},'spec':{'limits':[{%s}]}}", limit) > 0);
    must_post(self, RANGES, body);
}

static json_t *post_pod(world_t *self, const char *resources)
{
    AUTO_FREE char *body = NULL;
    assert_true(asprintf(&body,
                    "{'metadata':{'name':'p'},'spec':{'containers':[{'name':'c','image':'i',"
                    "'resources':{%s}}]}}",
                    resources)
                > 0);
    return post_object(self, PODS, body);
}

static void a_silent_container_gets_the_defaults(void **state)
{
    world_t *world = *state;
    make_range(world, "'type':'Container','default':{'cpu':'500m','memory':'512Mi'},"
                      "'defaultRequest':{'cpu':'100m'}");
    json_auto_t *pod = post_pod(world, "");
    expect_at(json_array_get(object_at(pod, "spec.containers"), 0), "resources",
        "{\"requests\":{\"cpu\":\"100m\",\"memory\":\"512Mi\"},\"limits\":{\"cpu\":\"500m\","
        "\"memory\":\"512Mi\"}}");
    assert_string_equal(object_annotation(pod, "kubernetes.io/limit-ranger"),
        "LimitRanger plugin set: cpu, memory request for container c; cpu, memory limit for "
        "container c");
    expect_at(pod, "status.qosClass", "\"Burstable\"");
}

static void what_a_container_says_stays(void **state)
{
    world_t *world = *state;
    make_range(world, "'type':'Container','default':{'cpu':'1'},'defaultRequest':{'cpu':'1'}");
    json_auto_t *pod = post_pod(world, "'limits':{'cpu':'2'}");
    expect_at(json_array_get(object_at(pod, "spec.containers"), 0), "resources",
        "{\"limits\":{\"cpu\":\"2\"},\"requests\":{\"cpu\":\"2\"}}");
    assert_null(object_annotation(pod, "kubernetes.io/limit-ranger"));
}

static void a_default_is_the_maximum_unless_it_is_said(void **state)
{
    world_t *world = *state;
    make_range(world, "'type':'Container','max':{'memory':'1Gi'},'min':{'memory':'500Mi'}");
    json_auto_t *range = ask(world, "GET", RANGES "/r", NULL, NULL);
    const json_t *limit = json_array_get(object_at(range, "spec.limits"), 0);
    expect_at(limit, "default", "{\"memory\":\"1Gi\"}");
    expect_at(limit, "defaultRequest", "{\"memory\":\"1Gi\"}");
}

static void containers_keep_within_bounds(void **state)
{
    world_t *world = *state;
    make_range(world, "'type':'Container','max':{'cpu':'800m','memory':'1Gi'},'min':{'cpu':'200m',"
                      "'memory':'500Mi'}");
    json_auto_t *big =
        post_pod(world, "'limits':{'memory':'1.5Gi','cpu':'800m'},'requests':{'memory':'800Mi'}");
    expect_refusal(world, big, 403,
        "pods \"p\" is forbidden: maximum memory usage per Container is 1Gi, but limit is 1536Mi");
    json_auto_t *small =
        post_pod(world, "'limits':{'memory':'800Mi','cpu':'2'},'requests':{'memory':'100Mi'}");
    expect_refusal(world, small, 403,
        "pods \"p\" is forbidden: [minimum memory usage per Container is 500Mi, but request is "
        "100Mi, maximum cpu usage per Container is 800m, but limit is 2]");
}

static void a_limit_is_at_most_so_many_times_the_request(void **state)
{
    world_t *world = *state;
    make_range(world, "'type':'Container','maxLimitRequestRatio':{'cpu':'2'}");
    json_auto_t *answer = post_pod(world, "'limits':{'cpu':'1'},'requests':{'cpu':'300m'}");
    expect_refusal(world, answer, 403,
        "pods \"p\" is forbidden: cpu max limit to request ratio per Container is 2, but provided "
        "ratio is 3.333333");
    json_auto_t *silent = post_pod(world, "");
    expect_refusal(world, silent, 403,
        "pods \"p\" is forbidden: cpu max limit to request ratio per Container is 2, but no "
        "request is specified or request is 0");
}

static void pods_are_bounded_as_a_whole(void **state)
{
    world_t *world = *state;
    make_range(world, "'type':'Pod','max':{'cpu':'1'}");
    json_auto_t *silent = post_pod(world, "");
    expect_refusal(world, silent, 403,
        "pods \"p\" is forbidden: maximum cpu usage per Pod is 1.  No limit is specified");
    json_auto_t *big = post_object(world, PODS,
        "{'metadata':{'name':'p'},'spec':{'containers':[{'name':'a','image':'i','resources':{"
        "'limits':{'cpu':'600m'}}},{'name':'b','image':'i','resources':{'limits':{'cpu':'600m'}}}]}"
        "}");
    expect_refusal(world, big, 403,
        "pods \"p\" is forbidden: maximum cpu usage per Pod is 1, but limit is 1200m");
}

static void claims_are_bounded(void **state)
{
    world_t *world = *state;
    make_range(
        world, "'type':'PersistentVolumeClaim','min':{'storage':'1Gi'},'max':{'storage':'2Gi'}");
    json_auto_t *answer = post_object(world, CLAIMS,
        "{'metadata':{'name':'c'},'spec':{'accessModes':['ReadWriteOnce'],'resources':{'requests':{"
        "'storage':'3Gi'}}}}");
    expect_refusal(world, answer, 403,
        "persistentvolumeclaims \"c\" is forbidden: maximum storage usage per "
        "PersistentVolumeClaim is 2Gi, but request is 3Gi");
}

static void a_range_must_make_sense(void **state)
{
    world_t *world = *state;
    json_auto_t *answer = post_object(world, RANGES,
        "{'metadata':{'name':'r'},'spec':{'limits':[{'type':'Container','min':{'cpu':'2'},'max':{"
        "'cpu':'1'},'default':{'cpu':'1'},'defaultRequest':{'cpu':'1'}}]}}");
    assert_int_equal(world->status, 422);
    assert_non_null(strstr(object_string(answer, "message"),
        "spec.limits[0].min[cpu]: Invalid value: \"2\": min value 2 is greater than max value 1"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WORLD_TEST(a_silent_container_gets_the_defaults),
        WORLD_TEST(what_a_container_says_stays),
        WORLD_TEST(a_default_is_the_maximum_unless_it_is_said),
        WORLD_TEST(containers_keep_within_bounds),
        WORLD_TEST(a_limit_is_at_most_so_many_times_the_request),
        WORLD_TEST(pods_are_bounded_as_a_whole),
        WORLD_TEST(claims_are_bounded),
        WORLD_TEST(a_range_must_make_sense),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
