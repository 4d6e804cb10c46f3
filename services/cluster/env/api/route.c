/* Paths of resources:
 *     [/namespaces/NS]/RESOURCE[/NAME[/SUBRESOURCE[/REST]]]
 * below /api/v1 or /apis/GROUP/VERSION. A namespace is itself a resource: /namespaces/NS/status. */
#include "services/cluster/env/api/route.h"

#include "services/cluster/env/custom.h"

#include "base/auto.h"
#include "base/mem.h"

enum { PART_COUNT = 8 };

typedef struct parts {
    char *text[PART_COUNT];      /* decoded */
    const char *end[PART_COUNT]; /* what follows each part in the path */
    size_t count;
} parts_t;

static void split(const char *path, parts_t *parts)
{
    while (*path && parts->count < PART_COUNT) {
        path += strspn(path, "/");
        size_t length = strcspn(path, "/");
        if (!length)
            break;
        parts->text[parts->count] = url_decode(path, length, false);
        path += length;
        parts->end[parts->count++] = path;
    }
}

static void parts_done(parts_t *parts)
{
    for (size_t i = 0; i < parts->count; i++)
        free(parts->text[i]);
}

/* Whether part i exists and is that text. */
static bool is_part(const parts_t *parts, size_t i, const char *text)
{
    return i < parts->count && !strcmp(parts->text[i], text);
}

/* Group and version in front; the index of what follows, or 0 if the version is not ours. */
static size_t read_group(const parts_t *parts, const char **group_p, const char **version_p)
{
    if (is_part(parts, 0, "api") && is_part(parts, 1, "v1")) {
        *group_p = "";
        *version_p = "v1";
        return 2;
    }
    if (!is_part(parts, 0, "apis") || parts->count < 4)
        return 0;
    *group_p = parts->text[1];
    *version_p = parts->text[2];
    return 3;
}

/* The part after /namespaces/NS is a resource of it, unless it is the namespace's own. */
static bool is_inside_namespace(const parts_t *parts, size_t at)
{
    return is_part(parts, at, "namespaces") && at + 2 < parts->count
           && strcmp(parts->text[at + 2], "status") != 0
           && strcmp(parts->text[at + 2], "finalize") != 0;
}

static bool read_target(const store_t *store, const parts_t *parts, target_t *target)
{
    const char *group;
    const char *version;
    size_t at = read_group(parts, &group, &version);
    if (!at || at >= parts->count)
        return false;
    if (is_inside_namespace(parts, at)) {
        target->namespace = xstrdup(parts->text[at + 1]);
        at += 2;
    }
    target->kind = store_find_resource(store, group, parts->text[at]);
    if (!target->kind)
        return false;
    target->served = target->kind->custom ? custom_served(target->kind, version) : target->kind;
    if (!target->served || strcmp(target->served->version, version) != 0)
        return false;
    if (++at < parts->count)
        target->name = xstrdup(parts->text[at]);
    if (++at < parts->count) {
        target->subresource = xstrdup(parts->text[at]);
        target->rest = xstrdup(parts->end[at]);
    }
    bool is_named_without_namespace =
        target->kind->is_namespaced && target->name && !target->namespace;
    return !is_named_without_namespace && (target->kind->is_namespaced || !target->namespace);
}

bool route_parse(const store_t *store, const char *path, target_t *target)
{
    parts_t parts = {0};
    *target = (target_t){0};
    split(path, &parts);
    bool is_found = read_target(store, &parts, target);
    parts_done(&parts);
    return is_found;
}

void target_done(target_t *target)
{
    free(target->namespace);
    free(target->name);
    free(target->subresource);
    free(target->rest);
    *target = (target_t){0};
}
