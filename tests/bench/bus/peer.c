/* The bare brokers that ours is measured against:
 *
 *     bench_bus_peer proxy FRONT BACK   zmq_proxy between XSUB and XPUB
 *     bench_bus_peer relay FRONT BACK   ROUTER to ROUTER, by a service frame, to the next worker
 *
 * The relay does what it cannot do without and nothing else: no names but one, no deadlines, no
 * roles, no memory of requests. A worker says "R" to register. */
#include <assert.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zmq.h>

enum { QUEUE = 400000, WORKER_LIMIT = 64, DRAIN_COUNT = 200 };

typedef struct relay {
    void *front;
    void *back;
    char workers[WORKER_LIMIT][8];
    size_t worker_sizes[WORKER_LIMIT];
    size_t worker_count;
    size_t turn;
} relay_t;

static void *open_socket(void *context, int type, const char *endpoint)
{
    int queue = QUEUE;
    int one = 1;
    void *socket = zmq_socket(context, type);
    zmq_setsockopt(socket, ZMQ_SNDHWM, &queue, sizeof(queue));
    zmq_setsockopt(socket, ZMQ_RCVHWM, &queue, sizeof(queue));
    if (type == ZMQ_ROUTER)
        zmq_setsockopt(socket, ZMQ_ROUTER_MANDATORY, &one, sizeof(one));
    if (zmq_bind(socket, endpoint) < 0) {
        perror(endpoint);
        exit(EXIT_FAILURE);
    }
    return socket;
}

static void add_worker(relay_t *self, zmq_msg_t *id)
{
    size_t i = self->worker_count++;
    assert(i < WORKER_LIMIT);
    self->worker_sizes[i] = zmq_msg_size(id);
    memcpy(self->workers[i], zmq_msg_data(id), zmq_msg_size(id));
}

/* Addresses the next worker that is still there. */
static int address_worker(relay_t *self)
{
    while (self->worker_count) {
        self->turn = (self->turn + 1) % self->worker_count;
        size_t i = self->turn;
        if (zmq_send(self->back, self->workers[i], self->worker_sizes[i], ZMQ_SNDMORE) >= 0)
            return 0;
        size_t last = --self->worker_count;
        memcpy(self->workers[i], self->workers[last], sizeof(self->workers[i]));
        self->worker_sizes[i] = self->worker_sizes[last];
    }
    return -1;
}

static void from_worker(relay_t *self, zmq_msg_t *parts)
{
    if (zmq_msg_size(&parts[1]) == 1) {
        add_worker(self, &parts[0]);
        return;
    }
    if (zmq_msg_send(&parts[1], self->front, ZMQ_SNDMORE) >= 0)
        zmq_msg_send(&parts[2], self->front, 0);
}

static void from_client(relay_t *self, zmq_msg_t *parts)
{
    bool is_known = zmq_msg_size(&parts[1]) == 4 && memcmp(zmq_msg_data(&parts[1]), "echo", 4) == 0;
    if (!is_known || address_worker(self) < 0)
        return;
    zmq_msg_send(&parts[0], self->back, ZMQ_SNDMORE);
    zmq_msg_send(&parts[2], self->back, 0);
}

static void drain(relay_t *self, void *socket, void (*handle)(relay_t *self, zmq_msg_t *parts))
{
    zmq_msg_t parts[3];
    for (size_t i = 0; i < 3; i++)
        zmq_msg_init(&parts[i]);
    for (int i = 0; i < DRAIN_COUNT && zmq_msg_recv(&parts[0], socket, ZMQ_DONTWAIT) >= 0; i++) {
        zmq_msg_recv(&parts[1], socket, 0);
        zmq_msg_recv(&parts[2], socket, 0);
        handle(self, parts);
    }
    for (size_t i = 0; i < 3; i++)
        zmq_msg_close(&parts[i]);
}

static void run_relay(relay_t *self)
{
    zmq_pollitem_t items[] = {{self->back, 0, ZMQ_POLLIN, 0}, {self->front, 0, ZMQ_POLLIN, 0}};
    for (;;) {
        zmq_poll(items, self->worker_count ? 2 : 1, -1);
        if (items[0].revents)
            drain(self, self->back, from_worker);
        if (self->worker_count && items[1].revents)
            drain(self, self->front, from_client);
    }
}

int main(int argc, char **argv)
{
    if (argc != 4)
        return EXIT_FAILURE;
    void *context = zmq_ctx_new();
    bool is_proxy = strcmp(argv[1], "proxy") == 0;
    void *front = open_socket(context, is_proxy ? ZMQ_XSUB : ZMQ_ROUTER, argv[2]);
    void *back = open_socket(context, is_proxy ? ZMQ_XPUB : ZMQ_ROUTER, argv[3]);
    if (is_proxy)
        return zmq_proxy(front, back, NULL);
    run_relay(&(relay_t){.front = front, .back = back});
    return 0;
}
