/* exposition - reading Prometheus' text format.
 *
 * Source: prometheus.io/docs/instrumenting/exposition_formats, version 0.0.4. Comments, and lines
 * that are no samples, are skipped. Nothing is copied: what a sample points to is in the text. */
#ifndef TELEMETRY_EXPOSITION_H
#define TELEMETRY_EXPOSITION_H

#include <stdbool.h>
#include <stddef.h>

typedef struct exposition {
    const char *at;
    const char *end;
} exposition_t;

typedef struct sample {
    const char *name;
    size_t name_length;
    const char *labels; /* what stands between the braces */
    size_t labels_length;
    double value;
} sample_t;

void exposition_init(exposition_t *self, const char *text, size_t size);

/* The next sample; false at the end. */
bool exposition_next(exposition_t *self, sample_t *sample);

/* Reads the labels one after another: *at begins as 0. Name and value are written cut to their
 * sizes, the value unescaped. False at the end. */
bool exposition_next_label(const char *labels, size_t length, size_t *at, char *name,
    size_t name_size, char *value, size_t value_size);

/* The value of one label, cut to size; "" if it is not there. Returns whether it is. */
bool exposition_label(
    const char *labels, size_t length, const char *name, char *value, size_t value_size);

#endif
