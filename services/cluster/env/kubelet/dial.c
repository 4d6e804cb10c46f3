/* A client's stream to a port of a pod. */
#include "services/cluster/env/kubelet/live.h"

#include "base/auto.h"
#include "base/mem.h"
#include "services/cluster/env/api/buffer.h"
#include "services/cluster/env/kubelet/internal.h"
#include "services/cluster/env/kubelet/relay.h"
#include "services/cluster/env/object.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

typedef struct dial {
    ev_t *ev; /* borrowed */
    node_stream_t *stream;
    relay_t *relay; /* NULL until it is connected */
    int fd;         /* -1 then */
    buffer_t early; /* what came from the client before */
    bool is_input_ended;
    int port;
    char *pod_uid;
} dial_t;

static void dial_free(dial_t *self)
{
    relay_destroy(&self->relay);
    if (self->fd >= 0) {
        ev_fd_end(self->ev, self->fd);
        close(self->fd);
    }
    buffer_done(&self->early);
    free(self->pod_uid);
    free(self);
}

static void on_dial_input(void *arg, const void *bytes, size_t size)
{
    dial_t *self = arg;
    if (self->relay)
        relay_input(self->relay, bytes, size);
    else
        buffer_add(&self->early, bytes, size);
}

static void on_dial_input_end(void *arg)
{
    dial_t *self = arg;
    self->is_input_ended = true;
    if (self->relay)
        relay_input_end(self->relay);
}

static void on_dial_resize(void *arg, int columns, int rows)
{
    (void)arg;
    (void)columns;
    (void)rows;
}

static void on_dial_room(void *arg)
{
    dial_t *self = arg;
    if (self->relay)
        relay_room(self->relay);
}

static void on_dial_gone(void *arg)
{
    dial_free(arg);
}

static const node_stream_events_t dial_events = {.on_input = on_dial_input,
    .on_input_end = on_dial_input_end,
    .on_resize = on_dial_resize,
    .on_room = on_dial_room,
    .on_gone = on_dial_gone};

/* As kubelet and containerd put it. */
static void fail_dial(node_stream_t *stream, const char *uid, int port, const char *cause)
{
    AUTO_FREE char *text = xasprintf(
        "error forwarding port %d to pod %s, uid : failed to execute portforward in network "
        "namespace \"/var/run/netns/%s\": failed to connect to localhost:%d inside namespace "
        "\"%s\", IPv4: dial tcp4 127.0.0.1:%d: connect: %s IPv6 dial tcp6: address localhost: no "
        "suitable address found ",
        port, uid, uid, port, uid, port, cause);
    node_stream_fail(&stream, text);
}

static void on_dial_output_end(void *arg)
{
    dial_t *self = arg;
    node_stream_end(&self->stream);
    dial_free(self);
}

static void begin_relay(dial_t *self)
{
    streams_t streams = {.in = self->fd, .out = fcntl(self->fd, F_DUPFD_CLOEXEC, 3), .err = -1};
    self->fd = -1;
    self->relay = relay_new(self->ev, self->stream, &streams, on_dial_output_end, self);
    relay_input(self->relay, self->early.bytes, self->early.size);
    buffer_done(&self->early);
    node_stream_pause(self->stream, false);
    if (self->is_input_ended)
        relay_input_end(self->relay);
}

static void on_connected(void *arg, int fd, uint32_t events)
{
    dial_t *self = arg;
    int error = 0;
    socklen_t size = sizeof(error);
    (void)events;
    (void)getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size); /* it is a socket */
    ev_fd_end(self->ev, fd);
    if (error == 0) {
        begin_relay(self);
        return;
    }
    fail_dial(self->stream, self->pod_uid, self->port,
        error == ECONNREFUSED ? "connection refused" : strerror(error));
    dial_free(self);
}

void live_dial(void *arg, const json_t *pod_object, int port, node_stream_t *stream)
{
    kubelet_t *kubelet = arg;
    const pod_t *pod = kubelet_find_pod(kubelet, pod_object);
    err_t err = {0};
    int fd = -1;
    if (!pod || !pod->sandbox) {
        AUTO_FREE char *text = xasprintf("error forwarding port %d to pod %s, uid : pod is not "
                                         "running",
            port, object_uid(pod_object));
        node_stream_fail(&stream, text);
        return;
    }
    if (sandbox_connect(pod->sandbox, port, &fd, &err) < 0) {
        fail_dial(stream, object_uid(pod_object), port, err.text);
        return;
    }
    dial_t *self = xcalloc(1, sizeof(*self));
    *self = (dial_t){.ev = kubelet->context.ev,
        .stream = stream,
        .fd = fd,
        .port = port,
        .pod_uid = xstrdup(object_uid(pod_object))};
    node_stream_begin(stream, &dial_events, self);
    node_stream_pause(stream, true); /* a loopback connection is there at once */
    ev_fd(self->ev, fd, EPOLLOUT, on_connected, self);
}
