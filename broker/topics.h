/* topics - numbers the events of each topic, and keeps the last event of those that are states.
 *
 * Bounded: beyond the limit the topic that was quiet longest is forgotten; its numbers then begin
 * anew, which a subscriber takes for a restart and not for a loss. */
#ifndef BROKER_TOPICS_H
#define BROKER_TOPICS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct topics topics_t;

typedef void(topics_each_fn)(void *arg, const void *event, size_t size);

topics_t *topics_new(uint16_t run, size_t limit, uint64_t seed);
void topics_destroy(topics_t **self_p);

/* The length of the topic in an event frame, or 0 if it is not one (a topic of 1 to 255 bytes
 * without control characters, NUL, 8 bytes, an envelope). */
size_t topics_parse(const void *event, size_t size);

/* Writes the next number of the topic into the frame, and keeps a copy if it is a state. Returns
 * the number. */
uint64_t topics_stamp(topics_t *self, void *event, size_t size, size_t topic_size);

/* Calls fn for the last event of each state topic that begins with prefix, oldest event first. */
void topics_each_last(topics_t *self, const char *prefix, topics_each_fn *fn, void *arg);

size_t topics_count(const topics_t *self);

#endif
