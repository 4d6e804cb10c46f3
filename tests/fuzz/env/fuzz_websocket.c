/* WebSocket frames: in one piece and cut in two they must say the same. */
#include "services/cluster/env/api/websocket.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

typedef struct sum {
    uint64_t bytes;
    uint64_t events;
} sum_t;

static void add(sum_t *sum, const void *bytes, size_t size)
{
    for (size_t i = 0; i < size; i++)
        sum->bytes = sum->bytes * 31 + ((const uint8_t *)bytes)[i];
}

static void on_piece(void *arg, const void *bytes, size_t size, bool is_last)
{
    add(arg, bytes, size);
    ((sum_t *)arg)->events += is_last ? 1 : 0;
}

static void on_control(void *arg, int opcode, const void *bytes, size_t size)
{
    if (size > WEBSOCKET_CONTROL_MAX || opcode < WEBSOCKET_CLOSE)
        abort();
    add(arg, bytes, size);
    ((sum_t *)arg)->events += 1000;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const websocket_events_t events = {.on_piece = on_piece, .on_control = on_control};
    websocket_t whole = {0};
    websocket_t parts = {0};
    sum_t of_whole = {0};
    sum_t of_parts = {0};
    size_t cut = size ? data[size - 1] % size : 0;
    int rc = websocket_receive(&whole, data, size, &events, &of_whole, NULL);
    int other = websocket_receive(&parts, data, cut, &events, &of_parts, NULL);
    if (other == 0)
        other = websocket_receive(&parts, data + cut, size - cut, &events, &of_parts, NULL);
    if (rc != other || of_whole.bytes != of_parts.bytes || of_whole.events != of_parts.events)
        abort();
    return 0;
}
