/* Get and list. Lists are put together from the texts that each version keeps, without building a
 * tree. A continue token names the version of the first page and the last object shown: later pages
 * show what was there then, as long as the history reaches back. A token with version 0 goes on
 * with what is there now. */
#include "services/cluster/env/api/api_internal.h"

#include "services/cluster/env/api/query.h"
#include "services/cluster/env/api/served.h"
#include "services/cluster/env/api/status.h"
#include "services/cluster/env/api/table.h"
#include "services/cluster/env/object.h"

#include "base/auto.h"
#include "base/mem.h"

/* One page of a list. */
typedef struct page {
    version_t **versions; /* those that are picked; borrowed from all */
    size_t count;
    size_t left; /* how many more there are */
    uint64_t number;
    char *token; /* for the next page, or NULL */
} page_t;

/* ---- versions and tokens ------------------------------------------------------------------ */

/* A resourceVersion beyond the present one cannot be answered. */
static bool is_version_there(const api_t *self, request_t *request)
{
    const char *text = request_query(request, "resourceVersion");
    uint64_t wanted = text ? strtoull(text, NULL, 10) : 0;
    uint64_t present = store_version(self->store);
    if (text && *text && strspn(text, "0123456789") != strlen(text)) {
        reply_bad_request(request, "invalid resource version \"%s\"", text);
        return false;
    }
    if (wanted <= present)
        return true;
    reply_status(request, 504, "Timeout",
        json_pack("{s:[{s:s, s:s}], s:i}", "causes", "reason", "ResourceVersionTooLarge", "message",
            "Too large resource version", "retryAfterSeconds", 1),
        "Timeout: Too large resource version: %llu, current: %llu", (unsigned long long)wanted,
        (unsigned long long)present);
    return false;
}

static void reply_expired(request_t *request, const char *after)
{
    json_t *status = status_new(410, "Expired",
        "The provided continue parameter is too old to display a consistent list result. You can "
        "start a new list without the continue parameter, or use the continue token in this "
        "response to retrieve the remainder of the results. Continuing with the provided token "
        "results in an inconsistent list - objects that were created, modified, or deleted "
        "between the time the first chunk was returned and now may show up in the list.",
        NULL);
    json_object_set_new(
        status, "metadata", json_pack("{s:o}", "continue", json_sprintf("0.%s", after)));
    reply_json(request, 410, status);
}

/* "VERSION.NAMESPACE/NAME"; false if the request was answered. */
static bool read_token(
    const api_t *self, request_t *request, uint64_t *number_p, const char **after_p)
{
    char *end;
    const char *token = request_query(request, "continue");
    if (!token || !*token)
        return true;
    uint64_t number = strtoull(token, &end, 10);
    if (end == token || *end != '.' || !strchr(end, '/')) {
        reply_bad_request(request, "continue key is not valid: %s", token);
        return false;
    }
    *after_p = end + 1;
    if (number)
        *number_p = number;
    if (*number_p >= store_oldest(self->store) && *number_p <= store_version(self->store))
        return true;
    reply_expired(request, *after_p);
    return false;
}

/* Whether an object comes after the last one of the page before. */
static bool is_after(const version_t *version, const char *after)
{
    const char *slash = strchr(after, '/');
    size_t length = (size_t)(slash - after);
    int order = strncmp(version->namespace, after, length);
    if (!order && version->namespace[length])
        order = 1;
    return order ? order > 0 : strcmp(version->name, slash + 1) > 0;
}

/* ---- pages -------------------------------------------------------------------------------- */

static void fill_page(
    page_t *page, version_t **all, size_t count, const query_t *query, const char *after)
{
    size_t limit = page->left ? page->left : SIZE_MAX;
    page->left = 0;
    page->versions = xcalloc(count + 1, sizeof(version_t *));
    for (size_t i = 0; i < count; i++) {
        if ((after && !is_after(all[i], after)) || !query_picks(query, all[i]->object))
            continue;
        if (page->count < limit)
            page->versions[page->count++] = all[i];
        else
            page->left++;
    }
    if (page->left) {
        const version_t *last = page->versions[page->count - 1];
        page->token =
            xasprintf("%llu.%s/%s", (unsigned long long)page->number, last->namespace, last->name);
    }
}

