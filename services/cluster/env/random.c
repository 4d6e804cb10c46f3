/* SplitMix64 (Steele, Lea, Flood 2014): small, and good enough for names. */
#include "services/cluster/env/random.h"

#include <stdio.h>
#include <sys/random.h>

void random_init(random_state_t *self, uint64_t seed)
{
    self->state = seed;
    if (!seed)
        (void)!getrandom(&self->state, sizeof(self->state), 0); /* 8 bytes never come short */
}

uint64_t random_next(random_state_t *self)
{
    uint64_t z = self->state += 0x9e3779b97f4a7c15;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    return z ^ (z >> 31);
}

void random_uuid(random_state_t *self, char text[RANDOM_UUID_SIZE])
{
    uint64_t a = random_next(self);
    uint64_t b = random_next(self);
    snprintf(text, RANDOM_UUID_SIZE, "%08x-%04x-4%03x-%04x-%04x%08x", (unsigned)(a >> 32),
        (unsigned)(a >> 16) & 0xffff, (unsigned)a & 0xfff, ((unsigned)(b >> 48) & 0x3fff) | 0x8000,
        (unsigned)(b >> 32) & 0xffff, (unsigned)b);
}

void random_suffix(random_state_t *self, char text[RANDOM_SUFFIX_SIZE])
{
    static const char alphabet[] = "bcdfghjklmnpqrstvwxz2456789";
    uint64_t bits = random_next(self);
    for (int i = 0; i < RANDOM_SUFFIX_SIZE - 1; i++, bits /= sizeof(alphabet) - 1)
        text[i] = alphabet[bits % (sizeof(alphabet) - 1)];
    text[RANDOM_SUFFIX_SIZE - 1] = 0;
}
