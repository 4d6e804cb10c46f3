/* Services, NetworkPolicies and Ingresses at the API: what is filled in, refused and printed. */
#include "tests/unit/env/world.h"

#include "services/cluster/env/object.h"

#include "base/auto.h"
#include "base/mem.h"

#define SERVICES  "/api/v1/namespaces/default/services"
#define POLICIES  "/apis/networking.k8s.io/v1/namespaces/default/networkpolicies"
#define INGRESSES "/apis/networking.k8s.io/v1/namespaces/default/ingresses"

/* The first is called a, all others b; spec is JSON with ' for ". */
static json_t *post_to(world_t *world, const char *url, const char *kind, const char *spec)
{
    AUTO_FREE char *body = xasprintf(
        "{\"apiVersion\":\"%s\",\"kind\":\"%s\",\"metadata\":{\"name\":\"%c\"},\"spec\":%s}",
        *kind == 'S' ? "v1" : "networking.k8s.io/v1", kind, world->status == 201 ? 'b' : 'a', spec);
    for (char *c = body; *c; c++)
        *c = *c == '\'' ? '"' : *c;
    return ask(world, "POST", url, "application/json", body);
}

static void expect_refused(
    world_t *world, const char *url, const char *kind, const char *spec, const char *message)
{
    json_auto_t *answer = post_to(world, url, kind, spec);
    expect_refusal(world, answer, 422, message);
}

static void a_node_port_is_one_services_alone(void **state)
{
    world_t *world = *state;
    json_decref(post_to(
        world, SERVICES, "Service", "{'type':'NodePort','ports':[{'port':80,'nodePort':30080}]}"));
    assert_int_equal(world->status, 201);
    expect_refused(world, SERVICES, "Service",
        "{'type':'NodePort','ports':[{'port':80,'nodePort':30080}]}",
        "Service \"b\" is invalid: spec.ports[0].nodePort: Invalid value: 30080: provided port is "
        "already allocated");
}

static void a_node_port_is_of_the_range(void **state)
{
    expect_refused(*state, SERVICES, "Service",
        "{'type':'NodePort','ports':[{'port':80,'nodePort':80}]}",
        "Service \"a\" is invalid: spec.ports[0].nodePort: Invalid value: 80: provided port is not "
        "in the valid range. The range of valid ports is 30000-32767");
}

static void a_cluster_address_is_one_services_alone(void **state)
{
    world_t *world = *state;
    json_decref(
        post_to(world, SERVICES, "Service", "{'clusterIP':'10.96.0.77','ports':[{'port':80}]}"));
    assert_int_equal(world->status, 201);
    expect_refused(world, SERVICES, "Service", "{'clusterIP':'10.96.0.77','ports':[{'port':80}]}",
        "Service \"b\" is invalid: spec.clusterIPs: Invalid value: []string{\"10.96.0.77\"}: "
        "failed "
        "to allocate IP 10.96.0.77: provided IP is already allocated");
}

static void affinity_lasts_three_hours(void **state)
{
    json_auto_t *made = post_to(
        *state, SERVICES, "Service", "{'sessionAffinity':'ClientIP','ports':[{'port':80}]}");
    expect_at(made, "spec.sessionAffinityConfig", "{\"clientIP\":{\"timeoutSeconds\":10800}}");
}

static void a_policy_is_for_what_it_has_rules_for(void **state)
{
    json_auto_t *made = post_to(
        *state, POLICIES, "NetworkPolicy", "{'podSelector':{},'egress':[{'ports':[{'port':53}]}]}");
    expect_at(made, "spec.policyTypes", "[\"Ingress\",\"Egress\"]");
    expect_at(made, "spec.egress", "[{\"ports\":[{\"port\":53,\"protocol\":\"TCP\"}]}]");
}

static void a_policy_that_cannot_be_meant_is_refused(void **state)
{
    expect_refused(*state, POLICIES, "NetworkPolicy",
        "{'podSelector':{},'ingress':[{'from':[{'ipBlock':{'cidr':'10.0.0.0/8','except':"
        "['11.0.0.0/16']}}],'ports':[{'port':'web','endPort':90}]}]}",
        "NetworkPolicy.networking.k8s.io \"a\" is invalid: [spec.ingress[0].ports[0].endPort: "
        "Invalid value: 90: may not be specified when `port` is non-numeric, "
        "spec.ingress[0].from[0].ipBlock.except[0]: Invalid value: \"11.0.0.0/16\": must be a "
        "strict subset of `cidr`]");
}

static void an_ingress_says_how_its_paths_match(void **state)
{
    expect_refused(*state, INGRESSES, "Ingress",
        "{'rules':[{'http':{'paths':[{'path':'/','backend':{'service':{'name':'web','port':"
        "{'number':80}}}}]}}]}",
        "Ingress.networking.k8s.io \"a\" is invalid: spec.rules[0].http.paths[0].pathType: "
        "Required "
        "value: pathType must be specified");
}

static void an_ingress_is_printed_without_an_address(void **state)
{
    world_t *world = *state;
    json_decref(post_to(world, INGRESSES, "Ingress",
        "{'ingressClassName':'nginx','tls':[{'secretName':'s'}],'rules':[{'host':'shop.example',"
        "'http':{'paths':[{'path':'/','pathType':'Prefix','backend':{'service':{'name':'web',"
        "'port':{'number':80}}}}]}}]}"));
    assert_int_equal(world->status, 201);
    const kind_t *kind = kind_find("Ingress");
    json_auto_t *cells = json_array();
    kind->row(store_get(world->store, kind, "default", "a"), 0, cells);
    json_array_remove(cells, 5); /* its age */
    json_auto_t *expected =
        json_pack("[s, s, s, s, s]", "a", "nginx", "shop.example", "", "80, 443");
    assert_true(json_equal(cells, expected));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WORLD_TEST(a_node_port_is_one_services_alone),
        WORLD_TEST(a_node_port_is_of_the_range),
        WORLD_TEST(a_cluster_address_is_one_services_alone),
        WORLD_TEST(affinity_lasts_three_hours),
        WORLD_TEST(a_policy_is_for_what_it_has_rules_for),
        WORLD_TEST(a_policy_that_cannot_be_meant_is_refused),
        WORLD_TEST(an_ingress_says_how_its_paths_match),
        WORLD_TEST(an_ingress_is_printed_without_an_address),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
