/* The server's thread makes everything it uses; a pipe ends it. */
#include "tests/integration/env/server.h"

#include "services/cluster/env/api/api.h"
#include "services/cluster/env/object.h"

#include "base/auto.h"
#include "base/mem.h"

#include <arpa/inet.h>
#include <assert.h>
#include <pthread.h>
#include <sys/socket.h>
#include <unistd.h>

struct server {
    pthread_t thread;
    int listen_fd;
    int port;
    int stop_fds[2];
    const char *token;
    ev_t *ev;
};

static int listen_on(int port, int *port_p)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
        .sin_port = htons((uint16_t)port),
        .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof(address);
    int one = 1;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
    int rc = bind(fd, (struct sockaddr *)&address, sizeof(address));
    assert(rc == 0);
    (void)rc;
    listen(fd, 128);
    getsockname(fd, (struct sockaddr *)&address, &size);
    *port_p = ntohs(address.sin_port);
    return fd;
}

/* A kubelet that knows one line of log, one command and one page. */
static void node_log(void *arg, const node_log_t *log, node_reply_t *reply)
{
    (void)arg;
    AUTO_FREE char *line = xasprintf("log of %s tail=%lld%s\n", log->container,
        (long long)log->tail_lines, log->is_following ? " following" : "");
    node_reply_write(reply, line, strlen(line));
    node_reply_end(&reply);
}

static void node_exec(void *arg, const node_exec_t *exec, node_reply_t *reply)
{
    (void)arg;
    node_reply_write(reply, exec->argv[0], strlen(exec->argv[0]));
    node_reply_exit(&reply, 3);
}

static void node_http(void *arg, const node_http_t *http, node_reply_t *reply)
{
    (void)arg;
    AUTO_FREE char *text =
        xasprintf("%s http://%s:%d%s", http->method, http->address, http->port, http->path);
    node_reply_head(reply, 201, "text/x-echo");
    node_reply_write(reply, text, strlen(text));
    node_reply_end(&reply);
}

static void node_metrics(void *arg, const char *node, const char *path, node_reply_t *reply)
{
    (void)arg;
    AUTO_FREE char *text = xasprintf("# %s of %s\n", path, node);
    node_reply_write(reply, text, strlen(text));
    node_reply_end(&reply);
}

static const node_ops_t node_ops = {
    .log = node_log, .exec = node_exec, .http = node_http, .metrics = node_metrics};

static void fill(store_t *store)
{
    static const char *const namespaces[] = {"default", "kube-system"};
    for (size_t i = 0; i < ARRAY_SIZE(namespaces); i++)
        store_create(store, kind_find("Namespace"),
            json_pack("{s:{s:s}}", "metadata", "name", namespaces[i]), NULL, NULL);
    store_create(store, kind_find("Node"),
        json_pack("{s:{s:s}, s:{s:[{s:s, s:s}]}}", "metadata", "name", "kind-worker", "status",
            "conditions", "type", "Ready", "status", "True"),
        NULL, NULL);
}

static void on_stop(void *arg, int fd, uint32_t events)
{
    server_t *self = arg;
    (void)events;
    ev_fd_end(self->ev, fd);
    ev_stop(self->ev);
}

static void *serve(void *arg)
{
    server_t *self = arg;
    err_t err = {0};
    self->ev = ev_new();
    store_t *store = store_new(self->ev, 1);
    fill(store);
    api_token_t token = {.token = self->token, .user = "operator"};
    api_config_t config = {.listen_fds = &self->listen_fd,
        .listen_count = 1,
        .tokens = &token,
        .token_count = self->token ? 1 : 0,
        .node = &node_ops};
    api_t *api = api_new(self->ev, store, &config, &err);
    assert(api);
    ev_fd(self->ev, self->stop_fds[0], EPOLLIN, on_stop, self);
    ev_run(self->ev);
    api_destroy(&api);
    store_destroy(&store);
    ev_destroy(&self->ev);
    return NULL;
}

server_t *server_new(const char *token)
{
    server_t *self = xcalloc(1, sizeof(*self));
    self->token = token;
    self->listen_fd = listen_on(0, &self->port);
    int rc = pipe(self->stop_fds);
    assert(rc == 0);
    rc = pthread_create(&self->thread, NULL, serve, self);
    assert(rc == 0);
    (void)rc;
    return self;
}

int server_port(const server_t *self)
{
    return self->port;
}

void server_run(int port)
{
    server_t self = {.token = NULL};
    self.listen_fd = listen_on(port, &self.port);
    int rc = pipe(self.stop_fds); /* nobody writes to it */
    assert(rc == 0);
    (void)rc;
    printf("http://127.0.0.1:%d\n", self.port);
    fflush(stdout);
    serve(&self);
}

void server_destroy(server_t **self_p)
{
    server_t *self = *self_p;
    *self_p = NULL;
    (void)!write(self->stop_fds[1], "", 1); /* a pipe takes one byte */
    pthread_join(self->thread, NULL);
    close(self->stop_fds[0]);
    close(self->stop_fds[1]);
    free(self);
}
