/* One publisher, several subscribers. The publisher keeps a window ahead of the slowest subscriber,
 * so that nothing is dropped and every peer sees the same back-pressure. */
#include "tests/bench/bus/raw.h"

#include "base/auto.h"
#include "base/mem.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#define TOPIC "env/1/load"

enum {
    SUBSCRIBER_LIMIT = 64,
    WINDOW_BYTES = 4 << 20,
    WINDOW_LEAST = 32,
    WINDOW_MOST = 8000,
    BATCH = 64
};

typedef struct readers {
    int fds[SUBSCRIBER_LIMIT];
    uint64_t bytes[SUBSCRIBER_LIMIT];
    size_t count;
    size_t frame_size;
    _Atomic uint64_t slowest; /* frames that every subscriber has */
    atomic_bool is_over;
} readers_t;

static void note_slowest(readers_t *self)
{
    uint64_t least = UINT64_MAX;
    for (size_t i = 0; i < self->count; i++)
        least = self->bytes[i] < least ? self->bytes[i] : least;
    self->slowest = least / self->frame_size;
}

static void *read_all(void *arg)
{
    readers_t *self = arg;
    AUTO_FREE char *buffer = mem_check(malloc(1 << 20));
    int epoll_fd = epoll_create1(0);
    for (size_t i = 0; i < self->count; i++) {
        struct epoll_event event = {.events = EPOLLIN, .data.u64 = i};
        epoll_ctl(epoll_fd, EPOLL_CTL_ADD, self->fds[i], &event);
    }
    while (!self->is_over) {
        struct epoll_event events[SUBSCRIBER_LIMIT];
        int ready = epoll_wait(epoll_fd, events, SUBSCRIBER_LIMIT, 50);
        for (int i = 0; i < ready; i++) {
            size_t at = events[i].data.u64;
            ssize_t size = recv(self->fds[at], buffer, 1 << 20, MSG_DONTWAIT);
            self->bytes[at] += size > 0 ? (uint64_t)size : 0;
        }
        note_slowest(self);
    }
    close(epoll_fd);
    return NULL;
}

/* So many copies of one frame, back to back. */
static uint8_t *make_batch(const raw_peer_t *peer, size_t payload, bool is_short, size_t *size_p)
{
    size_t content_size;
    AUTO_FREE uint8_t *content = is_short || peer->protocol == RAW_MQTT
                                     ? mem_check(calloc(1, (content_size = payload)))
                                     : raw_event(TOPIC, payload, &content_size);
    if (is_short && peer->protocol == RAW_ZMTP)
        memcpy(content, TOPIC, strlen(TOPIC)); /* the proxy matches it */
    uint8_t head[64];
    size_t head_size = raw_head(peer->protocol, head, TOPIC, content_size, false);
    *size_p = head_size + content_size;
    uint8_t *batch = mem_check(malloc(BATCH * *size_p));
    for (size_t i = 0; i < BATCH; i++) {
        memcpy(batch + i * *size_p, head, head_size);
        memcpy(batch + i * *size_p + head_size, content, content_size);
    }
    return batch;
}

static void open_readers(readers_t *self, const raw_peer_t *peer, size_t count)
{
    self->count = count;
    for (size_t i = 0; i < count; i++) {
        self->fds[i] = raw_open(peer->protocol, peer->back, "SUB");
        raw_subscribe(peer->protocol, self->fds[i], TOPIC);
    }
    usleep(100000); /* for the subscriptions to arrive, which nothing confirms */
}

static uint64_t window_for(size_t frame_size)
{
    uint64_t window = WINDOW_BYTES / frame_size;
    return window < WINDOW_LEAST ? WINDOW_LEAST : window > WINDOW_MOST ? WINDOW_MOST : window;
}

static void publish_until(
    readers_t *readers, int fd, const uint8_t *batch, uint64_t *sent_p, uint64_t until)
{
    uint64_t window = window_for(readers->frame_size);
    uint64_t batch_count = window < 2 * BATCH ? window / 2 : BATCH;
    while (raw_now() < until) {
        if (*sent_p + batch_count > readers->slowest + window) {
            usleep(20);
            continue;
        }
        raw_write(fd, batch, batch_count * readers->frame_size);
        *sent_p += batch_count;
    }
}

raw_result_t fanout_run(
    const raw_peer_t *peer, size_t subscribers, size_t payload, bool is_short, double seconds)
{
    readers_t readers = {0};
    AUTO_FREE uint8_t *batch = make_batch(peer, payload, is_short, &readers.frame_size);
    open_readers(&readers, peer, subscribers);
    int fd = raw_open(peer->protocol, peer->front, "PUB");
    pthread_t thread;
    pthread_create(&thread, NULL, read_all, &readers);
    uint64_t sent = 0;
    publish_until(&readers, fd, batch, &sent, raw_now() + 200000000);
    uint64_t start = raw_now();
    uint64_t cpu = raw_cpu(peer->pid);
    uint64_t first = readers.slowest;
    publish_until(&readers, fd, batch, &sent, start + (uint64_t)(seconds * 1e9));
    double deliveries = (double)((readers.slowest - first) * subscribers);
    cpu = raw_cpu(peer->pid) - cpu;
    double span = (double)(raw_now() - start) / 1e9;
    readers.is_over = true;
    pthread_join(thread, NULL);
    close(fd);
    for (size_t i = 0; i < subscribers; i++)
        close(readers.fds[i]);
    return (raw_result_t){
        .rate = deliveries / span, .cpu_us = deliveries > 0 ? (double)cpu / 1e3 / deliveries : 0};
}
