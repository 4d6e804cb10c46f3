/* One client, one worker, and a broker between them. Frames have fixed sizes, so both sides only
 * count bytes and copy ids. */
#include "tests/bench/bus/raw.h"

#include "base/auto.h"
#include "base/mem.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/socket.h>
#include <unistd.h>

enum { ID_SIZE = 16, BUFFER_SIZE = 1 << 20, RELAY_ID_SIZE = 5, ROUTE_SIZE = 10 };

/* A frame as it goes over the wire, with one id in it. */
typedef struct frame {
    uint8_t *bytes;
    size_t size;
    size_t id_at;
} frame_t;

typedef struct worker {
    const raw_peer_t *peer;
    int fd;
    size_t head_size;    /* of the frame before the envelope, with its own header */
    size_t request_size; /* of an envelope frame that comes in */
    size_t request_id_at;
    frame_t reply;
} worker_t;

static frame_t make_frame(raw_protocol_t protocol, const char *topic, const char *first,
    const uint8_t *content, size_t size, size_t id_at)
{
    uint8_t head[64];
    size_t used = 0;
    if (first && protocol == RAW_ZMTP) {
        used = raw_head(protocol, head, NULL, strlen(first), true);
        memcpy(head + used, first, strlen(first));
        used += strlen(first);
    }
    used += raw_head(protocol, head + used, topic, size, false);
    frame_t frame = {.bytes = mem_check(malloc(used + size)), .size = used + size};
    memcpy(frame.bytes, head, used);
    memcpy(frame.bytes + used, content, size);
    frame.id_at = used + id_at;
    return frame;
}

/* ---- worker --------------------------------------------------------------------------------- */

/* Answers whole requests at the beginning of buffer; returns how many bytes they were. */
static size_t answer(worker_t *self, const uint8_t *buffer, size_t size, uint8_t *out)
{
    size_t step = self->head_size + self->request_size;
    size_t reply_step = self->head_size + self->reply.size;
    size_t count = size / step;
    for (size_t i = 0; i < count; i++) {
        const uint8_t *in = buffer + i * step;
        uint8_t *to = out + i * reply_step;
        memcpy(to, in, self->head_size);
        memcpy(to + self->head_size, self->reply.bytes, self->reply.size);
        memcpy(to + self->head_size + self->reply.id_at, in + self->head_size + self->request_id_at,
            ID_SIZE);
    }
    if (count)
        raw_write(self->fd, out, count * reply_step);
    return count * step;
}

static void *work(void *arg)
{
    worker_t *self = arg;
    AUTO_FREE uint8_t *buffer = mem_check(malloc(BUFFER_SIZE));
    AUTO_FREE uint8_t *out = mem_check(malloc(2 * BUFFER_SIZE));
    size_t used = 0;
    for (;;) {
        ssize_t size = recv(self->fd, buffer + used, BUFFER_SIZE - used, 0);
        if (size <= 0)
            return NULL;
        used += (size_t)size;
        size_t done = answer(self, buffer, used, out);
        memmove(buffer, buffer + done, used - done);
        used -= done;
    }
}

/* Reads what our broker says before the first request: the welcome. */
static void skip_frame(int fd)
{
    uint8_t head[9];
    static uint8_t content[65536];
    raw_read(fd, head, 2);
    size_t size = head[1];
    if (head[0] & 2) {
        raw_read(fd, head + 2, 7);
        size = (size_t)head[7] << 8 | head[8];
    }
    raw_read(fd, content, size);
}

static void register_worker(worker_t *self)
{
    if (self->peer->protocol == RAW_MQTT) {
        raw_subscribe(RAW_MQTT, self->fd, "echo");
        return;
    }
    size_t size;
    AUTO_FREE uint8_t *hello = raw_hello(&size);
    frame_t frame = self->peer->is_ours
                        ? make_frame(RAW_ZMTP, NULL, "broker", hello, size, 0)
                        : make_frame(RAW_ZMTP, NULL, "R", (const uint8_t *)"echo", 4, 0);
    raw_write(self->fd, frame.bytes, frame.size);
    free(frame.bytes);
    if (self->peer->is_ours)
        skip_frame(self->fd);
}

/* ---- client --------------------------------------------------------------------------------- */

typedef struct client {
    int fd;
    frame_t request;
    size_t reply_size;
    size_t reply_id_at;
    uint64_t serial;
    uint64_t done;
    raw_times_t times;
    uint8_t *buffer;
    uint8_t *out;
    size_t used;
} client_t;

