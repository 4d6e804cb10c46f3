/* Versions. Of a custom kind they differ in nothing but their name, as conversion strategy None has
 * it. */
#include "services/cluster/env/api/served.h"

#include "services/cluster/env/custom.h"
#include "services/cluster/env/object.h"

#include "base/auto.h"
#include "base/mem.h"

static void each_version(const kind_t *stored, served_fn *fn, void *arg)
{
    const kind_t *kind;
    for (size_t i = 0; (kind = custom_served_at(stored, i)); i++)
        fn(arg, &(served_t){kind->group, kind->version, kind, kind->type});
}

void served_each(const store_t *store, served_fn *fn, void *arg)
{
    const kind_t *kind;
    for (size_t i = 0; (kind = store_kind_at(store, i)); i++) {
        const kind_t *old = old_version_of(kind);
        if (kind->custom) {
            each_version(kind, fn, arg);
            continue;
        }
        fn(arg, &(served_t){kind->group, kind->version, kind, kind->type});
        if (old)
            fn(arg, &(served_t){kind->group, old->version, kind, old->type});
    }
}

static bool is_right(const kind_t *served, const json_t *object)
{
    return !served->custom
           || !strcmp(object_string(object, "apiVersion"), kind_api_version(served));
}

json_t *served_object(const kind_t *served, json_t *object)
{
    if (is_right(served, object))
        return json_incref(object);
    json_t *copy = json_copy(object);
    json_object_set_new(copy, "apiVersion", json_string(kind_api_version(served)));
    return copy;
}

void served_text(buffer_t *out, const kind_t *served, version_t *version)
{
    size_t size;
    if (is_right(served, version->object)) {
        const char *text = version_text(version, &size);
        buffer_add(out, text, size);
        return;
    }
    json_auto_t *object = served_object(served, version->object);
    AUTO_FREE char *text = mem_check(json_dumps(object, JSON_COMPACT));
    buffer_add_text(out, text);
}
