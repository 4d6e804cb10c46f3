#include "apps/loadgen/random.h"

/* splitmix64, as its authors advise for seeding. */
static uint64_t split(uint64_t *counter)
{
    uint64_t z = *counter += 0x9e3779b97f4a7c15ULL;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
    return z ^ (z >> 31);
}

void random_init(random_t *self, uint64_t seed, uint64_t stream)
{
    uint64_t counter = seed;
    counter = split(&counter) ^ stream * 0xd1342543de82ef95ULL;
    for (int i = 0; i < 4; i++)
        self->state[i] = split(&counter);
}

static uint64_t rotate(uint64_t x, int bits)
{
    return (x << bits) | (x >> (64 - bits));
}

/* xoshiro256**: Blackman, Vigna: Scrambled linear pseudorandom number generators, 2018. */
uint64_t random_next(random_t *self)
{
    uint64_t *s = self->state;
    uint64_t result = rotate(s[1] * 5, 7) * 9;
    uint64_t t = s[1] << 17;
    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= t;
    s[3] = rotate(s[3], 45);
    return result;
}

double random_real(random_t *self)
{
    return (double)(random_next(self) >> 11) * 0x1.0p-53;
}

int random_between(random_t *self, int low, int high)
{
    return low + (int)(random_real(self) * (high - low + 1));
}
