#include "services/cluster/env/controllers/revisions.h"

#include "base/auto.h"
#include "base/mem.h"
#include "services/cluster/env/controllers/owned.h"
#include "services/cluster/env/controllers/template_hash.h"
#include "services/cluster/env/object.h"

static const kind_t *revision_kind(void)
{
    return kind_find("ControllerRevision");
}

static int64_t number_of(const json_t *revision)
{
    return object_integer(revision, "revision", 0);
}

static int compare_numbers(const void *left, const void *right)
{
    int64_t a = number_of(*(json_t *const *)left);
    int64_t b = number_of(*(json_t *const *)right);
    return a < b ? -1 : a > b;
}

json_t *revisions_of(store_t *store, const json_t *owner)
{
    json_auto_t *found = owned_claim(store, revision_kind(), owner);
    size_t count = json_array_size(found);
    AUTO_FREE json_t **items = xcalloc(count + 1, sizeof(*items));
    for (size_t i = 0; i < count; i++)
        items[i] = json_array_get(found, i);
    qsort(items, count, sizeof(*items), compare_numbers);
    json_t *sorted = json_array();
    for (size_t i = 0; i < count; i++)
        json_array_append(sorted, items[i]);
    return sorted;
}

/* ---- the present one ---------------------------------------------------------------------- */

/* What kubectl sends back as a patch to go back to a revision. */
static json_t *data_of(const json_t *owner)
{
    json_t *template = json_copy(object_at(owner, "spec.template"));
    json_object_set_new(template, "$patch", json_string("replace"));
    return json_pack("{s:{s:o}}", "spec", "template", template);
}

json_t *revision_template(const json_t *revision)
{
    json_t *template = json_copy(object_at(revision, "data.spec.template"));
    json_object_del(template, "$patch");
    return template;
}

static json_t *find_equal(const json_t *revisions, const json_t *data)
{
    size_t i = 0;
    json_t *revision = NULL;
    json_array_foreach(revisions, i, revision)
    {
        if (json_equal(json_object_get(revision, "data"), data))
            return revision;
    }
    return NULL;
}

/* An old revision that is wanted again becomes the newest. */
static json_t *renumber(store_t *store, json_t *revision, int64_t number)
{
    if (number_of(revision) == number)
        return json_incref(revision);
    json_t *copy = object_copy(revision, "");
    json_object_set_new(copy, "revision", json_integer(number));
    (void)store_update(store, revision_kind(), copy, STORE_ALL, NULL); /* it is there */
    return json_incref(
        store_get(store, revision_kind(), object_namespace(revision), object_name(revision)));
}

static json_t *new_revision(
    const json_t *owner, const char *hash_label, const char *hash, json_t *data, int64_t number)
{
    json_t *labels = object_at(owner, "spec.template.metadata.labels");
    json_t *annotations = object_at(owner, "metadata.annotations");
    labels = labels ? json_copy(labels) : json_object();
    json_object_set_new(labels, hash_label, json_string(hash));
    json_t *metadata = json_pack("{s:o, s:s, s:o, s:[o]}", "name",
        json_sprintf("%s-%s", object_name(owner), hash), "namespace", object_namespace(owner),
        "labels", labels, "ownerReferences", object_owner_reference(owner));
    if (annotations)
        json_object_set(metadata, "annotations", annotations);
    return json_pack(
        "{s:o, s:o, s:I}", "metadata", metadata, "data", data, "revision", (json_int_t)number);
}

json_t *revisions_ensure(
    store_t *store, const json_t *owner, const char *hash_label, int64_t *collisions_p)
{
    enum { TRIES = 8 };
    json_auto_t *revisions = revisions_of(store, owner);
    json_auto_t *data = data_of(owner);
    json_t *known = find_equal(revisions, data);
    size_t count = json_array_size(revisions);
    json_t *newest = json_array_get(revisions, count - 1);
    if (known)
        return renumber(store, known, number_of(newest) + (known != newest));
    for (int i = 0; i < TRIES; i++) {
        char hash[TEMPLATE_HASH_SIZE];
        template_hash(object_at(owner, "spec.template"), *collisions_p, hash);
        json_t *revision = new_revision(
            owner, hash_label, hash, json_incref(data), count ? number_of(newest) + 1 : 1);
        json_t *stored = NULL;
        int rc = store_create(store, revision_kind(), revision, &stored, NULL);
        if (rc != -ERR_EXISTS)
            return json_incref(stored);
        (*collisions_p)++;
    }
    return NULL;
}

/* ---- history ------------------------------------------------------------------------------ */

void revisions_trim(store_t *store, const json_t *owner, const json_t *live)
{
    json_auto_t *revisions = revisions_of(store, owner);
    int64_t limit = object_integer(owner, "spec.revisionHistoryLimit", 10);
    int64_t old = 0;
    size_t i = 0;
    json_t *revision = NULL;
    json_array_foreach(revisions, i, revision)
    {
        old += !json_object_get(live, object_name(revision));
    }
    json_array_foreach(revisions, i, revision)
    {
        if (old <= limit)
            return;
        if (json_object_get(live, object_name(revision)))
            continue;
        (void)store_delete(
            store, revision_kind(), object_namespace(revision), object_name(revision), NULL, NULL);
        old--;
    }
}
