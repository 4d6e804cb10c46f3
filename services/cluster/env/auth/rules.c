/* PolicyRules (pkg/apis/rbac/v1/evaluation_helpers.go, component-helpers' rule covering). */
#include "services/cluster/env/auth/rules.h"

#include "services/cluster/env/object.h"

#include "base/auto.h"
#include "base/mem.h"

static const char *text_of(const json_t *value)
{
    const char *text = json_string_value(value);
    return text ? text : "";
}

static bool has(const json_t *list, const char *text)
{
    size_t i;
    json_t *each;
    json_array_foreach((json_t *)list, i, each)
    {
        if (!strcmp(text_of(each), text))
            return true;
    }
    return false;
}

static bool has_or_all(const json_t *list, const char *text)
{
    return has(list, "*") || has(list, text);
}

/* ---- allowing ---------------------------------------------------------------------------------
 */

static bool allows_resource(const json_t *resources, const access_t *access)
{
    AUTO_FREE char *whole =
        xasprintf("%s%s%s", access->resource, *access->subresource ? "/" : "", access->subresource);
    AUTO_FREE char *any = xasprintf("*/%s", access->subresource);
    return has_or_all(resources, whole) || (*access->subresource && has(resources, any));
}

/* "/healthz/" followed by a star covers all that begins so. */
static bool covers_url(const json_t *urls, const char *path)
{
    size_t i;
    json_t *each;
    json_array_foreach((json_t *)urls, i, each)
    {
        const char *url = text_of(each);
        size_t length = strlen(url);
        if (!strcmp(url, path)
            || (length && url[length - 1] == '*' && !strncmp(url, path, length - 1)))
            return true;
    }
    return false;
}

bool rule_allows(const json_t *rule, const access_t *access)
{
    const json_t *names = json_object_get(rule, "resourceNames");
    if (!has_or_all(json_object_get(rule, "verbs"), access->verb))
        return false;
    if (access->path)
        return covers_url(json_object_get(rule, "nonResourceURLs"), access->path);
    return has_or_all(json_object_get(rule, "apiGroups"), access->group)
           && allows_resource(json_object_get(rule, "resources"), access)
           && (!json_array_size(names) || has(names, access->name));
}

/* ---- covering ---------------------------------------------------------------------------------
 */

/* A rule of one verb on one thing. */
typedef struct simple {
    const char *verb;
    const char *group;
    const char *resource;
    const char *name; /* NULL: all */
    const char *url;  /* NULL: a resource */
} simple_t;

static bool covers_resource(const json_t *resources, const char *resource)
{
    const char *slash = strchr(resource, '/');
    AUTO_FREE char *any = xasprintf("*%s", slash ? slash : "");
    return has_or_all(resources, resource) || has(resources, any);
}

static bool covers(const json_t *rule, const simple_t *simple)
{
    const json_t *names = json_object_get(rule, "resourceNames");
    if (!has_or_all(json_object_get(rule, "verbs"), simple->verb))
        return false;
    if (simple->url)
        return covers_url(json_object_get(rule, "nonResourceURLs"), simple->url);
    return has_or_all(json_object_get(rule, "apiGroups"), simple->group)
           && covers_resource(json_object_get(rule, "resources"), simple->resource)
           && (!json_array_size(names) || (simple->name && has(names, simple->name)));
}

static json_t *rule_of(const simple_t *simple)
{
    if (simple->url)
        return json_pack("{s:[s], s:[s]}", "nonResourceURLs", simple->url, "verbs", simple->verb);
    json_t *rule = json_pack("{s:[s], s:[s], s:[s]}", "apiGroups", simple->group, "resources",
        simple->resource, "verbs", simple->verb);
    if (simple->name)
        json_object_set_new(rule, "resourceNames", json_pack("[s]", simple->name));
    return rule;
}

/* Rules of the same resource become one with several verbs. */
static void add_missing(json_t *missing, const simple_t *simple)
{
    json_auto_t *added = rule_of(simple);
    size_t i;
    json_t *rule;
    json_array_foreach(missing, i, rule)
    {
        json_auto_t *alike = json_copy(rule);
        json_object_set(alike, "verbs", json_object_get(added, "verbs"));
        if (!json_equal(alike, added))
            continue;
        json_t *verbs = json_object_get(rule, "verbs");
        if (!has(verbs, simple->verb))
            json_array_append_new(verbs, json_string(simple->verb));
        return;
    }
    json_array_append(missing, added);
}

static void check_simple(json_t *missing, const json_t *owned, const simple_t *simple)
{
    size_t i;
    json_t *rule;
    json_array_foreach((json_t *)owned, i, rule)
    {
        if (covers(rule, simple))
            return;
    }
    add_missing(missing, simple);
}

/* All resources, and each name of them, for one verb and group. */
static void check_resources(
    json_t *missing, const json_t *owned, const json_t *rule, simple_t *simple)
{
    const json_t *names = json_object_get(rule, "resourceNames");
    size_t i;
    size_t j;
    json_t *resource;
    json_t *name;
    json_array_foreach(json_object_get(rule, "resources"), i, resource)
    {
        simple->resource = text_of(resource);
        simple->name = NULL;
        if (!json_array_size(names))
            check_simple(missing, owned, simple);
        json_array_foreach((json_t *)names, j, name)
        {
            simple->name = text_of(name);
            check_simple(missing, owned, simple);
        }
    }
}

static void check_verb(json_t *missing, const json_t *owned, const json_t *rule, const char *verb)
{
    size_t i;
    json_t *each;
    json_array_foreach(json_object_get(rule, "apiGroups"), i, each)
    {
        simple_t simple = {.verb = verb, .group = text_of(each)};
        check_resources(missing, owned, rule, &simple);
    }
    json_array_foreach(json_object_get(rule, "nonResourceURLs"), i, each)
    {
        simple_t simple = {.verb = verb, .url = text_of(each)};
        check_simple(missing, owned, &simple);
    }
}

json_t *rules_missing(const json_t *owned, const json_t *wanted)
{
    json_t *missing = json_array();
    size_t i;
    size_t j;
    json_t *rule;
    json_t *verb;
    json_array_foreach((json_t *)wanted, i, rule)
    {
        json_array_foreach(json_object_get(rule, "verbs"), j, verb)
            check_verb(missing, owned, rule, text_of(verb));
    }
    return missing;
}

/* ---- text -------------------------------------------------------------------------------------
 */

char *rule_text(const json_t *rule)
{
    static const struct {
        const char *name;
        const char *key;
    } parts[] = {{"APIGroups", "apiGroups"}, {"Resources", "resources"},
        {"NonResourceURLs", "nonResourceURLs"}, {"ResourceNames", "resourceNames"},
        {"Verbs", "verbs"}};
    char *text = NULL;
    size_t size = 0;
    FILE *out = mem_check(open_memstream(&text, &size));
    const char *comma = "{";
    for (size_t i = 0; i < ARRAY_SIZE(parts); i++) {
        size_t j;
        json_t *each;
        const json_t *list = json_object_get(rule, parts[i].key);
        if (!json_array_size(list))
            continue;
        fprintf(out, "%s%s:[", comma, parts[i].name);
        json_array_foreach((json_t *)list, j, each)
            fprintf(out, "%s\"%s\"", j ? " " : "", text_of(each));
        fputc(']', out);
        comma = ", ";
    }
    fputc('}', out);
    fclose(out);
    return text;
}
