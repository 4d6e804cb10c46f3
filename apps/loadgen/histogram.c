#include "apps/loadgen/histogram.h"

#include <math.h>
#include <string.h>

static const uint64_t value_limit = (1ULL << 40) - 1;

void histogram_clear(histogram_t *self)
{
    memset(self, 0, sizeof(*self));
}

/* Values below 128 have a bucket each; above, the six bits after the highest choose it. */
static size_t bucket_of(uint64_t value)
{
    if (value < 1ULL << (HISTOGRAM_BITS + 1))
        return (size_t)value;
    int shift = 63 - __builtin_clzll(value) - HISTOGRAM_BITS;
    return ((size_t)shift << HISTOGRAM_BITS) + (size_t)(value >> shift);
}

/* The largest value of a bucket. */
static uint64_t top_of(size_t bucket)
{
    if (bucket < 1ULL << (HISTOGRAM_BITS + 1))
        return bucket;
    int shift = (int)(bucket >> HISTOGRAM_BITS) - 1;
    uint64_t high = bucket - ((uint64_t)shift << HISTOGRAM_BITS);
    return ((high + 1) << shift) - 1;
}

void histogram_note(histogram_t *self, uint64_t value)
{
    if (value > value_limit)
        value = value_limit;
    self->count++;
    self->sum += (double)value;
    self->sum_of_squares += (double)value * (double)value;
    if (value > self->max)
        self->max = value;
    self->buckets[bucket_of(value)]++;
}

uint64_t histogram_quantile(const histogram_t *self, double share)
{
    uint64_t wanted = (uint64_t)ceil(share * (double)self->count);
    uint64_t seen = 0;
    for (size_t i = 0; i < HISTOGRAM_BUCKETS; i++) {
        seen += self->buckets[i];
        if (seen > 0 && seen >= wanted)
            return top_of(i) < self->max ? top_of(i) : self->max;
    }
    return self->max;
}

double histogram_mean(const histogram_t *self)
{
    return self->count ? self->sum / (double)self->count : 0;
}

double histogram_deviation(const histogram_t *self)
{
    double mean = histogram_mean(self);
    double variance = self->count ? self->sum_of_squares / (double)self->count - mean * mean : 0;
    return variance > 0 ? sqrt(variance) : 0;
}
