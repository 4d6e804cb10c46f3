/* NetworkPolicies between real network namespaces: pod 0 is web in default, pods 1 and 2 are db in
 * default and till in shop. */
#include "services/cluster/env/kubelet/policies.h"
#include "tests/integration/network/world.h"
#include "tests/support/namespaces.h"

#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#define ANY "0.0.0.0"

static int set_up_pods(void **state)
{
    set_up(state);
    world_t *self = *state;
    err_t err = {0};
    self->subject = policies_new(self->ev, self->store, &err);
    if (!self->subject)
        fail_msg("%s", err.text);
    add_pod(self, 0, "default", "web");
    add_pod(self, 1, "default", "db");
    add_pod(self, 2, "shop", "till");
    return 0;
}

static int tear_down_pods(void **state)
{
    world_t *self = *state;
    policies_t *policies = self->subject;
    policies_destroy(&policies);
    return tear_down(state);
}

/* A policy in default for app=web. */
static void isolate_web(world_t *self, const char *spec)
{
    char text[2048];
    snprintf(text, sizeof(text),
        "{'metadata':{'namespace':'default','name':'p'},"
        "'spec':{'podSelector':{'matchLabels':{'app':'web'}},%s}}",
        spec);
    create(self, "NetworkPolicy", text);
}

static void without_policies_all_is_open(void **state)
{
    world_t *self = *state;
    assert_outcome(self, 1, pod_address(0), 8080, CONNECTED);
    assert_outcome(self, 2, pod_address(0), 8080, CONNECTED);
}

static void default_deny_closes_a_pod_and_no_other(void **state)
{
    world_t *self = *state;
    isolate_web(self, "'policyTypes':['Ingress']");
    assert_outcome(self, 1, pod_address(0), 8080, SILENT);
    assert_outcome(self, 0, pod_address(1), 8080, CONNECTED);
    assert_outcome(self, 2, pod_address(1), 8080, CONNECTED);
    remove_object(self, "NetworkPolicy", "default", "p");
    assert_outcome(self, 1, pod_address(0), 8080, CONNECTED);
}

static void the_node_itself_may_always_ask(void **state)
{
    world_t *self = *state;
    isolate_web(self, "'policyTypes':['Ingress','Egress']");
    assert_int_equal(connect_from(-1, pod_address(0), 8080, CONNECTED), CONNECTED);
}

static void peers_are_picked_by_label_in_the_policys_namespace(void **state)
{
    world_t *self = *state;
    isolate_web(self, "'ingress':[{'from':[{'podSelector':{'matchLabels':{'app':'db'}}}]}]");
    add_pod(self, 3, "shop", "db");
    assert_outcome(self, 1, pod_address(0), 8080, CONNECTED);
    assert_outcome(self, 2, pod_address(0), 8080, SILENT);
    assert_outcome(self, 3, pod_address(0), 8080, SILENT);
}

static void peers_are_picked_by_namespace(void **state)
{
    world_t *self = *state;
    isolate_web(self,
        "'ingress':[{'from':[{'namespaceSelector':{'matchLabels':{'team':'shop'}},"
        "'podSelector':{'matchExpressions':[{'key':'app','operator':'In','values':['till']}]}}]}]");
    add_pod(self, 3, "shop", "db");
    assert_outcome(self, 2, pod_address(0), 8080, CONNECTED);
    assert_outcome(self, 3, pod_address(0), 8080, SILENT);
    assert_outcome(self, 1, pod_address(0), 8080, SILENT);
}

static void a_block_has_exceptions(void **state)
{
    world_t *self = *state;
    isolate_web(self, "'ingress':[{'from':[{'ipBlock':{'cidr':'10.244.0.0/16',"
                      "'except':['10.244.1.0/24']}}]}]");
    assert_outcome(self, 2, pod_address(0), 8080, CONNECTED);
    assert_outcome(self, 1, pod_address(0), 8080, SILENT);
}

static void all_addresses_are_a_block_too(void **state)
{
    world_t *self = *state;
    isolate_web(self, "'ingress':[{'from':[{'ipBlock':{'cidr':'0.0.0.0/0',"
                      "'except':['10.244.1.0/24']}}]}]");
    assert_outcome(self, 2, pod_address(0), 8080, CONNECTED);
    assert_outcome(self, 1, pod_address(0), 8080, SILENT);
}

static void ports_are_numbers_ranges_and_names(void **state)
{
    world_t *self = *state;
    isolate_web(self, "'ingress':[{'ports':[{'port':'web'},{'port':9001,'endPort':9003}]}]");
    (void)listen_at(self, 0, SOCK_STREAM, ANY, 9002);
    (void)listen_at(self, 0, SOCK_STREAM, ANY, 9004);
    assert_outcome(self, 1, pod_address(0), 8080, CONNECTED);
    assert_outcome(self, 1, pod_address(0), 9002, CONNECTED);
    assert_outcome(self, 1, pod_address(0), 9004, SILENT);
}

static void a_port_without_a_number_is_a_protocol(void **state)
{
    world_t *self = *state;
    isolate_web(self, "'ingress':[{'ports':[{'protocol':'UDP'}]}]");
    assert_outcome(self, 1, pod_address(0), 8080, SILENT);
}

