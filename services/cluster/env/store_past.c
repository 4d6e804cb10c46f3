/* What a collection was at an earlier version: the present one with the history's changes undone,
 * the last first. */
#include "services/cluster/env/store_internal.h"

#include "base/mem.h"

#include <assert.h>

static void put(collection_t *self, const store_event_t *event)
{
    bool is_there;
    size_t at = store_find(self, event->old->namespace, event->old->name, &is_there);
    if (is_there) {
        version_unref(&self->versions[at]);
        self->versions[at] = version_ref(event->old);
        return;
    }
    self->versions = mem_check(reallocarray(self->versions, self->count + 2, sizeof(version_t *)));
    memmove(self->versions + at + 1, self->versions + at, (self->count - at) * sizeof(version_t *));
    self->versions[at] = version_ref(event->old);
    self->count++;
}

static void take(collection_t *self, const store_event_t *event)
{
    bool is_there;
    size_t at = store_find(self, event->version->namespace, event->version->name, &is_there);
    if (!is_there)
        return;
    version_unref(&self->versions[at]);
    self->count--;
    memmove(self->versions + at, self->versions + at + 1, (self->count - at) * sizeof(version_t *));
}

version_t **store_versions_at(
    store_t *self, const kind_t *kind, const char *namespace, uint64_t number, size_t *count_p)
{
    collection_t past = {0};
    assert(number >= self->oldest);
    past.versions = store_versions(self, kind, namespace, &past.count);
    for (uint64_t n = self->number; n > number; n--) {
        const store_event_t *event = store_event_after(self, n - 1);
        bool is_wanted = event->kind == kind
                         && (!namespace || !kind->is_namespaced
                             || !strcmp(namespace, event->version->namespace));
        if (is_wanted && event->old)
            put(&past, event);
        else if (is_wanted)
            take(&past, event);
    }
    *count_p = past.count;
    return past.versions;
}
