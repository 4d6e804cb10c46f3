/* map - from 64-bit keys to pointers, by open addressing. The keys are hashes of names, made with a
 * secret seed so that nobody can choose names that collide, or numbers. */
#ifndef BROKER_MAP_H
#define BROKER_MAP_H

#include <stddef.h>
#include <stdint.h>

typedef struct map_entry {
    uint64_t key;
    void *value; /* borrowed; NULL: free */
} map_entry_t;

typedef struct map {
    map_entry_t *entries;
    size_t count;
    size_t mask;
} map_t;

void map_init(map_t *self);
void map_done(map_t *self);

/* The value of key, or NULL. */
void *map_get(const map_t *self, uint64_t key);

/* Adds or replaces; value is not NULL. */
void map_put(map_t *self, uint64_t key, void *value);
void map_remove(map_t *self, uint64_t key);

/* A 64-bit hash that is unpredictable without the seed. */
uint64_t map_hash(uint64_t seed, const void *bytes, size_t size);

#endif
