/* The server's thread makes everything it uses; a pipe ends it. */
#include "tests/integration/env/server.h"

#include "services/cluster/certificates.h"
#include "services/cluster/env/api/api.h"
#include "services/cluster/env/auth/default_roles.h"
#include "services/cluster/env/auth/signer.h"
#include "services/cluster/env/controllers/controllers.h"
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
    char *url;
    certificates_t certificates;
    int stop_fds[2];
    ev_t *ev;
    store_t *store;
};

/* ---- a kubelet that knows one line of log, one command and one page ------------------------ */

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

static json_t *running_status(const json_t *pod)
{
    json_auto_t *now = object_time_now();
    json_auto_t *statuses = json_array();
    size_t i;
    json_t *container;
    json_array_foreach(object_at(pod, "spec.containers"), i, container) json_array_append_new(
        statuses, json_pack("{s:s, s:b, s:b, s:i, s:s, s:s, s:{s:{s:O}}}", "name",
                      object_string(container, "name"), "ready", 1, "started", 1, "restartCount", 0,
                      "image", object_string(container, "image"), "imageID", "", "state", "running",
                      "startedAt", now));
    return json_pack("{s:s, s:s, s:[{s:s}], s:[{s:s, s:s, s:O}], s:O}", "phase", "Running", "podIP",
        "10.244.0.9", "podIPs", "ip", "10.244.0.9", "conditions", "type", "Ready", "status", "True",
        "lastTransitionTime", now, "containerStatuses", statuses);
}

static void on_pod(void *arg, store_change_t change, const kind_t *kind, json_t *pod, json_t *old)
{
    server_t *self = arg;
    (void)old;
    if (change == STORE_DELETED || !*object_string(pod, "spec.nodeName"))
        return;
    if (object_is_deleted(pod)) {
        (void)store_remove(self->store, kind, object_namespace(pod), object_name(pod), NULL);
        return;
    }
    if (!strcmp(object_string(pod, "status.phase"), "Running"))
        return;
    json_t *copy = object_copy(pod, "metadata");
    json_object_del(object_at(copy, "metadata"), "resourceVersion");
    json_object_set_new(copy, "status", running_status(pod));
    (void)store_update(self->store, kind, copy, STORE_STATUS, NULL);
}

/* ---- life cycle --------------------------------------------------------------------------- */

static int listen_on_loopback(int *port_p)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof(address);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    int rc = bind(fd, (struct sockaddr *)&address, sizeof(address));
    assert(rc == 0);
    (void)rc;
    listen(fd, 128);
    getsockname(fd, (struct sockaddr *)&address, &size);
    *port_p = ntohs(address.sin_port);
    return fd;
}

static void fill(store_t *store)
{
    json_t *node = json_pack("{s:{s:s}, s:{s:[{s:s, s:s}], s:{s:s, s:s, s:s}}}", "metadata", "name",
        "kind-worker", "status", "conditions", "type", "Ready", "status", "True", "allocatable",
        "cpu", "8", "memory", "8Gi", "pods", "110");
    store_create(store, kind_find("Namespace"),
        json_pack("{s:{s:s}}", "metadata", "name", "default"), NULL, NULL);
    store_create(store, kind_find("Node"), node, NULL, NULL);
    default_roles_create(store);
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
    static const char *const masters[] = {"system:masters", NULL};
    static const char *const admins[] = {GROUP_ADMINS, NULL};
    static const api_token_t tokens[] = {
        {.token = "operator-token", .user = "operator", .groups = masters},
        {.token = "admin-token", .user = "admin", .groups = admins},
        {.token = "jane-token", .user = "jane"},
    };
    server_t *self = arg;
    err_t err = {0};
    self->ev = ev_new();
    self->store = store_new(self->ev, 1);
    fill(self->store);
    usage_t *usage = usage_new(self->ev, self->store);
    controllers_t *controllers = controllers_new(self->ev, self->store, usage, "");
    store_watch_t *pods = store_watch(self->store, kind_find("Pod"), on_pod, self);
    tokens_t *account_tokens = tokens_new(self->store);
    authority_t *authority = authority_new();
    signer_t *signer = signer_new(self->store, authority);
    api_config_t config = {.listen_fds = &self->listen_fd,
        .listen_count = 1,
        .cert_pem = self->certificates.cert,
        .key_pem = self->certificates.key,
        .tokens = tokens,
        .token_count = ARRAY_SIZE(tokens),
        .account_tokens = account_tokens,
        .client_ca_pem = authority_pem(authority),
        .node = &node_ops};
    api_t *api = api_new(self->ev, self->store, &config, &err);
    assert(api);
    ev_fd(self->ev, self->stop_fds[0], EPOLLIN, on_stop, self);
    ev_run(self->ev);
    api_destroy(&api);
    tokens_destroy(&account_tokens);
    signer_destroy(&signer);
    authority_destroy(&authority);
    store_watch_end(&pods);
    controllers_destroy(&controllers);
    usage_destroy(&usage);
    store_destroy(&self->store);
    ev_destroy(&self->ev);
    return NULL;
}

server_t *server_new(const char *folder)
{
    server_t *self = xcalloc(1, sizeof(*self));
    int port;
    int rc = folder ? certificates_init(&self->certificates, folder, NULL) : 0;
    assert(rc == 0);
    self->listen_fd = listen_on_loopback(&port);
    self->url = xasprintf("http%s://127.0.0.1:%d", folder ? "s" : "", port);
    rc = pipe(self->stop_fds);
    assert(rc == 0);
    rc = pthread_create(&self->thread, NULL, serve, self);
    assert(rc == 0);
    (void)rc;
    return self;
}

const char *server_url(const server_t *self)
{
    return self->url;
}

const char *server_ca(const server_t *self)
{
    return self->certificates.ca ? self->certificates.ca : "";
}

void server_destroy(server_t **self_p)
{
    server_t *self = *self_p;
    *self_p = NULL;
    (void)!write(self->stop_fds[1], "", 1); /* a pipe takes one byte */
    pthread_join(self->thread, NULL);
    close(self->stop_fds[0]);
    close(self->stop_fds[1]);
    certificates_done(&self->certificates);
    free(self->url);
    free(self);
}
