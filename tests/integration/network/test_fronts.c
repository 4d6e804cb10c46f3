/* Addresses of Services between real network namespaces: pods 0, 1 and 2 on nodes 0, 1 and 2 serve,
 * pods 3, 4 and 5 on the same nodes ask. */
#include "services/cluster/env/kubelet/fronts.h"
#include "services/cluster/runtime/netns.h"
#include "tests/integration/network/world.h"
#include "tests/support/namespaces.h"

#include "base/auto.h"
#include "base/mem.h"

#include <arpa/inet.h>
#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#define ADDRESS "10.96.9.9"

enum { ASKS = 12, PODS = 6 };

static int set_up_fronts(void **state)
{
    set_up(state);
    world_t *self = *state;
    err_t err = {0};
    for (int node = 0; node < 3; node++) {
        struct in_addr address = {htonl(172U << 24 | 18U << 16 | (unsigned)(node + 2))};
        assert_int_equal(netns_add_router_address(address, &err), 0);
    }
    self->subject = fronts_new(self->store, 3, &err);
    if (!self->subject)
        fail_msg("%s", err.text);
    for (int i = 0; i < PODS; i++)
        add_pod(self, i, "default", (const char *[]){"a", "b", "c", "d", "e", "f"}[i]);
    return 0;
}

static int tear_down_fronts(void **state)
{
    world_t *self = *state;
    fronts_t *fronts = self->subject;
    fronts_destroy(&fronts);
    return tear_down(state);
}

static void serve(world_t *self, const char *more)
{
    AUTO_FREE char *text =
        xasprintf("{'metadata':{'namespace':'default','name':'web'},'spec':{'clusterIP':'" ADDRESS
                  "','ports':[{'port':80,'targetPort':8080%s}}",
            more);
    create(self, "Service", text);
}

/* A slice of the first count pods. */
static void serve_by(world_t *self, int count)
{
    AUTO_FREE char *list = xstrdup("");
    for (int i = 0; i < count; i++) {
        char *longer = xasprintf("%s%s{'addresses':['%s']}", list, i ? "," : "", pod_address(i));
        free(list);
        list = longer;
    }
    AUTO_FREE char *text = xasprintf(
        "{'metadata':{'namespace':'default','name':'web-%d','labels':"
        "{'kubernetes.io/service-name':'web'}},'addressType':'IPv4','ports':[{'port':8080}],"
        "'endpoints':[%s]}",
        count, list);
    create(self, "EndpointSlice", text);
}

/* Which pod answers, and whom it sees; listeners are in the order of the pods. */
static int answerer(world_t *self, int from, const char *address, int port, char *seen)
{
    struct sockaddr_in peer;
    socklen_t size = sizeof(peer);
    struct pollfd waits[PODS];
    int fd = dial(from < 0 ? -1 : self->pods[from], address, port);
    for (int i = 0; i < PODS; i++)
        waits[i] = (struct pollfd){.fd = self->listeners[i], .events = POLLIN};
    assert_int_equal(poll(waits, PODS, 60000), 1);
    int which = 0;
    while (!waits[which].revents)
        which++;
    int accepted = accept4(self->listeners[which], (struct sockaddr *)&peer, &size, SOCK_CLOEXEC);
    assert_true(accepted >= 0);
    close(accepted);
    close(fd);
    inet_ntop(AF_INET, &peer.sin_addr, seen, INET_ADDRSTRLEN);
    return which;
}

static void a_service_leads_to_what_its_slices_say(void **state)
{
    world_t *self = *state;
    char seen[INET_ADDRSTRLEN];
    serve(self, "}]");
    assert_outcome(self, 3, ADDRESS, 80, REFUSED);
    serve_by(self, 1);
    assert_int_equal(answerer(self, 3, ADDRESS, 80, seen), 0);
    assert_string_equal(seen, pod_address(3));
    remove_object(self, "EndpointSlice", "default", "web-1");
    assert_outcome(self, 3, ADDRESS, 80, REFUSED);
}

