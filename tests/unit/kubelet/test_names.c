/* Names of a store with a Service, a headless one with two endpoints, and two aliases. */
#include "services/cluster/env/kubelet/names.h"
#include "services/cluster/env/store.h"

#include "tests/support/test.h"

#include <arpa/inet.h>
#include <stdlib.h>

static const struct {
    const char *kind;
    const char *text;
} objects[] = {
    {"Namespace", "{\"metadata\":{\"name\":\"shop\"}}"},
    {"Service", "{\"metadata\":{\"namespace\":\"shop\",\"name\":\"web\"},\"spec\":{\"clusterIP\":"
                "\"10.96.5.5\",\"ports\":[{\"name\":\"http\",\"port\":80}]}}"},
    {"Service", "{\"metadata\":{\"namespace\":\"shop\",\"name\":\"db\"},\"spec\":{\"clusterIP\":"
                "\"None\",\"ports\":[{\"name\":\"sql\",\"port\":5432}]}}"},
    {"EndpointSlice",
        "{\"metadata\":{\"namespace\":\"shop\",\"name\":\"db-1\",\"labels\":"
        "{\"kubernetes.io/service-name\":\"db\"}},\"addressType\":\"IPv4\",\"ports\":[{\"name\":"
        "\"sql\",\"port\":5432}],\"endpoints\":[{\"addresses\":[\"10.244.1.2\"],\"hostname\":"
        "\"db-0\"},{\"addresses\":[\"10.244.1.3\"]},{\"addresses\":[\"10.244.1.4\"],\"conditions\":"
        "{\"ready\":false}}]}"},
    {"Service", "{\"metadata\":{\"namespace\":\"shop\",\"name\":\"out\"},\"spec\":{\"type\":"
                "\"ExternalName\",\"externalName\":\"example.org\"}}"},
    {"Service", "{\"metadata\":{\"namespace\":\"shop\",\"name\":\"near\"},\"spec\":{\"type\":"
                "\"ExternalName\",\"externalName\":\"web.shop.svc.cluster.local\"}}"},
};

typedef struct world {
    ev_t *ev;
    store_t *store;
    dns_answer_t answer;
} world_t;

static int set_up(void **state)
{
    world_t *self = calloc(1, sizeof(*self));
    self->ev = ev_sim_new();
    self->store = store_new(self->ev, 1);
    for (size_t i = 0; i < sizeof(objects) / sizeof(objects[0]); i++)
        assert_int_equal(store_create(self->store, kind_find(objects[i].kind),
                             json_loads(objects[i].text, 0, NULL), NULL, NULL),
            0);
    *state = self;
    return 0;
}

static int tear_down(void **state)
{
    world_t *self = *state;
    store_destroy(&self->store);
    ev_destroy(&self->ev);
    free(self);
    return 0;
}

static const dns_answer_t *ask(world_t *self, const char *name, dns_type_t type)
{
    self->answer = (dns_answer_t){0};
    names_lookup(self->store, name, type, &self->answer);
    return &self->answer;
}

static void expect_address(const dns_answer_t *answer, size_t i, const char *address)
{
    assert_int_equal(answer->records[i].type, DNS_A);
    assert_int_equal(answer->records[i].address.s_addr, inet_addr(address));
}

static void expect_nothing(world_t *self, const char *name, dns_type_t type, bool is_known)
{
    const dns_answer_t *answer = ask(self, name, type);
    assert_int_equal(answer->is_known, is_known);
    assert_int_equal(answer->count, 0);
}

static void a_service_has_its_address(void **state)
{
    const dns_answer_t *answer = ask(*state, "web.shop.svc.cluster.local", DNS_A);
    assert_true(answer->is_known && answer->is_zone);
    assert_int_equal(answer->count, 1);
    expect_address(answer, 0, "10.96.5.5");
}

static void a_headless_service_has_those_of_its_ready_endpoints(void **state)
{
    const dns_answer_t *answer = ask(*state, "db.shop.svc.cluster.local", DNS_A);
    assert_int_equal(answer->count, 2);
    expect_address(answer, 0, "10.244.1.2");
    expect_address(answer, 1, "10.244.1.3");
}

