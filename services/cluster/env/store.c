/* Collections, history and watches; what writes to them is in store_write.c.
 *
 * A collection is a sorted array: lists come out in the order of a real server, a lookup is a
 * binary search, and moving pointers for an insertion is cheap at the sizes an environment has. */
#include "services/cluster/env/store_internal.h"

#include "base/mem.h"

#include <assert.h>

struct store_watch {
    store_t *store;     /* borrowed */
    const kind_t *kind; /* NULL: all */
    store_watch_fn *fn; /* NULL once ended */
    void *arg;
    uint64_t since; /* changes after this one are told */
    store_watch_t *next;
};

/* ---- collections -------------------------------------------------------------------------- */

size_t store_find(
    const collection_t *self, const char *namespace, const char *name, bool *is_there_p)
{
    size_t low = 0;
    size_t high = self->count;
    *is_there_p = false;
    while (low < high) {
        size_t middle = (low + high) / 2;
        int order = strcmp(self->versions[middle]->namespace, namespace);
        if (!order)
            order = strcmp(self->versions[middle]->name, name);
        if (!order) {
            *is_there_p = true;
            return middle;
        }
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static void collection_insert(collection_t *self, size_t at, version_t *version)
{
    if (self->count == self->capacity) {
        self->capacity = self->capacity ? 2 * self->capacity : 16;
        self->versions =
            mem_check(reallocarray(self->versions, self->capacity, sizeof(version_t *)));
    }
    memmove(self->versions + at + 1, self->versions + at, (self->count - at) * sizeof(version_t *));
    self->versions[at] = version;
    self->count++;
}

static void collection_remove(collection_t *self, size_t at)
{
    self->count--;
    memmove(self->versions + at, self->versions + at + 1, (self->count - at) * sizeof(version_t *));
}

void collection_done(collection_t *self)
{
    for (size_t i = 0; i < self->count; i++)
        version_unref(&self->versions[i]);
    free(self->versions);
}

/* ---- watches ------------------------------------------------------------------------------ */

static void tell_one(store_t *self, const store_event_t *event)
{
    for (store_watch_t *watch = self->watches; watch; watch = watch->next) {
        if (watch->fn && watch->since < event->number
            && (!watch->kind || watch->kind == event->kind))
            watch->fn(watch->arg, event->change, event->kind, event->version->object,
                event->old ? event->old->object : NULL);
    }
}

static void free_ended(store_t *self)
{
    for (store_watch_t **link = &self->watches; *link;) {
        store_watch_t *watch = *link;
        if (watch->fn) {
            link = &watch->next;
        } else {
            *link = watch->next;
            free(watch);
        }
    }
}

/* Tells what has happened until now; what the watchers do meanwhile is told in the next turn. */
static void on_tell(void *arg)
{
    store_t *self = arg;
    uint64_t until = self->number;
    self->tell_timer = 0;
    while (self->told < until) {
        store_event_t event = self->history[++self->told % self->history_capacity];
        version_ref(event.version); /* the history may move on under a busy watcher */
        version_ref(event.old);
        tell_one(self, &event);
        version_unref(&event.version);
        version_unref(&event.old);
    }
    free_ended(self);
    if (self->told < self->number && !self->tell_timer)
        self->tell_timer = ev_after(self->ev, 0, on_tell, self);
}

store_watch_t *store_watch(store_t *self, const kind_t *kind, store_watch_fn *fn, void *arg)
{
    store_watch_t *watch = xcalloc(1, sizeof(*watch));
    *watch =
        (store_watch_t){.store = self, .kind = kind, .fn = fn, .arg = arg, .since = self->number};
    store_watch_t **link = &self->watches;
    while (*link)
        link = &(*link)->next;
    *link = watch;
    return watch;
}

void store_watch_end(store_watch_t **watch_p)
{
    store_watch_t *watch = *watch_p;
    *watch_p = NULL;
    if (!watch)
        return;
    watch->fn = NULL;
    if (!watch->store->tell_timer)
        watch->store->tell_timer = ev_after(watch->store->ev, 0, on_tell, watch->store);
}

/* ---- history ------------------------------------------------------------------------------ */

static void event_done(store_event_t *event)
{
    version_unref(&event->version);
    version_unref(&event->old);
}

static store_event_t *event_at(const store_t *self, uint64_t number)
{
    return &self->history[number % self->history_capacity];
}

/* Forgets what is older than the history is long, but nothing that the watchers do not know. */
static void trim_history(store_t *self)
{
    while (self->number - self->oldest > HISTORY_SIZE && self->oldest < self->told)
        event_done(event_at(self, ++self->oldest));
}

static void grow_history(store_t *self)
{
    store_event_t *old = self->history;
    size_t old_capacity = self->history_capacity;
    self->history_capacity = 2 * old_capacity;
    self->history = xcalloc(self->history_capacity, sizeof(store_event_t));
    for (uint64_t n = self->oldest + 1; n <= self->number; n++)
        *event_at(self, n) = old[n % old_capacity];
    free(old);
}

static store_event_t *next_event(store_t *self)
{
    trim_history(self);
    if (self->number + 1 - self->oldest >= self->history_capacity)
        grow_history(self);
    return event_at(self, ++self->number);
}

version_t *store_commit(store_t *self, store_change_t change, const kind_t *kind, json_t *object)
{
    char number[24];
    store_event_t *event = next_event(self);
    snprintf(number, sizeof(number), "%llu", (unsigned long long)self->number);
    json_object_set_new(
        json_object_get(object, "metadata"), "resourceVersion", json_string(number));
    version_t *version = version_new(object, self->number);
    *event =
        (store_event_t){.number = self->number, .change = change, .kind = kind, .version = version};
    collection_t *collection = store_collection(self, kind);
    bool is_there;
    size_t at = store_find(collection, version->namespace, version->name, &is_there);
    assert(is_there == (change != STORE_ADDED));
    if (is_there)
        event->old = collection->versions[at];
    if (change == STORE_ADDED)
        collection_insert(collection, at, version_ref(version));
    else if (change == STORE_MODIFIED)
        collection->versions[at] = version_ref(version);
    else
        collection_remove(collection, at);
    if (kind_is(kind, "CustomResourceDefinition"))
        store_note_definition(self, change, object);
    if (!self->tell_timer)
        self->tell_timer = ev_after(self->ev, 0, on_tell, self);
    return version;
}

const store_event_t *store_event_after(const store_t *self, uint64_t number)
{
    return number < self->number ? event_at(self, number + 1) : NULL;
}

uint64_t store_oldest(const store_t *self)
{
    return self->oldest;
}

uint64_t store_version(const store_t *self)
{
    return self->number;
}

/* ---- reading ------------------------------------------------------------------------------ */

version_t *store_version_of(
    store_t *self, const kind_t *kind, const char *namespace, const char *name)
{
    const collection_t *collection = store_collection(self, kind);
    bool is_there;
    size_t at =
        store_find(collection, kind->is_namespaced && namespace ? namespace : "", name, &is_there);
    return is_there ? collection->versions[at] : NULL;
}

json_t *store_get(store_t *self, const kind_t *kind, const char *namespace, const char *name)
{
    const version_t *version = store_version_of(self, kind, namespace, name);
    return version ? version->object : NULL;
}

version_t **store_versions(
    store_t *self, const kind_t *kind, const char *namespace, size_t *count_p)
{
    const collection_t *collection = store_collection(self, kind);
    bool is_there;
    bool is_everywhere = !namespace || !kind->is_namespaced;
    size_t first = is_everywhere ? 0 : store_find(collection, namespace, "", &is_there);
    version_t *const *found = collection->count ? collection->versions + first : NULL;
    size_t count = 0;
    while (first + count < collection->count
           && (is_everywhere || !strcmp(found[count]->namespace, namespace)))
        count++;
    version_t **versions = xcalloc(count + 1, sizeof(version_t *));
    for (size_t i = 0; i < count; i++)
        versions[i] = version_ref(found[i]);
    *count_p = count;
    return versions;
}

void store_versions_free(version_t **versions, size_t count)
{
    for (size_t i = 0; i < count; i++)
        version_unref(&versions[i]);
    free(versions);
}

void store_each(store_t *self, const kind_t *kind, const char *namespace,
    void (*fn)(void *arg, json_t *object), void *arg)
{
    size_t count;
    uint64_t number = self->number;
    version_t **versions = store_versions(self, kind, namespace, &count);
    for (size_t i = 0; i < count; i++) {
        json_t *object = versions[i]->object;
        if (number != self->number) /* fn has changed something, maybe this one */
            object = store_get(self, kind, versions[i]->namespace, versions[i]->name);
        if (object)
            fn(arg, object);
    }
    store_versions_free(versions, count);
}

/* ---- life cycle --------------------------------------------------------------------------- */

store_t *store_new(ev_t *ev, uint64_t seed)
{
    store_t *self = xcalloc(1, sizeof(*self));
    self->ev = ev;
    random_init(&self->random, seed);
    self->history_capacity = HISTORY_SIZE + 1;
    self->history = xcalloc(self->history_capacity, sizeof(store_event_t));
    while (kind_at(self->collection_count))
        self->collection_count++;
    self->collections = xcalloc(self->collection_count, sizeof(collection_t));
    return self;
}

void store_destroy(store_t **self_p)
{
    store_t *self = *self_p;
    *self_p = NULL;
    if (!self)
        return;
    ev_cancel(self->ev, self->tell_timer);
    for (size_t i = 0; i < self->history_capacity; i++)
        event_done(&self->history[i]);
    free(self->history);
    for (size_t i = 0; i < self->collection_count; i++)
        collection_done(&self->collections[i]);
    free(self->collections);
    store_customs_done(self);
    while (self->watches) {
        store_watch_t *watch = self->watches;
        self->watches = watch->next;
        free(watch);
    }
    free(self);
}
