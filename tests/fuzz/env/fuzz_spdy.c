/* SPDY frames with their packed headers, in one piece and cut in two. */
#include "services/cluster/env/api/spdy.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

typedef struct server {
    spdy_t *spdy;
    uint64_t sum;
} server_t;

static void on_send(void *arg, const void *bytes, size_t size)
{
    (void)arg;
    if (size)
        (void)*(const volatile uint8_t *)bytes;
}

static void on_open(void *arg, uint32_t id, const json_t *headers)
{
    server_t *self = arg;
    self->sum += id + 7 * json_object_size(headers);
    if (id & 1)
        spdy_accept(self->spdy, id);
    else
        spdy_reset(self->spdy, id, SPDY_REFUSED);
}

static void on_data(void *arg, uint32_t id, const void *bytes, size_t size)
{
    server_t *self = arg;
    self->sum += size * 3 + (uint64_t)(id & 0) * *(const uint8_t *)bytes;
}

static void on_end(void *arg, uint32_t id)
{
    ((server_t *)arg)->sum += 11 * (uint64_t)id + 1;
}

static uint64_t serve(const uint8_t *data, size_t size, size_t cut, int *rc_p)
{
    static const spdy_events_t events = {.send = on_send,
        .on_open = on_open,
        .on_data = on_data,
        .on_end = on_end,
        .on_reset = on_end};
    server_t server = {0};
    server.spdy = spdy_new(&events, &server);
    *rc_p = spdy_receive(server.spdy, data, cut, NULL);
    if (*rc_p == 0)
        *rc_p = spdy_receive(server.spdy, data + cut, size - cut, NULL);
    spdy_destroy(&server.spdy);
    return server.sum;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    int rc;
    int other;
    uint64_t sum = serve(data, size, 0, &rc);
    if (serve(data, size, size ? data[size - 1] % size : 0, &other) != sum || rc != other)
        abort();
    return 0;
}