static void a_node_port_is_open_on_every_node(void **state)
{
    world_t *self = *state;
    char seen[INET_ADDRSTRLEN];
    serve(self, ",'nodePort':30080}],'type':'NodePort'");
    serve_by(self, 1);
    assert_int_equal(answerer(self, 3, "172.18.0.2", 30080, seen), 0);
    assert_int_equal(answerer(self, 3, "172.18.0.4", 30080, seen), 0);
    assert_string_equal(seen, "172.18.0.4");
    assert_int_equal(answerer(self, -1, "172.18.0.3", 30080, seen), 0);
    remove_object(self, "Service", "default", "web");
    assert_outcome(self, 3, "172.18.0.3", 30080, REFUSED);
}

static void local_external_traffic_keeps_its_sender_and_its_node(void **state)
{
    world_t *self = *state;
    char seen[INET_ADDRSTRLEN];
    serve(self, ",'nodePort':30080}],'type':'NodePort','externalTrafficPolicy':'Local'");
    serve_by(self, 2);
    assert_int_equal(answerer(self, 3, "172.18.0.3", 30080, seen), 1);
    assert_string_equal(seen, pod_address(3));
    assert_outcome(self, 3, "172.18.0.4", 30080, SILENT);
}

static void local_internal_traffic_stays_on_its_node(void **state)
{
    world_t *self = *state;
    char seen[INET_ADDRSTRLEN];
    serve(self, "}],'internalTrafficPolicy':'Local'");
    serve_by(self, 2);
    for (int i = 0; i < ASKS; i++) {
        assert_int_equal(answerer(self, 3, ADDRESS, 80, seen), 0);
        assert_int_equal(answerer(self, 4, ADDRESS, 80, seen), 1);
    }
    assert_outcome(self, 5, ADDRESS, 80, SILENT);
}

static void a_sender_keeps_its_endpoint_while_it_is_there(void **state)
{
    world_t *self = *state;
    char seen[INET_ADDRSTRLEN];
    serve(self, "}],'sessionAffinity':'ClientIP'");
    serve_by(self, 2);
    int first = answerer(self, 3, ADDRESS, 80, seen);
    serve_by(self, 3);
    for (int i = 0; i < ASKS; i++)
        assert_int_equal(answerer(self, 3, ADDRESS, 80, seen), first);
    remove_object(self, "EndpointSlice", "default", "web-3");
    remove_object(self, "EndpointSlice", "default", "web-2");
    assert_outcome(self, 3, ADDRESS, 80, REFUSED);
}

static void a_sender_whose_endpoint_is_gone_gets_another(void **state)
{
    world_t *self = *state;
    char seen[INET_ADDRSTRLEN];
    serve(self, "}],'sessionAffinity':'ClientIP'");
    serve_by(self, 3);
    for (int from = 3; from < 6; from++)
        (void)answerer(self, from, ADDRESS, 80, seen);
    remove_object(self, "EndpointSlice", "default", "web-3");
    serve_by(self, 1);
    for (int from = 3; from < 6; from++)
        assert_int_equal(answerer(self, from, ADDRESS, 80, seen), 0);
}

static void those_that_go_serve_while_nobody_else_does(void **state)
{
    world_t *self = *state;
    char seen[INET_ADDRSTRLEN];
    serve(self, "}]");
    AUTO_FREE char *text = xasprintf(
        "{'metadata':{'namespace':'default','name':'web-1','labels':"
        "{'kubernetes.io/service-name':'web'}},'addressType':'IPv4','ports':[{'port':8080}],"
        "'endpoints':[{'addresses':['%s'],'conditions':{'ready':false,'serving':true,"
        "'terminating':true}}]}",
        pod_address(0));
    create(self, "EndpointSlice", text);
    assert_int_equal(answerer(self, 3, ADDRESS, 80, seen), 0);
}

static int run(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up_fronts, tear_down_fronts)
    const struct CMUnitTest tests[] = {
        TEST(a_service_leads_to_what_its_slices_say),
        TEST(a_node_port_is_open_on_every_node),
        TEST(local_external_traffic_keeps_its_sender_and_its_node),
        TEST(local_internal_traffic_stays_on_its_node),
        TEST(a_sender_keeps_its_endpoint_while_it_is_there),
        TEST(a_sender_whose_endpoint_is_gone_gets_another),
        TEST(those_that_go_serve_while_nobody_else_does),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

int main(void)
{
    return in_namespaces(run);
}
