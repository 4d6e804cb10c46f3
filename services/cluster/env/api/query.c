/* Selectors of lists and watches. */
#include "services/cluster/env/api/query.h"

#include "services/cluster/env/api/status.h"
#include "services/cluster/env/object.h"

#include "base/mem.h"

static bool is_known_field(const kind_t *kind, const char *key)
{
    if (!strcmp(key, "metadata.name") || !strcmp(key, "metadata.namespace"))
        return true;
    for (size_t i = 0; kind->fields && kind->fields[i]; i++) {
        if (!strcmp(kind->fields[i], key))
            return true;
    }
    return false;
}

bool query_init(query_t *query, request_t *request, const target_t *target)
{
    err_t err = {0};
    const char *labels = request_query(request, "labelSelector");
    const char *fields = request_query(request, "fieldSelector");
    *query = (query_t){0};
    query->labels = selector_parse(labels ? labels : "", &err);
    if (query->labels)
        query->fields = selector_parse_fields(fields ? fields : "", &err);
    if (!query->fields) {
        reply_bad_request(request, "%s", err.text);
        return false;
    }
    for (size_t i = 0; selector_key(query->fields, i); i++) {
        if (is_known_field(target->kind, selector_key(query->fields, i)))
            continue;
        reply_bad_request(request, "field label not supported: %s", selector_key(query->fields, i));
        return false;
    }
    query->name = target->name ? target->name : selector_value_of(query->fields, "metadata.name");
    return true;
}

void query_done(query_t *query)
{
    selector_destroy(&query->labels);
    selector_destroy(&query->fields);
}

bool query_picks(const query_t *query, const json_t *object)
{
    if (query->name && strcmp(query->name, object_name(object)) != 0)
        return false;
    return selector_matches(query->labels, object_at(object, "metadata.labels"))
           && selector_matches_fields(query->fields, object);
}
