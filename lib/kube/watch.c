/* A watch is a list and then a stream of changes from the list's version on, again and again: when
 * the stream ends it is taken up at the last version seen, and when the server no longer knows that
 * version (410) the list is read anew and told as differences. */
#include "kube/kube_internal.h"

#include "base/auto.h"
#include "base/mem.h"

enum { RETRY_MIN_MS = 50, RETRY_MAX_MS = 5000, LINE_LIMIT = 64 << 20 };

struct kube_watch {
    kube_t *kube; /* borrowed */
    char *path;   /* of the collection, with selectors */
    kube_watch_fn *on_change;
    void *arg;
    json_t *objects; /* by "namespace/name" */
    char *version;   /* NULL: to be listed */
    int operation_id;
    int timer_id;
    int64_t retry_ms;
    char *line;
    size_t line_size;
    size_t line_capacity;
    int depth; /* of our frames on the stack */
    bool is_ended;
    bool is_lost;
};

static void watch_free(kube_watch_t *self)
{
    json_decref(self->objects);
    free(self->path);
    free(self->version);
    free(self->line);
    free(self);
}

static void enter(kube_watch_t *self)
{
    self->depth++;
}

static void leave(kube_watch_t *self)
{
    if (--self->depth == 0 && self->is_ended)
        watch_free(self);
}

static void tell(kube_watch_t *self, kube_change_t change, json_t *object)
{
    if (!self->is_ended)
        self->on_change(self->arg, change, object);
}

static const char *metadata_string(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(json_object_get(object, "metadata"), key));
    return text ? text : "";
}

static void set_version(kube_watch_t *self, const json_t *object)
{
    const char *version = metadata_string(object, "resourceVersion");
    if (*version) {
        free(self->version);
        self->version = xstrdup(version);
    }
}

static char *key_of(const json_t *object)
{
    return xasprintf(
        "%s/%s", metadata_string(object, "namespace"), metadata_string(object, "name"));
}

static void keep(kube_watch_t *self, json_t *object)
{
    AUTO_FREE char *key = key_of(object);
    const json_t *known = json_object_get(self->objects, key);
    if (known
        && strcmp(metadata_string(known, "resourceVersion"),
               metadata_string(object, "resourceVersion"))
               == 0)
        return;
    (void)json_object_set(self->objects, key, object);
    tell(self, known ? KUBE_MODIFIED : KUBE_ADDED, object);
}

static void forget(kube_watch_t *self, json_t *object)
{
    AUTO_FREE char *key = key_of(object);
    if (json_object_get(self->objects, key)) {
        (void)json_object_del(self->objects, key);
        tell(self, KUBE_DELETED, object);
    }
}

/* ---- listing ------------------------------------------------------------------------------ */

static void reconnect(kube_watch_t *self);

static void on_retry(void *arg)
{
    kube_watch_t *self = arg;
    self->timer_id = 0;
    reconnect(self);
}

static void retry(kube_watch_t *self, bool is_failure)
{
    if (self->is_ended)
        return;
    if (is_failure && !self->is_lost) {
        self->is_lost = true;
        tell(self, KUBE_LOST, NULL);
    }
    if (self->is_ended)
        return;
    int64_t delay_ms = is_failure ? self->retry_ms : 0;
    if (is_failure)
        self->retry_ms = self->retry_ms < RETRY_MAX_MS / 2 ? 2 * self->retry_ms : RETRY_MAX_MS;
    self->timer_id = ev_after(kube_ev(self->kube), delay_ms, on_retry, self);
}

/* Items of a list lack the kind, which the list names: "PodList". */
static void name_kind(json_t *item, const json_t *list)
{
    const char *kind = json_string_value(json_object_get(list, "kind"));
    size_t length = kind ? strlen(kind) : 0;
    if (json_object_get(item, "kind") || length < 4)
        return;
    (void)json_object_set_new(item, "kind", json_stringn(kind, length - 4));
    (void)json_object_set(item, "apiVersion", json_object_get(list, "apiVersion"));
}

static void take_list(kube_watch_t *self, json_t *list)
{
    json_auto_t *missing = json_copy(self->objects);
    size_t i = 0;
    json_t *item = NULL;
    json_array_foreach(json_object_get(list, "items"), i, item)
    {
        name_kind(item, list);
        AUTO_FREE char *key = key_of(item);
        (void)json_object_del(missing, key);
        keep(self, item);
    }
    const char *key = NULL;
    json_object_foreach(missing, key, item)
    {
        forget(self, item);
    }
    set_version(self, list);
    self->is_lost = false;
    tell(self, KUBE_SYNCED, NULL);
}