/* The id is a number and the time it was sent, so that the answer tells how long it took. */
static void send_requests(client_t *self, size_t count)
{
    uint64_t now = raw_now();
    for (size_t i = 0; i < count; i++) {
        uint8_t *to = self->out + i * self->request.size;
        memcpy(to, self->request.bytes, self->request.size);
        uint64_t id[2] = {++self->serial, now};
        memcpy(to + self->request.id_at, id, ID_SIZE);
    }
    raw_write(self->fd, self->out, count * self->request.size);
}

/* Returns how many answers there were. */
static size_t take_replies(client_t *self)
{
    ssize_t size = recv(self->fd, self->buffer + self->used, BUFFER_SIZE - self->used, 0);
    if (size <= 0) {
        fprintf(stderr, "the broker hung up\n");
        exit(EXIT_FAILURE);
    }
    self->used += (size_t)size;
    uint64_t now = raw_now();
    size_t count = self->used / self->reply_size;
    for (size_t i = 0; i < count; i++) {
        uint64_t id[2];
        memcpy(id, self->buffer + i * self->reply_size + self->reply_id_at, ID_SIZE);
        raw_times_add(&self->times, now - id[1]);
    }
    memmove(self->buffer, self->buffer + count * self->reply_size,
        self->used - count * self->reply_size);
    self->used -= count * self->reply_size;
    self->done += count;
    return count;
}

static void ask_until(client_t *self, uint64_t until)
{
    while (raw_now() < until)
        send_requests(self, take_replies(self));
}

/* What is still under way, so that the worker is not cut off in the middle of an answer. */
static void drain(client_t *self)
{
    while (self->done < self->serial)
        take_replies(self);
}

static raw_result_t measure(client_t *self, pid_t pid, size_t outstanding, double seconds)
{
    send_requests(self, outstanding);
    ask_until(self, raw_now() + 200000000);
    memset(&self->times, 0, sizeof(self->times));
    uint64_t start = raw_now();
    uint64_t cpu = raw_cpu(pid);
    uint64_t first = self->done;
    ask_until(self, start + (uint64_t)(seconds * 1e9));
    double count = (double)(self->done - first);
    cpu = raw_cpu(pid) - cpu;
    double span = (double)(raw_now() - start) / 1e9;
    drain(self);
    return (raw_result_t){.rate = count / span,
        .cpu_us = (double)cpu / 1e3 / count,
        .p50_us = raw_times_percentile(&self->times, 50) / 1e3,
        .p99_us = raw_times_percentile(&self->times, 99) / 1e3};
}

/* ---- both ----------------------------------------------------------------------------------- */

static size_t head_size_for(const raw_peer_t *peer)
{
    if (peer->protocol == RAW_MQTT)
        return 0;
    return 2 + (peer->is_ours ? ROUTE_SIZE : RELAY_ID_SIZE);
}

raw_result_t request_run(const raw_peer_t *peer, size_t outstanding, size_t payload, double seconds)
{
    raw_protocol_t protocol = peer->protocol;
    size_t request_size, reply_size, request_id_at, reply_id_at;
    AUTO_FREE uint8_t *request = raw_envelope(false, payload, &request_size, &request_id_at);
    AUTO_FREE uint8_t *reply = raw_envelope(true, payload, &reply_size, &reply_id_at);
    worker_t worker = {.peer = peer, .head_size = head_size_for(peer)};
    worker.reply = make_frame(protocol, "reply", NULL, reply, reply_size, reply_id_at);
    frame_t incoming = make_frame(protocol, "echo", NULL, request, request_size, request_id_at);
    worker.request_size = incoming.size;
    worker.request_id_at = incoming.id_at;
    worker.fd = raw_open(protocol, peer->back, "DEALER");
    register_worker(&worker);
    client_t client = {.fd = raw_open(protocol, peer->front, "DEALER"),
        .request = make_frame(protocol, "echo", "echo", request, request_size, request_id_at),
        .reply_size = worker.reply.size,
        .reply_id_at = worker.reply.id_at,
        .buffer = mem_check(malloc(BUFFER_SIZE)),
        .out = mem_check(malloc(BUFFER_SIZE))};
    if (protocol == RAW_MQTT)
        raw_subscribe(protocol, client.fd, "reply");
    pthread_t thread;
    pthread_create(&thread, NULL, work, &worker);
    usleep(100000); /* for the registration to arrive, which the relay does not confirm */
    raw_result_t result = measure(&client, peer->pid, outstanding, seconds);
    shutdown(worker.fd, SHUT_RDWR);
    pthread_join(thread, NULL);
    close(worker.fd);
    close(client.fd);
    free(client.buffer);
    free(client.out);
    free(client.request.bytes);
    free(worker.reply.bytes);
    free(incoming.bytes);
    return result;
}
