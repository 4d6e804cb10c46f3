/* histogram - how often which duration was seen, in buckets whose width grows with their value: 64
 * in each doubling, so that a quantile is at most 1.6 % too high. The shape of HdrHistogram. */
#ifndef LOADGEN_HISTOGRAM_H
#define LOADGEN_HISTOGRAM_H

#include <stddef.h>
#include <stdint.h>

enum { HISTOGRAM_BITS = 6, HISTOGRAM_BUCKETS = (40 - HISTOGRAM_BITS + 1) << HISTOGRAM_BITS };

typedef struct histogram {
    uint64_t count;
    uint64_t max;
    double sum;
    double sum_of_squares;
    uint64_t buckets[HISTOGRAM_BUCKETS];
} histogram_t;

void histogram_clear(histogram_t *self);

/* Values of 2^40 and more are noted as the largest that can be. */
void histogram_note(histogram_t *self, uint64_t value);

/* The value that a share (0 to 1) of all values do not exceed; 0 if there are none; never more than
 * the largest value noted. */
uint64_t histogram_quantile(const histogram_t *self, double share);

double histogram_mean(const histogram_t *self);
double histogram_deviation(const histogram_t *self);

#endif
