/* bench_envelope - the routing fields of an envelope, read in place, beside msgpack-c's unpacker.
 */
#include "base/auto.h"
#include "proto/envelope.h"
#include "proto/messages.h"

#include <msgpack.h>
#include <stdio.h>
#include <time.h>

enum { COUNT = 1000000, REPEATS = 9 };

static double now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

static int compare(const void *a, const void *b)
{
    double left = *(const double *)a;
    double right = *(const double *)b;
    return left < right ? -1 : left > right;
}

static uint64_t peek(const char *bytes, size_t size)
{
    envelope_peek_t fields;
    return envelope_peek(bytes, size, &fields) == 0 ? fields.id_size + fields.type_size : 0;
}

/* Unpacks, and looks for as many keys as a router needs. */
static uint64_t unpack(const char *bytes, size_t size)
{
    uint64_t found = 0;
    msgpack_unpacked unpacked;
    msgpack_unpacked_init(&unpacked);
    if (msgpack_unpack_next(&unpacked, bytes, size, NULL) == MSGPACK_UNPACK_SUCCESS) {
        const msgpack_object_map *map = &unpacked.data.via.map;
        for (uint32_t i = 0; i < map->size; i++) {
            const msgpack_object_str *key = &map->ptr[i].key.via.str;
            bool is_wanted = (key->size == 2 && memcmp(key->ptr, "id", 2) == 0)
                             || (key->size == 4 && memcmp(key->ptr, "type", 4) == 0);
            found += is_wanted ? map->ptr[i].val.via.str.size : 0;
        }
    }
    msgpack_unpacked_destroy(&unpacked);
    return found;
}

static double measure(uint64_t (*read)(const char *, size_t), const char *bytes, size_t size)
{
    double times[REPEATS];
    volatile uint64_t sum = 0;
    for (int i = 0; i < REPEATS; i++) {
        double start = now_ns();
        for (int j = 0; j < COUNT; j++)
            sum += read(bytes, size);
        times[i] = (now_ns() - start) / COUNT;
    }
    (void)sum; /* it is there to be computed */
    qsort(times, REPEATS, sizeof(double), compare);
    return times[REPEATS / 2];
}

int main(void)
{
    AUTO_FREE char *body = NULL;
    AUTO_FREE char *bytes = NULL;
    size_t body_size;
    size_t size;
    session_act_t act = {
        .session = "5f0e6c1e-9a51-4c0b-8a39-3a1f7f0a5d11", .step = 7, .action = "get_logs(\"a\")"};
    codec_encode(&session_act_type, &act, &body, &body_size, NULL);
    envelope_t envelope = {.kind = ENVELOPE_REQUEST,
        .id = "3f2a9c0011223344-1f",
        .type = "session.act",
        .source = "cli@1a2b3c4d",
        .time = 1700000000000,
        .deadline = 1700000010000,
        .session = "5f0e6c1e-9a51-4c0b-8a39-3a1f7f0a5d11",
        .body = body,
        .body_size = body_size};
    envelope_encode(&envelope, &bytes, &size);
    double ours = measure(peek, bytes, size);
    double theirs = measure(unpack, bytes, size);
    printf(
        "envelope of %zu bytes: envelope_peek %.1f ns, msgpack_unpack_next %.1f ns, ratio %.2f\n",
        size, ours, theirs, ours / theirs);
    return 0;
}
