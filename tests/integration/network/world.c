#include "tests/integration/network/world.h"

#include "base/auto.h"
#include "base/mem.h"
#include "services/cluster/env/object.h"
#include "services/cluster/runtime/netns.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { PATIENCE_MS = 60000, SILENCE_MS = 300, PORT = 8080 };

static json_t *parse(const char *text)
{
    AUTO_FREE char *proper = xstrdup(text);
    for (char *c = proper; *c; c++)
        *c = *c == '\'' ? '"' : *c;
    json_t *object = json_loads(proper, 0, NULL);
    assert_non_null(object);
    return object;
}

void settle(world_t *self)
{
    ev_sim_run_for(self->ev, 1);
}

void create(world_t *self, const char *kind, const char *text)
{
    err_t err = {0};
    if (store_create(self->store, kind_find(kind), parse(text), NULL, &err) < 0)
        fail_msg("%s", err.text);
    settle(self);
}

void remove_object(world_t *self, const char *kind, const char *namespace, const char *name)
{
    assert_int_equal(store_remove(self->store, kind_find(kind), namespace, name, NULL), 0);
    settle(self);
}

/* ---- pods -------------------------------------------------------------------------------------
 */

const char *pod_address(int index)
{
    static char texts[WORLD_PODS][16];
    snprintf(texts[index], sizeof(texts[index]), "10.244.%d.%d", index % 3, 10 + index);
    return texts[index];
}

static int home(void)
{
    return open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
}

/* A socket belongs to the namespace that it was made in. */
static int socket_in(int namespace_fd, int type)
{
    int back = home();
    if (namespace_fd >= 0)
        assert_int_equal(setns(namespace_fd, CLONE_NEWNET), 0);
    int fd = socket(AF_INET, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    assert_true(fd >= 0);
    assert_int_equal(setns(back, CLONE_NEWNET), 0);
    close(back);
    return fd;
}

static struct sockaddr_in place(const char *address, int port)
{
    return (struct sockaddr_in){
        .sin_family = AF_INET, .sin_addr = {inet_addr(address)}, .sin_port = htons((uint16_t)port)};
}

int listen_at(world_t *self, int index, int type, const char *address, int port)
{
    int one = 1;
    struct sockaddr_in at = place(address, port);
    int fd = socket_in(index < 0 ? -1 : self->pods[index], type);
    assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)), 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&at, sizeof(at)), 0);
    if (type == SOCK_STREAM)
        assert_int_equal(listen(fd, 64), 0);
    self->listeners[self->listener_count++] = fd;
    return fd;
}

void add_pod(world_t *self, int index, const char *namespace, const char *name)
{
    err_t err = {0};
    struct in_addr address = {inet_addr(pod_address(index))};
    if (netns_create((unsigned)index, address, &self->pods[index], &err) < 0)
        fail_msg("%s", err.text);
    (void)listen_at(self, index, SOCK_STREAM, "0.0.0.0", PORT);
    AUTO_FREE char *text = xasprintf(
        "{'metadata':{'namespace':'%s','name':'%s','labels':{'app':'%s'}},'spec':{'nodeName':'n%d',"
        "'containers':[{'name':'c','image':'i','ports':[{'name':'web','containerPort':%d}]}]}}",
        namespace, name, name, index % 3, PORT);
    create(self, "Pod", text);
    json_t *pod = object_copy(store_get(self->store, kind_find("Pod"), namespace, name), "status");
    object_set(pod, "status.phase", json_string("Running"));
    object_set(pod, "status.podIP", json_string(pod_address(index)));
    assert_int_equal(store_update(self->store, kind_find("Pod"), pod, STORE_STATUS, &err), 0);
    settle(self);
}

static int begin_connection(int pod_fd, const char *address, int port)
{
    struct sockaddr_in to = place(address, port);
    int fd = socket_in(pod_fd, SOCK_STREAM);
    if (connect(fd, (struct sockaddr *)&to, sizeof(to)) < 0)
        assert_true(errno == EINPROGRESS || errno == ECONNREFUSED);
    return fd;
}

static bool is_ready(int fd, short events, int patience_ms)
{
    struct pollfd wait = {.fd = fd, .events = events};
    return poll(&wait, 1, patience_ms) == 1;
}

outcome_t connect_from(int pod_fd, const char *address, int port, outcome_t expected)
{
    int fd = begin_connection(pod_fd, address, port);
    bool has_ended = is_ready(fd, POLLOUT, expected == SILENT ? SILENCE_MS : PATIENCE_MS);
    struct sockaddr_in peer;
    socklen_t peer_size = sizeof(peer);
    bool is_refused = getpeername(fd, (struct sockaddr *)&peer, &peer_size) < 0;
    close(fd);
    if (!has_ended)
        return SILENT;
    return is_refused ? REFUSED : CONNECTED;
}

int dial(int pod_fd, const char *address, int port)
{
    int fd = begin_connection(pod_fd, address, port);
    assert_true(is_ready(fd, POLLOUT, PATIENCE_MS));
    return fd;
}

int accept_one(int listener)
{
    assert_true(is_ready(listener, POLLIN, PATIENCE_MS));
    int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    assert_true(fd >= 0);
    return fd;
}

/* ---- life cycle -------------------------------------------------------------------------------
 */

/* Nothing of one test is left for the next: each has a router of its own. */
int set_up(void **state)
{
    world_t *self = xcalloc(1, sizeof(*self));
    err_t err = {0};
    for (int i = 0; i < WORLD_PODS; i++)
        self->pods[i] = -1;
    if (unshare(CLONE_NEWNET) < 0 || netns_prepare_router(&err) < 0)
        fail_msg("%s", err.text);
    self->ev = ev_sim_new();
    self->store = store_new(self->ev, 1);
    create(self, "Namespace", "{'metadata':{'name':'default'}}");
    create(self, "Namespace", "{'metadata':{'name':'shop','labels':{'team':'shop'}}}");
    create(self, "Namespace",
        "{'metadata':{'name':'kube-system','labels':"
        "{'kubernetes.io/metadata.name':'kube-system'}}}");
    *state = self;
    return 0;
}

int tear_down(void **state)
{
    world_t *self = *state;
    for (size_t i = 0; i < self->listener_count; i++)
        close(self->listeners[i]);
    for (int i = 0; i < WORLD_PODS; i++) {
        if (self->pods[i] >= 0)
            close(self->pods[i]);
    }
    store_destroy(&self->store);
    ev_destroy(&self->ev);
    free(self);
    return 0;
}
