/* Merge patch (RFC 7386) and JSON patch (RFC 6902). */
#include "services/cluster/env/api/patch.h"

#include "base/auto.h"
#include "base/mem.h"

#include <stdbool.h>

/* ---- merge patch -------------------------------------------------------------------------- */

json_t *patch_merge(const json_t *document, const json_t *patch)
{
    const char *key;
    json_t *value;
    if (!json_is_object(patch))
        return json_deep_copy(patch);
    json_t *result = json_is_object(document) ? json_copy((json_t *)document) : json_object();
    json_object_foreach((json_t *)patch, key, value)
    {
        if (json_is_null(value))
            json_object_del(result, key);
        else
            json_object_set_new(result, key, patch_merge(json_object_get(document, key), value));
    }
    return result;
}

/* ---- JSON pointers (RFC 6901) ------------------------------------------------------------- */

enum { TOKEN_MAX = 1024 };

/* A place in a tree: the container, and the key or index in it. */
typedef struct pointer {
    json_t *parent;
    char token[TOKEN_MAX];
} pointer_t;

/* Copies the next token, with ~1 and ~0 undone, and returns what follows; NULL at the end. */
static const char *next_token(const char *path, char token[TOKEN_MAX])
{
    size_t length = 0;
    for (path++; *path && *path != '/'; path++) {
        char c = *path;
        if (c == '~' && (path[1] == '0' || path[1] == '1'))
            c = *++path == '0' ? '~' : '/';
        if (length < TOKEN_MAX - 1)
            token[length++] = c;
    }
    token[length] = 0;
    return *path ? path : NULL;
}

/* An array index below limit, or -1. */
static long index_of(const char *token, size_t limit)
{
    char *end;
    if (*token < '0' || *token > '9' || (token[0] == '0' && token[1]))
        return -1;
    unsigned long index = strtoul(token, &end, 10);
    return !*end && index < limit ? (long)index : -1;
}

static json_t *child_of(const json_t *parent, const char *token)
{
    if (json_is_object(parent))
        return json_object_get(parent, token);
    long index = json_is_array(parent) ? index_of(token, json_array_size(parent)) : -1;
    return index < 0 ? NULL : json_array_get(parent, (size_t)index);
}

/* Where path points to in document; the value itself need not exist. */
static bool resolve(json_t *document, const char *path, pointer_t *pointer)
{
    if (!path || *path != '/')
        return false;
    pointer->parent = document;
    for (;;) {
        path = next_token(path, pointer->token);
        if (!json_is_object(pointer->parent) && !json_is_array(pointer->parent))
            return false;
        if (!path)
            return true;
        pointer->parent = child_of(pointer->parent, pointer->token);
    }
}

/* ---- operations --------------------------------------------------------------------------- */

/* Takes value. */
static bool add_at(const pointer_t *at, json_t *value)
{
    if (json_is_object(at->parent))
        return !json_object_set_new(at->parent, at->token, value);
    size_t size = json_array_size(at->parent);
    long index = strcmp(at->token, "-") ? index_of(at->token, size + 1) : (long)size;
    if (index >= 0)
        return !json_array_insert_new(at->parent, (size_t)index, value);
    json_decref(value);
    return false;
}

static bool remove_at(const pointer_t *at)
{
    if (json_is_object(at->parent))
        return !json_object_del(at->parent, at->token);
    long index = index_of(at->token, json_array_size(at->parent));
    return index >= 0 && !json_array_remove(at->parent, (size_t)index);
}

static bool replace_at(const pointer_t *at, json_t *value)
{
    if (!child_of(at->parent, at->token)) {
        json_decref(value);
        return false;
    }
    if (json_is_object(at->parent))
        return !json_object_set_new(at->parent, at->token, value);
    long index = index_of(at->token, json_array_size(at->parent));
    return !json_array_set_new(at->parent, (size_t)index, value);
}

static bool copy_or_move(json_t *document, const char *from, const pointer_t *at, bool is_move)
{
    pointer_t source;
    if (!resolve(document, from, &source))
        return false;
    json_t *value = child_of(source.parent, source.token);
    if (!value)
        return false;
    json_auto_t *copy = json_deep_copy(value);
    if (is_move && !remove_at(&source))
        return false;
    return add_at(at, json_incref(copy));
}

static bool apply(json_t *document, const json_t *operation)
{
    pointer_t at;
    const char *name = json_string_value(json_object_get(operation, "op"));
    const char *path = json_string_value(json_object_get(operation, "path"));
    const char *from = json_string_value(json_object_get(operation, "from"));
    json_t *value = json_object_get(operation, "value");
    if (!name || !resolve(document, path, &at))
        return false;
    if (!strcmp(name, "remove"))
        return remove_at(&at);
    if (!strcmp(name, "move") && from && !strncmp(path, from, strlen(from))
        && path[strlen(from)] == '/')
        return false; /* into itself */
    if (!strcmp(name, "move") || !strcmp(name, "copy"))
        return copy_or_move(document, from, &at, *name == 'm');
    if (!value)
        return false;
    if (!strcmp(name, "add"))
        return add_at(&at, json_deep_copy(value));
    if (!strcmp(name, "replace"))
        return replace_at(&at, json_deep_copy(value));
    const json_t *present = child_of(at.parent, at.token);
    return !strcmp(name, "test") && present && json_equal(present, value);
}

json_t *patch_json(const json_t *document, const json_t *operations, err_t *err)
{
    json_auto_t *result = json_deep_copy(document);
    size_t i;
    json_t *operation;
    if (!json_is_array(operations)) {
        err_set(err, ERR_INVALID, "a JSON patch must be an array of operations");
        return NULL;
    }
    json_array_foreach(operations, i, operation)
    {
        if (!apply(result, operation)) {
            err_set(err, ERR_INVALID, "operation %zu cannot be applied", i);
            return NULL;
        }
    }
    return TAKE(result);
}
