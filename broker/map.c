#include "broker/map.h"

#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

enum { FIRST_CAPACITY = 64 };

void map_init(map_t *self)
{
    *self = (map_t){
        .entries = xcalloc(FIRST_CAPACITY, sizeof(*self->entries)), .mask = FIRST_CAPACITY - 1};
}

void map_done(map_t *self)
{
    free(self->entries);
    *self = (map_t){0};
}

static uint64_t mix(uint64_t a, uint64_t b)
{
    __extension__ typedef unsigned __int128 wide_t;
    wide_t product = (wide_t)a * b;
    return (uint64_t)product ^ (uint64_t)(product >> 64);
}

uint64_t map_hash(uint64_t seed, const void *bytes, size_t size)
{
    const uint8_t *at = bytes;
    uint64_t hash = seed ^ (size * 0x9e3779b97f4a7c15ULL);
    for (; size >= 8; size -= 8, at += 8) {
        uint64_t word;
        memcpy(&word, at, 8);
        hash = mix(hash ^ word, seed | 0xa0761d6478bd642fULL);
    }
    uint64_t rest = 0;
    memcpy(&rest, at, size);
    return mix(hash ^ rest ^ 0xe7037ed1a0b428dbULL, seed | 0x8ebc6af09c88c6e3ULL);
}

static size_t place_of(const map_t *self, uint64_t key)
{
    return mix(key, 0x9e3779b97f4a7c15ULL) & self->mask;
}

/* Where key is, or the free place where it would be put. */
static size_t find(const map_t *self, uint64_t key)
{
    size_t i = place_of(self, key);
    while (self->entries[i].value && self->entries[i].key != key)
        i = (i + 1) & self->mask;
    return i;
}

void *map_get(const map_t *self, uint64_t key)
{
    return self->entries[find(self, key)].value;
}

static void grow(map_t *self)
{
    map_t old = *self;
    self->mask = 2 * old.mask + 1;
    self->entries = xcalloc(self->mask + 1, sizeof(*self->entries));
    for (size_t i = 0; i <= old.mask; i++) {
        if (old.entries[i].value)
            self->entries[find(self, old.entries[i].key)] = old.entries[i];
    }
    free(old.entries);
}

void map_put(map_t *self, uint64_t key, void *value)
{
    if (2 * self->count > self->mask)
        grow(self);
    map_entry_t *entry = &self->entries[find(self, key)];
    self->count += entry->value ? 0 : 1;
    *entry = (map_entry_t){.key = key, .value = value};
}

/* Whoever stands behind the gap and could not stand in its own place moves up (Knuth 6.4, R). */
static void close_gap(map_t *self, size_t gap)
{
    for (size_t i = (gap + 1) & self->mask; self->entries[i].value; i = (i + 1) & self->mask) {
        size_t home = place_of(self, self->entries[i].key);
        if (((i - home) & self->mask) < ((i - gap) & self->mask))
            continue;
        self->entries[gap] = self->entries[i];
        self->entries[i].value = NULL;
        gap = i;
    }
}

void map_remove(map_t *self, uint64_t key)
{
    size_t i = find(self, key);
    if (!self->entries[i].value)
        return;
    self->entries[i].value = NULL;
    self->count--;
    close_gap(self, i);
}
