/* Watches: each request reads the store's history at its own pace.
 *
 * A watcher is asked for bytes when its connection can take some. It then walks the history from
 * where it stands, formats what it picks from the texts the versions keep, and sleeps when it has
 * caught up; a change of its kind wakes it. One that falls behind the history gets 410 as its last
 * event, as from a real server. */
#include "services/cluster/env/api/api_internal.h"

#include "services/cluster/env/api/query.h"
#include "services/cluster/env/api/served.h"
#include "services/cluster/env/api/status.h"
#include "services/cluster/env/api/table.h"
#include "services/cluster/env/object.h"

#include "base/auto.h"
#include "base/mem.h"

enum { BATCH_SIZE = 64 << 10, BOOKMARK_MS = 60000, TIMEOUT_DEFAULT_MS = 3600000 };

struct watcher {
    api_t *api; /* borrowed */
    const kind_t *kind;
    const kind_t *served; /* in the version that the client asks for */
    char *namespace;      /* NULL: all */
    char *name;           /* the only name, or NULL */
    query_t query;
    uint64_t at; /* up to here the client knows */
    bool is_table;
    bool has_columns; /* sent already */
    bool wants_bookmarks;
    bool needs_end_mark; /* the bookmark after the initial events */
    char *include;
    stream_t *stream; /* borrowed from the request */
    int timer;        /* the end */
    int bookmark_timer;
    watcher_t *next;
    watcher_t **link;
};

/* ---- events ------------------------------------------------------------------------------- */

static void send_json(watcher_t *self, const char *type, json_t *object)
{
    AUTO_FREE char *text = mem_check(json_dumps(object, JSON_COMPACT));
    buffer_format(&self->stream->pending, "{\"type\":\"%s\",\"object\":%s}\n", type, text);
    json_decref(object);
}

static void send_row(watcher_t *self, const char *type, version_t *version)
{
    json_auto_t *object = served_object(self->served, version->object);
    json_t *table = table_new(self->served,
        json_pack(
            "{s:s}", "resourceVersion", object_string(version->object, "metadata.resourceVersion")),
        !self->has_columns);
    self->has_columns = true;
    table_add(table, self->served, object, self->include);
    send_json(self, type, table);
}

static void send_version(watcher_t *self, const char *type, version_t *version)
{
    if (self->is_table) {
        send_row(self, type, version);
        return;
    }
    buffer_format(&self->stream->pending, "{\"type\":\"%s\",\"object\":", type);
    served_text(&self->stream->pending, self->served, version);
    buffer_add(&self->stream->pending, "}\n", 2);
}

static void send_bookmark(watcher_t *self, bool is_end_mark)
{
    json_t *metadata =
        json_pack("{s:o}", "resourceVersion", json_sprintf("%llu", (unsigned long long)self->at));
    if (is_end_mark)
        json_object_set_new(
            metadata, "annotations", json_pack("{s:s}", "k8s.io/initial-events-end", "true"));
    if (self->is_table)
        send_json(self, "BOOKMARK", table_new(self->served, metadata, false));
    else
        send_json(self, "BOOKMARK",
            json_pack("{s:s, s:s, s:o}", "kind", self->served->name, "apiVersion",
                kind_api_version(self->served), "metadata", metadata));
}

/* What a change means to this watcher: an object that comes to match is ADDED, one that ceases to
 * is DELETED. NULL: nothing. */
static const char *event_type(const watcher_t *self, const store_event_t *event)
{
    bool is_picked =
        event->change != STORE_DELETED && query_picks(&self->query, event->version->object);
    bool was_picked = event->old && query_picks(&self->query, event->old->object);
    if (is_picked)
        return was_picked ? "MODIFIED" : "ADDED";
    return was_picked ? "DELETED" : NULL;
}

static void send_event(watcher_t *self, const store_event_t *event)
{
    if (event->kind != self->kind
        || (self->namespace && strcmp(self->namespace, event->version->namespace) != 0))
        return;
    const char *type = event_type(self, event);
    if (type)
        send_version(self, type, event->version);
}

static void expire(watcher_t *self)
{
    AUTO_FREE char *message = xasprintf("too old resource version: %llu (%llu)",
        (unsigned long long)self->at, (unsigned long long)store_oldest(self->api->store));
    send_json(self, "ERROR", status_new(410, "Expired", message, NULL));
    self->stream->is_ended = true;
}

static void on_room(void *arg)
{
    watcher_t *self = arg;
    const store_event_t *event;
    if (self->at < store_oldest(self->api->store)) {
        expire(self);
        return;
    }
    while (buffer_left(&self->stream->pending) < BATCH_SIZE
           && (event = store_event_after(self->api->store, self->at))) {
        send_event(self, event);
        self->at = event->number;
    }
}

/* ---- life cycle --------------------------------------------------------------------------- */

static void on_closed(void *arg)
{
    watcher_t *self = arg;
    ev_cancel(self->api->ev, self->timer);
    ev_cancel(self->api->ev, self->bookmark_timer);
    *self->link = self->next;
    if (self->next)
        self->next->link = self->link;
    query_done(&self->query);
    free(self->namespace);
    free(self->name);
    free(self->include);
    free(self);
}

static void on_timeout(void *arg)
{
    watcher_t *self = arg;
    self->timer = 0;
    on_room(self); /* what has happened is still told */
    stream_end(self->stream);
}

