#include "broker/flights.h"

#include "base/mem.h"

#include <assert.h>

/* 4096 ticks of 16 ms are a minute; what is due later stays for another round. */
enum { WHEEL_SIZE = 4096, CHUNK_COUNT = 256, REPLY_KEPT = 1024 };

struct flights {
    flights_config_t config;
    uint64_t seed;
    map_t by_key;
    flight_t **chunks; /* of CHUNK_COUNT flights each, so that a flight never moves */
    size_t chunk_count;
    flight_list_t free;
    flight_list_t cache; /* oldest first; `due` is when it ends */
    size_t cache_count;
    size_t cache_bytes;
    size_t live_count;
    flight_list_t wheel[WHEEL_SIZE];
    size_t timer_count;
    int64_t tick; /* the next to be looked at */
};

flights_t *flights_new(const flights_config_t *config, uint64_t seed)
{
    flights_t *self = xcalloc(1, sizeof(*self));
    self->config = *config;
    self->seed = seed;
    map_init(&self->by_key);
    TAILQ_INIT(&self->free);
    TAILQ_INIT(&self->cache);
    for (size_t i = 0; i < WHEEL_SIZE; i++)
        TAILQ_INIT(&self->wheel[i]);
    return self;
}

static void drop_content(flight_t *flight)
{
    if (flight->has_envelope)
        zmq_msg_close(&flight->envelope);
    flight->has_envelope = false;
    flight->reply_size = 0;
    free(flight->instance);
    flight->instance = NULL;
}

void flights_destroy(flights_t **self_p)
{
    flights_t *self = *self_p;
    if (!self)
        return;
    for (size_t i = 0; i < self->chunk_count; i++) {
        for (size_t j = 0; j < CHUNK_COUNT; j++) {
            drop_content(&self->chunks[i][j]);
            free(self->chunks[i][j].reply);
        }
        free(self->chunks[i]);
    }
    free(self->chunks);
    map_done(&self->by_key);
    free(self);
    *self_p = NULL;
}

static uint64_t key_of(const flights_t *self, uint64_t caller, const char *id, size_t id_size)
{
    return map_hash(self->seed ^ caller, id, id_size);
}

flight_t *flights_find(flights_t *self, uint64_t caller, const char *id, size_t id_size)
{
    flight_t *flight = map_get(&self->by_key, key_of(self, caller, id, id_size));
    bool is_same = flight && flight->caller == caller && flight->id_size == id_size
                   && memcmp(flight->id, id, id_size) == 0;
    return is_same ? flight : NULL;
}

static void add_chunk(flights_t *self)
{
    self->chunks =
        mem_check(reallocarray(self->chunks, self->chunk_count + 1, sizeof(*self->chunks)));
    flight_t *chunk = xcalloc(CHUNK_COUNT, sizeof(*chunk));
    for (size_t i = 0; i < CHUNK_COUNT; i++) {
        chunk[i].index = (uint32_t)(self->chunk_count * CHUNK_COUNT + i);
        TAILQ_INSERT_TAIL(&self->free, &chunk[i], in_list);
    }
    self->chunks[self->chunk_count++] = chunk;
}

flight_t *flights_add(flights_t *self, uint64_t caller, const char *id, size_t id_size)
{
    assert(id_size <= FLIGHT_ID_LIMIT);
    if (TAILQ_EMPTY(&self->free))
        add_chunk(self);
    flight_t *flight = TAILQ_FIRST(&self->free);
    TAILQ_REMOVE(&self->free, flight, in_list);
    flight->state = FLIGHT_WAITING;
    flight->generation++;
    flight->attempts = 0;
    flight->caller = caller;
    flight->worker = NULL;
    flight->due = 0;
    flight->id_size = (uint8_t)id_size;
    memcpy(flight->id, id, id_size);
    flight->key = key_of(self, caller, id, id_size);
    map_put(&self->by_key, flight->key, flight);
    self->live_count++;
    return flight;
}

/* ---- timers -------------------------------------------------------------------------------- */

static flight_list_t *wheel_list(flights_t *self, int64_t due)
{
    return &self->wheel[(due / FLIGHTS_TICK_MS) % WHEEL_SIZE];
}

