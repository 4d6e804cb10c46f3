/* Which kinds there are: the built-in ones, and those that CustomResourceDefinitions define. */
#include "services/cluster/env/store_internal.h"

#include "base/mem.h"

/* ---- definitions -------------------------------------------------------------------------- */

/* The index of a definition's kind, or the count. */
static size_t find_custom(const store_t *self, const char *name)
{
    size_t i = 0;
    while (i < self->custom_count && strcmp(custom_name(self->customs[i]), name) != 0)
        i++;
    return i;
}

static void add_custom(store_t *self, json_t *definition)
{
    size_t count = self->custom_count + 1;
    self->customs = mem_check(reallocarray(self->customs, count, sizeof(custom_t *)));
    self->custom_collections =
        mem_check(reallocarray(self->custom_collections, count, sizeof(collection_t *)));
    self->customs[count - 1] = custom_read(NULL, definition);
    self->custom_collections[count - 1] = xcalloc(1, sizeof(collection_t));
    self->custom_count = count;
}

void store_note_definition(store_t *self, store_change_t change, json_t *definition)
{
    const char *name =
        json_string_value(json_object_get(json_object_get(definition, "metadata"), "name"));
    size_t i = find_custom(self, name);
    if (i == self->custom_count)
        add_custom(self, definition);
    else
        (void)custom_read(self->customs[i], definition);
    if (change == STORE_DELETED)
        custom_leave(self->customs[i]);
}

void store_customs_done(store_t *self)
{
    for (size_t i = 0; i < self->custom_count; i++) {
        collection_done(self->custom_collections[i]);
        free(self->custom_collections[i]);
        custom_destroy(&self->customs[i]);
    }
    free(self->custom_collections);
    free(self->customs);
}

collection_t *store_collection(const store_t *self, const kind_t *kind)
{
    if (kind->custom)
        return self->custom_collections[find_custom(self, kind->custom->qualified)];
    return &self->collections[kind_index(kind)];
}

/* ---- asking ------------------------------------------------------------------------------- */

const kind_t *store_kind_at(const store_t *self, size_t i)
{
    if (i < self->collection_count)
        return kind_at(i);
    i -= self->collection_count;
    for (size_t j = 0; j < self->custom_count; j++) {
        if (custom_is_live(self->customs[j]) && i-- == 0)
            return custom_stored(self->customs[j]);
    }
    return NULL;
}

const kind_t *store_find_resource(const store_t *self, const char *group, const char *plural)
{
    const kind_t *kind;
    for (size_t i = 0; (kind = store_kind_at(self, i)); i++) {
        if (!strcmp(kind->group, group) && !strcmp(kind->plural, plural))
            return kind;
    }
    return NULL;
}

const kind_t *store_find_type(const store_t *self, const char *api_version, const char *name)
{
    const char *slash = strchr(api_version, '/');
    const kind_t *kind;
    for (size_t i = 0; (kind = store_kind_at(self, i)); i++) {
        if (strcmp(kind->name, name) != 0)
            continue;
        if (!strcmp(kind_api_version(kind), api_version))
            return kind;
        if (kind->custom && slash && strlen(kind->group) == (size_t)(slash - api_version)
            && !strncmp(kind->group, api_version, strlen(kind->group))
            && custom_served(kind, slash + 1))
            return kind;
    }
    return NULL;
}

const kind_t *store_custom(const store_t *self, const char *name)
{
    size_t i = find_custom(self, name);
    return i < self->custom_count ? custom_stored(self->customs[i]) : NULL;
}
