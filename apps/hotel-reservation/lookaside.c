#include "apps/hotel-reservation/lookaside.h"

#include "apps/common/console.h"
#include "apps/hotel-reservation/database.h"
#include "base/auto.h"
#include "base/mem.h"

typedef struct catch
{
    const lookaside_t *lookaside;
    json_t *found;
}
catch_t;

static void texts_free(char ***texts_p)
{
    for (char **text = *texts_p; text && *text; text++)
        free(*text);
    free(*texts_p);
}

static void on_cached(void *arg, const char *key, const char *value, size_t size)
{
    catch_t *catch = arg;
    json_t *document = json_loadb(value, size, JSON_DECODE_ANY, NULL);
    size_t length = strlen(key) - strlen(catch->lookaside->cache_suffix);
    if (document)
        json_object_setn_new(catch->found, key, length, document);
}

static int find_cached(const lookaside_t *self, const span_t *parent, const char *const *ids,
    size_t id_count, json_t *found, err_t *err)
{
    AUTO(texts_free) char **keys = xcalloc(id_count + 1, sizeof(*keys));
    for (size_t i = 0; i < id_count; i++)
        keys[i] = xasprintf("%s%s", ids[i], self->cache_suffix);
    span_t span;
    span_begin(&span, self->app->tracer, SPAN_CLIENT, self->cache_span, &parent->context);
    span_set(&span, "db.system", "memcached");
    catch_t catch = {self, found};
    int rc = cache_get(self->cache, (const char *const *)keys, id_count, on_cached, &catch, err);
    if (rc < 0)
        span_fail(&span, err ? err->text : "");
    span_end(&span);
    return rc;
}

static int find_stored(const lookaside_t *self, const span_t *parent, const char *const *ids,
    size_t id_count, json_t *stored, err_t *err)
{
    span_t span;
    span_begin(&span, self->app->tracer, SPAN_CLIENT, self->store_span, &parent->context);
    span_set(&span, "db.system", "redis");
    span_set(&span, "db.collection.name", self->collection);
    int rc = database_find(self->store, self->collection, ids, id_count, stored, err);
    if (rc < 0)
        span_fail(&span, err ? err->text : "");
    span_end(&span);
    return rc;
}

static void fill_cache(const lookaside_t *self, const char *id, const json_t *document)
{
    err_t err = {0};
    AUTO_FREE char *key = xasprintf("%s%s", id, self->cache_suffix);
    AUTO_FREE char *text =
        mem_check(json_dumps(document, JSON_COMPACT | JSON_ENCODE_ANY | JSON_REAL_PRECISION(9)));
    if (cache_set(self->cache, key, text, strlen(text), &err) < 0)
        console_warn("cannot cache '%s': %s", key, err.text);
}

int lookaside_find(const lookaside_t *self, const span_t *parent, const char *const *ids,
    size_t id_count, json_t *found, err_t *err)
{
    int rc = find_cached(self, parent, ids, id_count, found, err);
    if (rc < 0)
        return rc;

    AUTO_FREE const char **missing = xcalloc(id_count + 1, sizeof(*missing));
    size_t missing_count = 0;
    for (size_t i = 0; i < id_count; i++) {
        if (!json_object_get(found, ids[i]))
            missing[missing_count++] = ids[i];
    }
    if (missing_count == 0)
        return 0;

    json_auto_t *stored = json_object();
    rc = find_stored(self, parent, missing, missing_count, stored, err);
    for (size_t i = 0; i < missing_count && rc == 0; i++) {
        json_t *document = json_incref(json_object_get(stored, missing[i]));
        if (!document && self->absent)
            document = json_loads(self->absent, JSON_DECODE_ANY, NULL);
        if (!document)
            continue;
        fill_cache(self, missing[i], document);
        json_object_set_new(found, missing[i], document);
    }
    return rc;
}