void flights_set_timer(flights_t *self, flight_t *flight, int64_t due)
{
    if (flight->due) {
        TAILQ_REMOVE(wheel_list(self, flight->due), flight, in_wheel);
        self->timer_count--;
    }
    flight->due = due;
    if (!due)
        return;
    if (self->timer_count++ == 0 || due / FLIGHTS_TICK_MS < self->tick)
        self->tick = due / FLIGHTS_TICK_MS;
    TAILQ_INSERT_TAIL(wheel_list(self, due), flight, in_wheel);
}

static flight_t *due_in(const flights_t *self, int64_t tick, int64_t now)
{
    flight_t *flight;
    TAILQ_FOREACH(flight, &self->wheel[tick % WHEEL_SIZE], in_wheel)
    {
        if (flight->due <= now)
            break;
    }
    return flight;
}

flight_t *flights_next_due(flights_t *self, int64_t now)
{
    for (; self->timer_count && self->tick <= now / FLIGHTS_TICK_MS; self->tick++) {
        flight_t *flight = due_in(self, self->tick, now);
        if (flight) {
            flights_set_timer(self, flight, 0);
            return flight;
        }
        if (self->tick == now / FLIGHTS_TICK_MS)
            return NULL; /* the rest of this tick is still to come */
    }
    return NULL;
}

bool flights_has_timers(const flights_t *self)
{
    return self->timer_count > 0;
}

/* ---- ends ---------------------------------------------------------------------------------- */

uint64_t flight_token(const flight_t *flight)
{
    return (uint64_t)flight->generation << 32 | flight->index;
}

flight_t *flights_by_token(flights_t *self, uint64_t token)
{
    size_t index = token & UINT32_MAX;
    if (index >= self->chunk_count * CHUNK_COUNT)
        return NULL;
    flight_t *flight = &self->chunks[index / CHUNK_COUNT][index % CHUNK_COUNT];
    bool is_live = flight->state == FLIGHT_WAITING || flight->state == FLIGHT_ASSIGNED
                   || flight->state == FLIGHT_EXPIRED;
    return is_live && flight->generation == token >> 32 ? flight : NULL;
}

static void forget(flights_t *self, flight_t *flight)
{
    if (map_get(&self->by_key, flight->key) == flight)
        map_remove(&self->by_key, flight->key);
    drop_content(flight);
    if (flight->reply_capacity > REPLY_KEPT) {
        free(flight->reply);
        flight->reply = NULL;
        flight->reply_capacity = 0;
    }
    flight->state = FLIGHT_FREE;
    TAILQ_INSERT_HEAD(&self->free, flight, in_list);
}

static void uncache_oldest(flights_t *self)
{
    flight_t *oldest = TAILQ_FIRST(&self->cache);
    TAILQ_REMOVE(&self->cache, oldest, in_list);
    self->cache_count--;
    self->cache_bytes -= oldest->reply_size;
    forget(self, oldest);
}

/* Copied: a message from a socket may be a slice of a larger buffer, which keeping it would keep.
 */
static void keep_reply(flights_t *self, flight_t *flight, zmq_msg_t *reply)
{
    size_t size = zmq_msg_size(reply);
    if (size > flight->reply_capacity) {
        free(flight->reply);
        flight->reply = mem_check(malloc(size));
        flight->reply_capacity = size;
    }
    memcpy(flight->reply, zmq_msg_data(reply), size);
    flight->reply_size = size;
    self->cache_bytes += size;
}

void flights_end(flights_t *self, flight_t *flight, zmq_msg_t *reply, int64_t now)
{
    flights_set_timer(self, flight, 0);
    drop_content(flight);
    flight->worker = NULL;
    self->live_count--;
    if (!reply || zmq_msg_size(reply) > self->config.cache_bytes) {
        forget(self, flight);
        return;
    }
    keep_reply(self, flight, reply);
    flight->state = FLIGHT_ANSWERED;
    flight->started = now;
    TAILQ_INSERT_TAIL(&self->cache, flight, in_list);
    self->cache_count++;
    while (self->cache_count > self->config.cache_count
           || self->cache_bytes > self->config.cache_bytes)
        uncache_oldest(self);
}

void flights_trim(flights_t *self, int64_t now)
{
    while (self->cache_count && TAILQ_FIRST(&self->cache)->started + self->config.cache_ms <= now)
        uncache_oldest(self);
}

size_t flights_cached(const flights_t *self)
{
    return self->cache_count;
}

size_t flights_live(const flights_t *self)
{
    return self->live_count;
}
