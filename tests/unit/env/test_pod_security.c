/* Pod Security levels of namespaces, in a real server's words. */
#include "tests/unit/env/world.h"

#include "services/cluster/env/object.h"

#include "base/auto.h"

#define NAMESPACE "/api/v1/namespaces/default"

/* JSON with ' for " as a merge patch of the namespace's labels; the answer's warnings go to
 * *warnings_p if it is not NULL. */
static json_t *label(world_t *self, const char *labels, json_t **warnings_p)
{
    AUTO_FREE char *body = NULL;
    AUTO(request_destroy) request_t *request = request_new("PATCH", NAMESPACE);
    assert_true(asprintf(&body, "{'metadata':{'labels':{%s}}}", labels) > 0);
    for (char *at = strchr(body, '\''); at; at = strchr(at, '\''))
        *at = '"';
    request->content_type = strdup("application/merge-patch+json");
    buffer_add_text(&request->body, body);
    api_handle(self->api, request);
    self->status = request->reply.status;
    if (warnings_p)
        *warnings_p = json_incref(request->reply.warnings);
    return json_loadb(request->reply.body.bytes, request->reply.body.size, 0, NULL);
}

static void enforce(world_t *self, const char *level)
{
    AUTO_FREE char *labels = NULL;
    assert_true(asprintf(&labels, "'pod-security.kubernetes.io/enforce':'%s'", level) > 0);
    json_decref(label(self, labels, NULL));
    assert_int_equal(self->status, 200);
}

/* The warnings of an answer to a POST, with ' for ". */
static json_t *warnings_of(world_t *self, const char *url, const char *text)
{
    AUTO(request_destroy) request_t *request = request_new("POST", url);
    buffer_add_text(&request->body, text);
    for (char *at = strchr(request->body.bytes, '\''); at; at = strchr(at, '\''))
        *at = '"';
    api_handle(self->api, request);
    self->status = request->reply.status;
    return json_incref(request->reply.warnings);
}

static void restricted_says_all_that_is_missing(void **state)
{
    world_t *world = *state;
    enforce(world, "restricted");
    json_auto_t *answer = post_object(world, PODS,
        "{'metadata':{'name':'p'},'spec':{'containers':[{'name':'nginx','image':'i'},{'name':"
        "'side','image':'i'}]}}");
    expect_refusal(world, answer, 403,
        "pods \"p\" is forbidden: violates PodSecurity \"restricted:latest\": "
        "allowPrivilegeEscalation != false (containers \"nginx\", \"side\" must set "
        "securityContext.allowPrivilegeEscalation=false), unrestricted capabilities (containers "
        "\"nginx\", \"side\" must set securityContext.capabilities.drop=[\"ALL\"]), runAsNonRoot "
        "!= true (pod or containers \"nginx\", \"side\" must set "
        "securityContext.runAsNonRoot=true), seccompProfile (pod or containers \"nginx\", "
        "\"side\" must set securityContext.seccompProfile.type to \"RuntimeDefault\" or "
        "\"Localhost\")");
}

static void what_keeps_to_restricted_is_let_in(void **state)
{
    world_t *world = *state;
    enforce(world, "restricted");
    must_post(world, PODS,
        "{'metadata':{'name':'p'},'spec':{'securityContext':{'runAsNonRoot':true,'seccompProfile':{"
        "'type':'RuntimeDefault'}},'volumes':[{'name':'v','emptyDir':{}}],'containers':[{'name':"
        "'c','image':'i','securityContext':{'allowPrivilegeEscalation':false,'capabilities':{"
        "'drop':['ALL'],'add':['NET_BIND_SERVICE']}}}]}}");
}

static void baseline_forbids_what_reaches_the_node(void **state)
{
    world_t *world = *state;
    enforce(world, "baseline");
    json_auto_t *answer = post_object(world, PODS,
        "{'metadata':{'name':'p'},'spec':{'hostNetwork':true,'hostPID':true,'securityContext':{"
        "'sysctls':[{'name':'kernel.msgmax','value':'1'}],'seccompProfile':{'type':'Unconfined'}},"
        "'volumes':[{'name':'root','hostPath':{'path':'/'}}],'containers':[{'name':'c','image':'i',"
        "'ports':[{'containerPort':80,'hostPort':80}],'securityContext':{'privileged':true,"
        "'capabilities':{'add':['SYS_ADMIN','NET_ADMIN']}}}]}}");
    expect_refusal(world, answer, 403,
        "pods \"p\" is forbidden: violates PodSecurity \"baseline:latest\": host namespaces "
        "(hostNetwork=true, hostPID=true), hostPort (container \"c\" uses hostPort 80), privileged "
        "(container \"c\" must not set securityContext.privileged=true), forbidden sysctls "
        "(kernel.msgmax), non-default capabilities (container \"c\" must not include "
        "\"NET_ADMIN\", \"SYS_ADMIN\" in securityContext.capabilities.add), hostPath volumes "
        "(volume \"root\"), seccompProfile (pod must not set securityContext.seccompProfile.type "
        "to \"Unconfined\")");
}