static void endpoints_are_called_by_host_name_or_by_address(void **state)
{
    expect_address(ask(*state, "db-0.db.shop.svc.cluster.local", DNS_A), 0, "10.244.1.2");
    expect_address(ask(*state, "10-244-1-3.db.shop.svc.cluster.local", DNS_A), 0, "10.244.1.3");
    expect_nothing(*state, "db-7.db.shop.svc.cluster.local", DNS_A, false);
}

static void a_port_is_at_the_service_or_at_each_endpoint(void **state)
{
    const dns_answer_t *answer = ask(*state, "_http._tcp.web.shop.svc.cluster.local", DNS_SRV);
    assert_int_equal(answer->count, 2); /* and the target's address */
    assert_int_equal(answer->records[0].port, 80);
    assert_string_equal(answer->records[0].target, "web.shop.svc.cluster.local");
    assert_true(answer->records[1].is_extra);
    answer = ask(*state, "_sql._tcp.db.shop.svc.cluster.local", DNS_SRV);
    assert_int_equal(answer->count, 4);
    assert_string_equal(answer->records[0].target, "db-0.db.shop.svc.cluster.local");
    expect_nothing(*state, "_sql._udp.db.shop.svc.cluster.local", DNS_SRV, false);
}

static void what_exists_without_such_records_is_known(void **state)
{
    expect_nothing(*state, "web.shop.svc.cluster.local", DNS_AAAA, true);
    expect_nothing(*state, "shop.svc.cluster.local", DNS_A, true);
    expect_nothing(*state, "svc.cluster.local", DNS_A, true);
    expect_nothing(*state, "cluster.local", DNS_A, true);
}

static void what_does_not_exist_is_not(void **state)
{
    expect_nothing(*state, "nope.shop.svc.cluster.local", DNS_A, false);
    expect_nothing(*state, "web.nope.svc.cluster.local", DNS_A, false);
    expect_nothing(*state, "nope.cluster.local", DNS_A, false);
    expect_nothing(*state, "xcluster.local", DNS_A, false);
    expect_nothing(*state, "example.org", DNS_A, false);
}

static void an_external_name_is_an_alias_that_is_followed_inside(void **state)
{
    const dns_answer_t *answer = ask(*state, "out.shop.svc.cluster.local", DNS_A);
    assert_int_equal(answer->count, 1);
    assert_int_equal(answer->records[0].type, DNS_CNAME);
    assert_string_equal(answer->records[0].target, "example.org");
    answer = ask(*state, "near.shop.svc.cluster.local", DNS_A);
    assert_int_equal(answer->count, 2);
    assert_string_equal(answer->records[1].owner, "web.shop.svc.cluster.local");
    expect_address(answer, 1, "10.96.5.5");
}

static void addresses_lead_back_to_names(void **state)
{
    const dns_answer_t *answer = ask(*state, "5.5.96.10.in-addr.arpa", DNS_PTR);
    assert_int_equal(answer->count, 1);
    assert_string_equal(answer->records[0].target, "web.shop.svc.cluster.local");
    answer = ask(*state, "3.1.244.10.in-addr.arpa", DNS_PTR);
    assert_string_equal(answer->records[0].target, "10-244-1-3.db.shop.svc.cluster.local");
    expect_nothing(*state, "9.9.9.9.in-addr.arpa", DNS_PTR, false);
    expect_nothing(*state, "x.in-addr.arpa", DNS_PTR, false);
}

static void pods_are_called_by_their_address(void **state)
{
    expect_address(ask(*state, "10-244-0-7.shop.pod.cluster.local", DNS_A), 0, "10.244.0.7");
    expect_nothing(*state, "web.shop.pod.cluster.local", DNS_A, false);
}

static void the_zone_has_an_authority(void **state)
{
    assert_int_equal(ask(*state, "cluster.local", DNS_SOA)->records[0].type, DNS_SOA);
    expect_address(ask(*state, "ns.dns.cluster.local", DNS_A), 0, "10.96.0.10");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(a_service_has_its_address),
        TEST(a_headless_service_has_those_of_its_ready_endpoints),
        TEST(endpoints_are_called_by_host_name_or_by_address),
        TEST(a_port_is_at_the_service_or_at_each_endpoint),
        TEST(what_exists_without_such_records_is_known),
        TEST(what_does_not_exist_is_not),
        TEST(an_external_name_is_an_alias_that_is_followed_inside),
        TEST(addresses_lead_back_to_names),
        TEST(pods_are_called_by_their_address),
        TEST(the_zone_has_an_authority),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