static void on_list(void *arg, const kube_answer_t *answer)
{
    kube_watch_t *self = arg;
    self->operation_id = 0;
    enter(self);
    if (answer->err) {
        retry(self, true);
    } else {
        self->retry_ms = RETRY_MIN_MS;
        take_list(self, answer->object);
        if (!self->is_ended)
            reconnect(self);
    }
    leave(self);
}

/* ---- following ---------------------------------------------------------------------------- */

static void take_change(kube_watch_t *self, const json_t *change)
{
    const char *type = json_string_value(json_object_get(change, "type"));
    json_t *object = json_object_get(change, "object");
    if (!type || !object)
        return;
    if (strcmp(type, "ERROR") == 0) {
        free(self->version);
        self->version = NULL; /* whatever it is, a new list mends it */
        return;
    }
    set_version(self, object);
    self->retry_ms = RETRY_MIN_MS;
    self->is_lost = false;
    if (strcmp(type, "DELETED") == 0)
        forget(self, object);
    else if (strcmp(type, "BOOKMARK") != 0)
        keep(self, object);
}

static void take_line(kube_watch_t *self)
{
    json_auto_t *change = json_loadb(self->line, self->line_size, 0, NULL);
    self->line_size = 0;
    if (change)
        take_change(self, change);
}

static void append(kube_watch_t *self, const char *bytes, size_t size)
{
    if (self->line_size + size > LINE_LIMIT)
        return; /* cut, it will not parse; the next list mends it */
    if (self->line_size + size > self->line_capacity) {
        self->line_capacity = 2 * (self->line_size + size);
        self->line = mem_check(realloc(self->line, self->line_capacity));
    }
    memcpy(self->line + self->line_size, bytes, size);
    self->line_size += size;
}

static void on_bytes(void *arg, const char *bytes, size_t size)
{
    kube_watch_t *self = arg;
    enter(self);
    while (size && !self->is_ended) {
        const char *end = memchr(bytes, '\n', size);
        size_t taken = end ? (size_t)(end - bytes) + 1 : size;
        append(self, bytes, taken);
        if (end)
            take_line(self);
        bytes += taken;
        size -= taken;
    }
    leave(self);
}

static void on_stream_end(void *arg, const kube_answer_t *answer)
{
    kube_watch_t *self = arg;
    self->operation_id = 0;
    self->line_size = 0;
    enter(self);
    if (answer->err && answer->err->code == ERR_STATE) {
        free(self->version);
        self->version = NULL;
        retry(self, false);
    } else {
        retry(self, answer->err != NULL);
    }
    leave(self);
}

static void reconnect(kube_watch_t *self)
{
    if (!self->version) {
        self->operation_id =
            kube_send(self->kube, kube_raw("GET", self->path, NULL, NULL), on_list, self);
        return;
    }
    AUTO_FREE char *path = xasprintf("%s%swatch=true&allowWatchBookmarks=true&resourceVersion=%s",
        self->path, strchr(self->path, '?')[1] ? "&" : "", self->version);
    self->operation_id =
        kube_stream(self->kube, kube_raw("GET", path, NULL, NULL), on_bytes, on_stream_end, self);
}

kube_watch_t *kube_watch(kube_t *self, kube_ref_t ref, const char *labels, const char *fields,
    kube_watch_fn *on_change, void *arg)
{
    AUTO_FREE char *selectors = kube_selectors(ref.name, labels, fields);
    ref.name = NULL;
    AUTO_FREE char *collection = kube_path(ref, NULL);
    kube_watch_t *watch = xcalloc(1, sizeof(*watch));
    watch->kube = self;
    watch->path = xasprintf("%s%s", collection ? collection : "/unknown-kind", selectors);
    watch->on_change = on_change;
    watch->arg = arg;
    watch->objects = json_object();
    watch->retry_ms = RETRY_MIN_MS;
    reconnect(watch);
    return watch;
}

void kube_watch_end(kube_watch_t **watch_p)
{
    kube_watch_t *self = *watch_p;
    *watch_p = NULL;
    if (!self || self->is_ended)
        return;
    self->is_ended = true;
    kube_cancel(self->kube, self->operation_id);
    ev_cancel(kube_ev(self->kube), self->timer_id);
    if (!self->depth)
        watch_free(self);
}

const json_t *kube_watch_objects(const kube_watch_t *watch)
{
    return watch->objects;
}