static void on_bookmark(void *arg)
{
    watcher_t *self = arg;
    self->bookmark_timer = ev_after(self->api->ev, BOOKMARK_MS, on_bookmark, self);
    on_room(self);
    if (!self->stream->is_ended)
        send_bookmark(self, false);
    stream_wake(self->stream);
}

static void send_initial(watcher_t *self)
{
    size_t count;
    version_t **versions = store_versions(self->api->store, self->kind, self->namespace, &count);
    for (size_t i = 0; i < count; i++) {
        if (query_picks(&self->query, versions[i]->object))
            send_version(self, "ADDED", versions[i]);
    }
    store_versions_free(versions, count);
    self->at = store_version(self->api->store);
}

static void set_timers(watcher_t *self, const request_t *request)
{
    const char *seconds = request_query(request, "timeoutSeconds");
    int64_t timeout_ms = seconds ? strtoll(seconds, NULL, 10) * 1000 : 0;
    if (timeout_ms <= 0 || timeout_ms > TIMEOUT_DEFAULT_MS)
        timeout_ms = TIMEOUT_DEFAULT_MS;
    self->timer = ev_after(self->api->ev, timeout_ms, on_timeout, self);
    if (self->wants_bookmarks)
        self->bookmark_timer = ev_after(self->api->ev, BOOKMARK_MS, on_bookmark, self);
}

/* sendInitialEvents has rules of its own; false if the request was answered. */
static bool check_initial_events(request_t *request)
{
    const char *match = request_query(request, "resourceVersionMatch");
    const char *initial = request_query(request, "sendInitialEvents");
    const char *why = NULL;
    if (initial && (!match || strcmp(match, "NotOlderThan") != 0))
        why = "resourceVersionMatch: Forbidden: sendInitialEvents requires setting "
              "resourceVersionMatch to NotOlderThan";
    else if (!initial && match)
        why = "resourceVersionMatch: Forbidden: resourceVersionMatch is forbidden for watch";
    else if (initial && request_flag(request, "sendInitialEvents")
             && !request_flag(request, "allowWatchBookmarks"))
        why = "allowWatchBookmarks: Forbidden: sendInitialEvents requires setting "
              "allowWatchBookmarks to true";
    if (!why)
        return true;
    reply_status(request, 422, "Invalid",
        json_pack("{s:s, s:s}", "group", "meta.k8s.io", "kind", "ListOptions"),
        "ListOptions.meta.k8s.io \"\" is invalid: %s", why);
    return false;
}

/* Where the watch starts; false if the request was answered. */
static bool read_start(watcher_t *self, request_t *request, bool *has_initial_p)
{
    const char *text = request_query(request, "resourceVersion");
    const char *initial = request_query(request, "sendInitialEvents");
    uint64_t wanted = text ? strtoull(text, NULL, 10) : 0;
    uint64_t present = store_version(self->api->store);
    if (text && strspn(text, "0123456789") != strlen(text)) {
        reply_bad_request(request, "invalid resource version \"%s\"", text);
        return false;
    }
    *has_initial_p = initial ? request_flag(request, "sendInitialEvents") : !wanted;
    self->at = wanted ? wanted : present;
    if (wanted > present) {
        reply_status(request, 504, "Timeout", NULL,
            "Timeout: Too large resource version: %llu, current: %llu", (unsigned long long)wanted,
            (unsigned long long)present);
        return false;
    }
    return true;
}

static void add_watcher(watcher_t *self)
{
    self->next = self->api->watchers;
    self->link = &self->api->watchers;
    if (self->next)
        self->next->link = &self->next;
    self->api->watchers = self;
}

void watch_start(api_t *api, request_t *request, const target_t *target)
{
    bool has_initial = false;
    watcher_t *self = xcalloc(1, sizeof(*self));
    self->api = api;
    self->kind = target->kind;
    self->served = target->served;
    self->namespace = target->namespace ? xstrdup(target->namespace) : NULL;
    self->name = target->name ? xstrdup(target->name) : NULL;
    self->is_table = table_is_wanted(request);
    self->wants_bookmarks = request_flag(request, "allowWatchBookmarks");
    const char *include = request_query(request, "includeObject");
    self->include = include ? xstrdup(include) : NULL;
    add_watcher(self);
    if (!query_init(&self->query, request, target) || !check_initial_events(request)
        || !read_start(self, request, &has_initial)) {
        on_closed(self);
        return;
    }
    if (self->name)
        self->query.name = self->name; /* outlives the target */
    self->stream = stream_new(on_room, on_closed, self);
    if (has_initial)
        send_initial(self);
    if (has_initial && request_flag(request, "sendInitialEvents"))
        send_bookmark(self, true);
    set_timers(self, request);
    reply_stream(request, "application/json", self->stream);
}

void watch_on_change(
    void *arg, store_change_t change, const kind_t *kind, json_t *object, json_t *old)
{
    api_t *api = arg;
    watcher_t *next;
    (void)change;
    (void)object;
    (void)old;
    for (watcher_t *self = api->watchers; self; self = next) {
        next = self->next;
        if (self->kind == kind)
            stream_wake(self->stream);
    }
}

void watch_end_all(api_t *api)
{
    watcher_t *next;
    for (watcher_t *self = api->watchers; self; self = next) {
        next = self->next;
        stream_end(self->stream);
    }
}
