#include "services/cluster/env/kubelet/pod_names.h"

#include "tests/support/test.h"

#include <stdlib.h>

static json_t *pod_with(const char *spec)
{
    json_t *pod = json_pack("{s:{s:s, s:s}}", "metadata", "name", "web-0", "namespace", "shop");
    json_object_set_new(pod, "spec", json_loads(spec, 0, NULL));
    assert_true(json_is_object(json_object_get(pod, "spec")));
    return pod;
}

static void expect_resolv_conf(const char *spec, const char *expected)
{
    json_t *pod = pod_with(spec);
    char *text = pod_names_resolv_conf(pod);
    assert_string_equal(text, expected);
    free(text);
    json_decref(pod);
}

static void expect_hosts(const char *spec, const char *expected)
{
    json_t *pod = pod_with(spec);
    char *text = pod_names_hosts(pod, "10.244.1.9");
    assert_string_equal(text, expected);
    free(text);
    json_decref(pod);
}

static void a_pod_asks_the_cluster_first(void **state)
{
    (void)state;
    expect_resolv_conf("{\"dnsPolicy\": \"ClusterFirst\"}",
        "search shop.svc.cluster.local svc.cluster.local cluster.local\n"
        "nameserver 10.96.0.10\noptions ndots:5\n");
}

static void what_the_pod_says_is_added_and_its_options_hold(void **state)
{
    (void)state;
    expect_resolv_conf(
        "{\"dnsPolicy\": \"ClusterFirst\", \"dnsConfig\": {\"nameservers\": [\"10.96.0.10\", "
        "\"1.2.3.4\"], \"searches\": [\"example.org\"], \"options\": [{\"name\": \"ndots\", "
        "\"value\": \"2\"}, {\"name\": \"edns0\"}]}}",
        "search shop.svc.cluster.local svc.cluster.local cluster.local example.org\n"
        "nameserver 10.96.0.10\nnameserver 1.2.3.4\noptions ndots:2 edns0\n");
}

static void a_policy_of_none_leaves_all_to_the_pod(void **state)
{
    (void)state;
    expect_resolv_conf(
        "{\"dnsPolicy\": \"None\", \"dnsConfig\": {\"nameservers\": [\"10.96.0.10\"]}}",
        "nameserver 10.96.0.10\n");
}

static void the_default_policy_is_the_nodes(void **state)
{
    (void)state;
    expect_resolv_conf("{\"dnsPolicy\": \"Default\"}", "nameserver 172.18.0.1\n");
}

static void host_aliases_follow_the_pods_own_name(void **state)
{
    (void)state;
    expect_hosts("{\"hostAliases\": [{\"ip\": \"1.2.3.4\", \"hostnames\": [\"a\", \"b.c\"]}]}",
        "# Kubernetes-managed hosts file.\n127.0.0.1\tlocalhost\n10.244.1.9\tweb-0\n"
        "\n# Entries added by HostAliases.\n1.2.3.4\ta\tb.c\n");
}

static void a_subdomain_gives_a_full_name(void **state)
{
    (void)state;
    expect_hosts("{\"hostname\": \"h\", \"subdomain\": \"db\"}",
        "# Kubernetes-managed hosts file.\n127.0.0.1\tlocalhost\n"
        "10.244.1.9\th.db.shop.svc.cluster.local\th\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_pod_asks_the_cluster_first),
        cmocka_unit_test(what_the_pod_says_is_added_and_its_options_hold),
        cmocka_unit_test(a_policy_of_none_leaves_all_to_the_pod),
        cmocka_unit_test(the_default_policy_is_the_nodes),
        cmocka_unit_test(host_aliases_follow_the_pods_own_name),
        cmocka_unit_test(a_subdomain_gives_a_full_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
