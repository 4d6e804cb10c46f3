#include "services/cluster/runtime/internal.h"
#include "services/cluster/runtime/netns.h"

#include "base/auto.h"
#include "base/mem.h"

#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* The lowest index that no sandbox has. */
static unsigned take_index(runtime_t *runtime)
{
    unsigned index = 0;
    while (index < runtime->index_capacity && runtime->used_indexes[index])
        index++;
    if (index == runtime->index_capacity) {
        size_t capacity = 2 * runtime->index_capacity + 32;
        runtime->used_indexes = mem_check(realloc(runtime->used_indexes, capacity));
        memset(
            runtime->used_indexes + runtime->index_capacity, 0, capacity - runtime->index_capacity);
        runtime->index_capacity = capacity;
    }
    runtime->used_indexes[index] = 1;
    return index;
}

/* As kubelet writes them. */
static void write_names(
    sandbox_t *self, const char *name, struct in_addr address, const char *search)
{
    char text[INET_ADDRSTRLEN];
    inet_ntop(AF_INET, &address, text, sizeof(text));
    self->hosts =
        xasprintf("# Kubernetes-managed hosts file.\n127.0.0.1\tlocalhost\n%s\t%s\n", text, name);
    self->resolv_conf =
        search ? xasprintf("search %s\nnameserver 10.96.0.10\noptions ndots:5\n", search)
               : xstrdup("nameserver 127.0.0.53\noptions edns0 trust-ad\n");
}

sandbox_t *sandbox_new(
    runtime_t *runtime, const char *name, struct in_addr address, const char *search, err_t *err)
{
    sandbox_t *self = xcalloc(1, sizeof(*self));
    self->runtime = runtime;
    self->net_fd = -1;
    self->index = take_index(runtime);
    self->name = xstrdup(name);
    write_names(self, name, address, search);
    if (netns_create(self->index, address, &self->net_fd, err) < 0)
        sandbox_destroy(&self);
    return self;
}

void sandbox_set_names(sandbox_t *self, char *hosts, char *resolv_conf)
{
    free(self->hosts);
    free(self->resolv_conf);
    self->hosts = hosts;
    self->resolv_conf = resolv_conf;
}

void sandbox_destroy(sandbox_t **self_p)
{
    sandbox_t *self = *self_p;
    if (!self)
        return;
    if (self->net_fd >= 0) {
        netns_release(self->index);
        close(self->net_fd);
    }
    self->runtime->used_indexes[self->index] = 0;
    free(self->resolv_conf);
    free(self->hosts);
    free(self->name);
    free(self);
    *self_p = NULL;
}

/* A socket belongs to the namespace that its thread was in when it was made. */
static int socket_inside(int net_fd)
{
    int home = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
    if (home < 0 || setns(net_fd, CLONE_NEWNET) < 0) {
        if (home >= 0)
            close(home);
        return -1;
    }
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    int back = setns(home, CLONE_NEWNET);
    assert(back == 0); /* it is the namespace that this thread has just left */
    (void)back;
    close(home);
    return fd;
}

int sandbox_connect(const sandbox_t *self, int port, int *fd_p, err_t *err)
{
    struct sockaddr_in at = {.sin_family = AF_INET,
        .sin_port = htons((uint16_t)port),
        .sin_addr = {htonl(INADDR_LOOPBACK)}};
    int fd = socket_inside(self->net_fd);
    if (fd >= 0 && (connect(fd, (struct sockaddr *)&at, sizeof(at)) == 0 || errno == EINPROGRESS)) {
        *fd_p = fd;
        return 0;
    }
    int rc = err_set(err, errno == ECONNREFUSED ? ERR_UNAVAILABLE : ERR_IO, "%s",
        errno == ECONNREFUSED ? "connection refused" : strerror(errno));
    if (fd >= 0)
        close(fd);
    return rc;
}

void sandbox_read_network(const sandbox_t *self, network_usage_t *usage)
{
    netns_read_usage(self->index, usage);
}
