#include "broker/topics.h"

#include "base/mem.h"
#include "broker/map.h"
#include "bus/topic.h"

#include <endian.h>
#include <sys/queue.h>

enum { TOPIC_LIMIT = 255, NUMBER_BITS = 48, NUMBER_SIZE = 8 };

typedef struct topic {
    TAILQ_ENTRY(topic) in_order;
    uint64_t key;
    uint64_t number;
    bool is_state;
    uint8_t *last; /* the last event's frame, if a state */
    size_t last_size;
    size_t name_size;
    char name[];
} topic_t;

TAILQ_HEAD(topic_list, topic);

struct topics {
    uint64_t run; /* in place, above the number */
    uint64_t seed;
    size_t limit;
    map_t by_name;
    struct topic_list order; /* the one published to last is last */
};

topics_t *topics_new(uint16_t run, size_t limit, uint64_t seed)
{
    topics_t *self = xcalloc(1, sizeof(*self));
    self->run = (uint64_t)run << NUMBER_BITS;
    self->seed = seed;
    self->limit = limit;
    map_init(&self->by_name);
    TAILQ_INIT(&self->order);
    return self;
}

static void forget(topics_t *self, topic_t *topic)
{
    map_remove(&self->by_name, topic->key);
    TAILQ_REMOVE(&self->order, topic, in_order);
    free(topic->last);
    free(topic);
}

void topics_destroy(topics_t **self_p)
{
    topics_t *self = *self_p;
    if (!self)
        return;
    while (!TAILQ_EMPTY(&self->order))
        forget(self, TAILQ_FIRST(&self->order));
    map_done(&self->by_name);
    free(self);
    *self_p = NULL;
}

size_t topics_parse(const void *event, size_t size)
{
    const uint8_t *at = event;
    const uint8_t *end = memchr(at, '\0', size < TOPIC_LIMIT + 1 ? size : TOPIC_LIMIT + 1);
    size_t topic_size = end ? (size_t)(end - at) : 0;
    if (!topic_size || size <= topic_size + 1 + NUMBER_SIZE)
        return 0;
    for (size_t i = 0; i < topic_size; i++) {
        if (at[i] < ' ' || at[i] == 0x7f)
            return 0;
    }
    return topic_size;
}

static topic_t *topic_add(topics_t *self, uint64_t key, const void *name, size_t name_size)
{
    if (self->by_name.count >= self->limit)
        forget(self, TAILQ_FIRST(&self->order));
    topic_t *topic = xcalloc(1, sizeof(*topic) + name_size + 1);
    topic->key = key;
    topic->name_size = name_size;
    memcpy(topic->name, name, name_size);
    topic->is_state = topic_is_state(topic->name);
    map_put(&self->by_name, key, topic);
    TAILQ_INSERT_TAIL(&self->order, topic, in_order);
    return topic;
}

static topic_t *topic_get(topics_t *self, const void *name, size_t name_size)
{
    uint64_t key = map_hash(self->seed, name, name_size);
    topic_t *topic = map_get(&self->by_name, key);
    if (topic && (topic->name_size != name_size || memcmp(topic->name, name, name_size) != 0)) {
        forget(self, topic); /* two names with one hash: once in 2^64 */
        topic = NULL;
    }
    return topic ? topic : topic_add(self, key, name, name_size);
}

static void keep_last(topic_t *topic, const void *event, size_t size)
{
    topic->last = mem_check(realloc(topic->last, size));
    memcpy(topic->last, event, size);
    topic->last_size = size;
}

uint64_t topics_stamp(topics_t *self, void *event, size_t size, size_t topic_size)
{
    topic_t *topic = topic_get(self, event, topic_size);
    if (TAILQ_NEXT(topic, in_order)) {
        TAILQ_REMOVE(&self->order, topic, in_order);
        TAILQ_INSERT_TAIL(&self->order, topic, in_order);
    }
    uint64_t number = htobe64(self->run | ++topic->number);
    memcpy((uint8_t *)event + topic_size + 1, &number, NUMBER_SIZE);
    if (topic->is_state)
        keep_last(topic, event, size);
    return topic->number;
}

void topics_each_last(topics_t *self, const char *prefix, topics_each_fn *fn, void *arg)
{
    topic_t *topic;
    TAILQ_FOREACH(topic, &self->order, in_order)
    {
        if (topic->last && strncmp(topic->name, prefix, strlen(prefix)) == 0)
            fn(arg, topic->last, topic->last_size);
    }
}

size_t topics_count(const topics_t *self)
{
    return self->by_name.count;
}