static void restricted_names_volume_types_and_root(void **state)
{
    world_t *world = *state;
    enforce(world, "restricted");
    json_auto_t *answer = post_object(world, PODS,
        "{'metadata':{'name':'p'},'spec':{'volumes':[{'name':'v','hostPath':{'path':'/'}}],"
        "'containers':[{'name':'c','image':'i','securityContext':{'runAsUser':0,'runAsNonRoot':"
        "false,'allowPrivilegeEscalation':false,'seccompProfile':{'type':'Localhost',"
        "'localhostProfile':'x'},'capabilities':{'drop':['ALL'],'add':['CHOWN']}}}]}}");
    expect_refusal(world, answer, 403,
        "pods \"p\" is forbidden: violates PodSecurity \"restricted:latest\": unrestricted "
        "capabilities (container \"c\" must not include \"CHOWN\" in "
        "securityContext.capabilities.add), restricted volume types (volume \"v\" uses restricted "
        "volume type \"hostPath\"), runAsNonRoot != true (container \"c\" must not set "
        "securityContext.runAsNonRoot=false), runAsUser=0 (container \"c\" must not set "
        "runAsUser=0)");
}

static void an_old_version_forbids_less(void **state)
{
    world_t *world = *state;
    json_decref(label(world,
        "'pod-security.kubernetes.io/enforce':'restricted',"
        "'pod-security.kubernetes.io/enforce-version':'v1.18'",
        NULL));
    json_auto_t *answer = post_object(
        world, PODS, "{'metadata':{'name':'p'},'spec':{'containers':[{'name':'c','image':'i'}]}}");
    expect_refusal(world, answer, 403,
        "pods \"p\" is forbidden: violates PodSecurity \"restricted:v1.18\": "
        "allowPrivilegeEscalation != false (container \"c\" must set "
        "securityContext.allowPrivilegeEscalation=false), runAsNonRoot != true (pod or container "
        "\"c\" must set securityContext.runAsNonRoot=true)");
}

static void workloads_are_warned_of_and_made(void **state)
{
    world_t *world = *state;
    json_decref(label(world, "'pod-security.kubernetes.io/warn':'baseline'", NULL));
    json_auto_t *warnings = warnings_of(world, DEPLOYMENTS,
        "{'apiVersion':'apps/v1','kind':'Deployment','metadata':{'name':'d'},'spec':{'selector':{"
        "'matchLabels':{'a':'b'}},'template':{'metadata':{'labels':{'a':'b'}},'spec':{'hostIPC':"
        "true,'containers':[{'name':'c','image':"
        "'i'}]}}}}");
    assert_int_equal(world->status, 201);
    assert_int_equal(json_array_size(warnings), 1);
    assert_string_equal(json_string_value(json_array_get(warnings, 0)),
        "would violate PodSecurity \"baseline:latest\": host namespaces (hostIPC=true)");
}

static void a_stricter_namespace_tells_who_would_not_come_again(void **state)
{
    world_t *world = *state;
    static const char pod[] = "{'metadata':{'name':'%s'},'spec':{'hostIPC':true,'containers':[{"
                              "'name':'c','image':'i'}]}}";
    AUTO_FREE char *a = NULL;
    AUTO_FREE char *b = NULL;
    assert_true(asprintf(&a, pod, "a") > 0 && asprintf(&b, pod, "b") > 0);
    must_post(world, PODS, a);
    must_post(world, PODS, b);
    json_t *told = NULL;
    json_decref(label(world, "'pod-security.kubernetes.io/enforce':'baseline'", &told));
    json_auto_t *warnings = told;
    assert_int_equal(json_array_size(warnings), 2);
    assert_string_equal(json_string_value(json_array_get(warnings, 0)),
        "existing pods in namespace \"default\" violate the new PodSecurity enforce level "
        "\"baseline:latest\"");
    assert_string_equal(
        json_string_value(json_array_get(warnings, 1)), "a (and 1 other pod): host namespaces");
}

static void a_level_must_be_one(void **state)
{
    world_t *world = *state;
    json_auto_t *answer = label(world, "'pod-security.kubernetes.io/enforce':'strict'", NULL);
    expect_refusal(world, answer, 422,
        "Namespace \"default\" is invalid: metadata.labels[pod-security.kubernetes.io/enforce]: "
        "Invalid value: \"strict\": must be one of privileged, baseline, restricted");
}

/* What is there stays, and its labels may change. */
static void a_pod_that_is_there_may_be_labelled(void **state)
{
    world_t *world = *state;
    must_post(world, PODS,
        "{'metadata':{'name':'p'},'spec':{'hostIPC':true,'containers':[{'name':'c','image':'i'}]}"
        "}");
    enforce(world, "baseline");
    json_decref(ask(world, "PATCH", PODS "/p", "application/merge-patch+json",
        "{\"metadata\":{\"labels\":{\"x\":\"y\"}}}"));
    assert_int_equal(world->status, 200);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WORLD_TEST(restricted_says_all_that_is_missing),
        WORLD_TEST(what_keeps_to_restricted_is_let_in),
        WORLD_TEST(baseline_forbids_what_reaches_the_node),
        WORLD_TEST(restricted_names_volume_types_and_root),
        WORLD_TEST(an_old_version_forbids_less),
        WORLD_TEST(workloads_are_warned_of_and_made),
        WORLD_TEST(a_stricter_namespace_tells_who_would_not_come_again),
        WORLD_TEST(a_level_must_be_one),
        WORLD_TEST(a_pod_that_is_there_may_be_labelled),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
