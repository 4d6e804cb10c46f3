/* From method and URL to verb, resource and name (apiserver's RequestInfo), without a look at the
 * kinds: who may not do something is not told whether it exists. */
#include "services/cluster/env/api/wish.h"

#include "services/cluster/env/selector.h"

#include "base/auto.h"
#include "base/mem.h"

#include <ctype.h>

static size_t split(const char *path, char **parts)
{
    size_t count = 0;
    while (*path && count < WISH_PARTS) {
        path += strspn(path, "/");
        size_t length = strcspn(path, "/");
        if (length)
            parts[count++] = url_decode(path, length, false);
        path += length;
    }
    return count;
}

static bool is(const char *part, const char *text)
{
    return part && !strcmp(part, text);
}

static const char *text_or_empty(const char *part)
{
    return part ? part : "";
}

/* The parts from the resource on; a namespace is inside itself. */
static char **skip_namespace(wish_t *self, char **parts)
{
    if (!is(parts[0], "namespaces") || !parts[1])
        return parts;
    self->access.namespace = parts[1];
    bool is_own = !parts[2] || is(parts[2], "status") || is(parts[2], "finalize");
    return is_own ? parts : parts + 2;
}

static bool read_resource(wish_t *self, size_t count)
{
    char *padded[WISH_PARTS + 4] = {NULL};
    memcpy(padded, self->parts, sizeof(self->parts));
    bool is_core = is(padded[0], "api") && count > 2;
    if (!is_core && !(is(padded[0], "apis") && count > 3))
        return false;
    self->access.group = is_core ? "" : padded[1];
    char **parts = skip_namespace(self, padded + (is_core ? 2 : 3));
    self->access.resource = text_or_empty(parts[0]);
    self->access.name = parts[0] ? text_or_empty(parts[1]) : "";
    self->access.subresource = parts[0] && parts[1] ? text_or_empty(parts[2]) : "";
    return true;
}

static const char *verb_of(const char *method)
{
    static const struct {
        const char *method;
        const char *verb;
    } verbs[] = {{"GET", "get"}, {"HEAD", "get"}, {"POST", "create"}, {"PUT", "update"},
        {"PATCH", "patch"}, {"DELETE", "delete"}};
    for (size_t i = 0; i < ARRAY_SIZE(verbs); i++) {
        if (!strcmp(method, verbs[i].method))
            return verbs[i].verb;
    }
    return "";
}

/* A field selector that asks for one name is as good as that name. */
static void read_selected_name(wish_t *self, const request_t *request)
{
    const char *text = request_query(request, "fieldSelector");
    AUTO(selector_destroy) selector_t *selector = selector_parse_fields(text ? text : "", NULL);
    const char *name = selector ? selector_value_of(selector, "metadata.name") : NULL;
    if (!name)
        return;
    self->name = xstrdup(name);
    self->access.name = self->name;
}

/* Verbs on a whole collection have names of their own. */
static void read_collection(wish_t *self, const request_t *request)
{
    if (!strcmp(self->access.verb, "get"))
        self->access.verb = request_flag(request, "watch") ? "watch" : "list";
    else if (!strcmp(self->access.verb, "delete"))
        self->access.verb = "deletecollection";
    else
        return;
    read_selected_name(self, request);
}

static char *lower(const char *text)
{
    char *copy = xstrdup(text);
    for (char *c = copy; *c; c++)
        *c = (char)tolower((unsigned char)*c);
    return copy;
}

void wish_init(wish_t *self, const request_t *request)
{
    *self = (wish_t){.access = {.verb = verb_of(request->method),
                         .group = "",
                         .resource = "",
                         .subresource = "",
                         .namespace = "",
                         .name = ""}};
    size_t count = split(request->path, self->parts);
    if (read_resource(self, count)) {
        if (!*self->access.name)
            read_collection(self, request);
        return;
    }
    self->verb = lower(request->method);
    self->access.verb = self->verb;
    self->access.path = request->path;
}

void wish_done(wish_t *self)
{
    for (size_t i = 0; i < WISH_PARTS; i++)
        free(self->parts[i]);
    free(self->verb);
    free(self->name);
}
