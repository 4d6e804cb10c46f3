/* report - what became of the requests, second by second and in all. */
#ifndef LOADGEN_REPORT_H
#define LOADGEN_REPORT_H

#include "apps/loadgen/histogram.h"

#include <stdio.h>

typedef enum {
    OUTCOME_OK,      /* a 2xx or 3xx answer */
    OUTCOME_STATUS,  /* another answer */
    OUTCOME_CONNECT, /* no connection */
    OUTCOME_READ,    /* the connection broke, or what came was not HTTP */
    OUTCOME_TIMEOUT,
    OUTCOME_COUNT
} outcome_t;

typedef struct tally {
    uint64_t sent;
    uint64_t outcomes[OUTCOME_COUNT];
    histogram_t latency_us; /* of answers, from when the request was meant to be sent */
} tally_t;

typedef struct report {
    tally_t second; /* since the last report_second() */
    tally_t all;
    uint64_t bytes;
    uint64_t seconds; /* reported so far */
} report_t;

void report_init(report_t *self);

void report_sent(report_t *self);

/* latency_us counts only for OUTCOME_OK and OUTCOME_STATUS; bytes are of the answer. */
void report_ended(report_t *self, outcome_t outcome, uint64_t latency_us, size_t bytes);

/* Writes {"second": 7, "sent": 100, "ok": 99, "errors": 1, "p50_ms": ..., "final": false} about
 * what was since the last one, in one line. */
void report_second(report_t *self, FILE *out);

/* Writes wrk2's summary, then the last line of JSON, about all, with "unsent": how many were due
 * and found no free connection. */
void report_final(const report_t *self, double seconds, uint64_t unsent, FILE *out);

#endif
