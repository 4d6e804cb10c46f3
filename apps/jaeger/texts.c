#include "apps/jaeger/texts.h"

#include "base/auto.h"
#include "base/mem.h"

#include <assert.h>
#include <stdint.h>

enum { BUCKET_COUNT = 1024 }; /* a power of two */

typedef struct entry {
    struct entry *next;
    size_t holders;
    char text[];
} entry_t;

struct texts {
    entry_t *buckets[BUCKET_COUNT];
    size_t count;
};

/* FNV-1a: http://www.isthe.com/chongo/tech/comp/fnv/ */
static size_t bucket_of(const char *text)
{
    uint64_t hash = 0xcbf29ce484222325ULL;
    for (; *text; text++)
        hash = (hash ^ (unsigned char)*text) * 0x100000001b3ULL;
    return (size_t)(hash % BUCKET_COUNT);
}

static entry_t **find(texts_t *self, const char *text)
{
    entry_t **link = &self->buckets[bucket_of(text)];
    while (*link && strcmp((*link)->text, text) != 0)
        link = &(*link)->next;
    return link;
}

const char *texts_take(texts_t *self, const char *text)
{
    entry_t **link = find(self, text);
    if (!*link) {
        size_t size = strlen(text) + 1;
        *link = xcalloc(1, sizeof(entry_t) + size);
        memcpy((*link)->text, text, size);
        self->count++;
    }
    (*link)->holders++;
    return (*link)->text;
}

void texts_give_back(texts_t *self, const char *text)
{
    entry_t **link = find(self, text);
    entry_t *entry = *link;
    assert(entry && entry->text == text);
    if (--entry->holders > 0)
        return;
    *link = entry->next;
    free(entry);
    self->count--;
}

size_t texts_count(const texts_t *self)
{
    return self->count;
}

texts_t *texts_new(void)
{
    return xcalloc(1, sizeof(texts_t));
}

void texts_destroy(texts_t **self_p)
{
    texts_t *self = *self_p;
    if (!self)
        return;
    assert(self->count == 0);
    free(self);
    *self_p = NULL;
}