static json_t *page_metadata(const page_t *page)
{
    json_t *metadata = json_pack(
        "{s:o}", "resourceVersion", json_sprintf("%llu", (unsigned long long)page->number));
    if (page->token) {
        json_object_set_new(metadata, "continue", json_string(page->token));
        json_object_set_new(metadata, "remainingItemCount", json_integer((json_int_t)page->left));
    }
    return metadata;
}

static void reply_table(request_t *request, const kind_t *kind, const page_t *page)
{
    json_t *table = table_new(kind, page_metadata(page), true);
    const char *include = request_query(request, "includeObject");
    for (size_t i = 0; i < page->count; i++) {
        json_auto_t *object = served_object(kind, page->versions[i]->object);
        table_add(table, kind, object, include);
    }
    reply_json(request, 200, table);
}

static void reply_list(request_t *request, const kind_t *kind, const page_t *page)
{
    AUTO(buffer_done) buffer_t body = {0};
    json_auto_t *metadata = page_metadata(page);
    AUTO_FREE char *metadata_text = mem_check(json_dumps(metadata, JSON_COMPACT));
    buffer_format(&body, "{\"kind\":\"%sList\",\"apiVersion\":\"%s\",\"metadata\":%s,\"items\":[",
        kind->name, kind_api_version(kind), metadata_text);
    for (size_t i = 0; i < page->count; i++) {
        if (i)
            buffer_add(&body, ",", 1);
        served_text(&body, kind, page->versions[i]);
    }
    buffer_add(&body, "]}\n", 3);
    reply_buffer(request, 200, "application/json", &body);
}

/* resourceVersionMatch=Exact: the list as it was. False if the request was answered. */
static bool read_exact(const api_t *self, request_t *request, uint64_t *number_p)
{
    const char *match = request_query(request, "resourceVersionMatch");
    const char *version = request_query(request, "resourceVersion");
    if (!match || strcmp(match, "Exact") != 0 || !version)
        return true;
    *number_p = strtoull(version, NULL, 10);
    if (*number_p >= store_oldest(self->store))
        return true;
    reply_status(
        request, 410, "Expired", NULL, "The resourceVersion for the provided list is too old.");
    return false;
}

void read_list(api_t *self, request_t *request, const target_t *target)
{
    AUTO(query_done) query_t query;
    const char *limit = request_query(request, "limit");
    const char *after = NULL;
    page_t page = {.number = store_version(self->store)};
    if (!query_init(&query, request, target) || !is_version_there(self, request)
        || !read_exact(self, request, &page.number)
        || !read_token(self, request, &page.number, &after))
        return;
    size_t count;
    version_t **all =
        store_versions_at(self->store, target->kind, target->namespace, page.number, &count);
    page.left = limit ? strtoul(limit, NULL, 10) : 0;
    fill_page(&page, all, count, &query, after);
    if (table_is_wanted(request))
        reply_table(request, target->served, &page);
    else
        reply_list(request, target->served, &page);
    store_versions_free(all, count);
    free(page.versions);
    free(page.token);
}

void read_object(api_t *self, request_t *request, const target_t *target)
{
    AUTO(buffer_done) buffer_t body = {0};
    version_t *version =
        store_version_of(self->store, target->kind, target->namespace, target->name);
    if (!version) {
        reply_not_found(request, target->kind, target->name);
        return;
    }
    if (table_is_wanted(request)) {
        json_auto_t *object = served_object(target->served, version->object);
        json_t *table = table_new(target->served,
            json_pack("{s:s}", "resourceVersion",
                object_string(version->object, "metadata.resourceVersion")),
            true);
        table_add(table, target->served, object, request_query(request, "includeObject"));
        reply_json(request, 200, table);
        return;
    }
    served_text(&body, target->served, version);
    reply_buffer(request, 200, "application/json", &body);
}