static void what_policies_allow_adds_up(void **state)
{
    world_t *self = *state;
    isolate_web(self, "'policyTypes':['Ingress']");
    create(self, "NetworkPolicy",
        "{'metadata':{'namespace':'default','name':'q'},'spec':{'podSelector':{},"
        "'ingress':[{'from':[{'podSelector':{}}]}]}}");
    assert_outcome(self, 1, pod_address(0), 8080, CONNECTED);
    assert_outcome(self, 2, pod_address(0), 8080, SILENT);
}

static void both_sides_must_agree(void **state)
{
    world_t *self = *state;
    isolate_web(self, "'policyTypes':['Egress'],'egress':[{'to':[{'podSelector':{}}]}]");
    assert_outcome(self, 0, pod_address(1), 8080, CONNECTED);
    assert_outcome(self, 0, pod_address(2), 8080, SILENT);
    create(self, "NetworkPolicy",
        "{'metadata':{'namespace':'default','name':'q'},'spec':{'podSelector':"
        "{'matchLabels':{'app':'db'}}}}");
    assert_outcome(self, 0, pod_address(1), 8080, SILENT);
}

/* The egress of a pod may name the port by what the receiver calls it. */
static void the_receiver_names_the_port(void **state)
{
    world_t *self = *state;
    isolate_web(self, "'policyTypes':['Egress'],'egress':[{'ports':[{'port':'web'}]}]");
    (void)listen_at(self, 1, SOCK_STREAM, ANY, 9000);
    assert_outcome(self, 0, pod_address(1), 8080, CONNECTED);
    assert_outcome(self, 0, pod_address(1), 9000, SILENT);
}

static void names_are_not_answered_unless_egress_allows_it(void **state)
{
    world_t *self = *state;
    (void)listen_at(self, -1, SOCK_STREAM, "10.96.0.10", 53);
    assert_outcome(self, 0, "10.96.0.10", 53, CONNECTED);
    isolate_web(self, "'policyTypes':['Egress']");
    assert_outcome(self, 0, "10.96.0.10", 53, SILENT);
    create(self, "NetworkPolicy",
        "{'metadata':{'namespace':'default','name':'dns'},'spec':{'podSelector':{},"
        "'policyTypes':['Egress'],'egress':[{'to':[{'namespaceSelector':{'matchLabels':"
        "{'kubernetes.io/metadata.name':'kube-system'}},'podSelector':{'matchLabels':"
        "{'k8s-app':'kube-dns'}}}],'ports':[{'port':53,'protocol':'TCP'}]}]}}");
    assert_outcome(self, 0, "10.96.0.10", 53, CONNECTED);
}

static void a_pod_that_comes_later_is_meant_too(void **state)
{
    world_t *self = *state;
    create(self, "NetworkPolicy",
        "{'metadata':{'namespace':'shop','name':'p'},'spec':{'podSelector':{}}}");
    add_pod(self, 3, "shop", "late");
    assert_outcome(self, 1, pod_address(3), 8080, SILENT);
}

/* Sends a byte over an established connection; whether it arrives. */
static bool passes(int from, int to, bool is_expected)
{
    char byte = 0;
    struct pollfd wait = {.fd = to, .events = POLLIN};
    assert_int_equal(send(from, "x", 1, MSG_NOSIGNAL), 1);
    return poll(&wait, 1, is_expected ? 60000 : 300) == 1 && recv(to, &byte, 1, 0) == 1;
}

static void a_policy_also_ends_what_it_would_not_let_begin(void **state)
{
    world_t *self = *state;
    int server = listen_at(self, 0, SOCK_STREAM, ANY, 9000);
    int client = dial(self->pods[1], pod_address(0), 9000);
    int accepted = accept_one(server);
    assert_true(passes(client, accepted, true));
    isolate_web(self, "'policyTypes':['Ingress']");
    assert_false(passes(client, accepted, false));
    close(client);
    close(accepted);
}

/* What an isolated pod was asked it may answer. */
static void answers_pass(void **state)
{
    world_t *self = *state;
    int server = listen_at(self, 0, SOCK_STREAM, ANY, 9000);
    isolate_web(self, "'policyTypes':['Egress']");
    int client = dial(self->pods[1], pod_address(0), 9000);
    int accepted = accept_one(server);
    assert_true(passes(accepted, client, true));
    close(client);
    close(accepted);
}

static int run(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up_pods, tear_down_pods)
    const struct CMUnitTest tests[] = {
        TEST(without_policies_all_is_open),
        TEST(default_deny_closes_a_pod_and_no_other),
        TEST(the_node_itself_may_always_ask),
        TEST(peers_are_picked_by_label_in_the_policys_namespace),
        TEST(peers_are_picked_by_namespace),
        TEST(a_block_has_exceptions),
        TEST(all_addresses_are_a_block_too),
        TEST(ports_are_numbers_ranges_and_names),
        TEST(a_port_without_a_number_is_a_protocol),
        TEST(what_policies_allow_adds_up),
        TEST(both_sides_must_agree),
        TEST(the_receiver_names_the_port),
        TEST(names_are_not_answered_unless_egress_allows_it),
        TEST(a_pod_that_comes_later_is_meant_too),
        TEST(a_policy_also_ends_what_it_would_not_let_begin),
        TEST(answers_pass),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

int main(void)
{
    return in_namespaces(run);
}
