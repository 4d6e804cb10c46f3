#include "services/cluster/env/controllers/owned.h"

#include "base/auto.h"
#include "base/mem.h"
#include "services/cluster/env/object.h"
#include "services/cluster/env/selector.h"

typedef struct claim {
    store_t *store;
    const kind_t *kind;
    const json_t *owner;
    selector_t *selector;
    json_t *owned;
} claim_t;

static json_t *labels_of(const json_t *object)
{
    return object_at(object, "metadata.labels");
}

/* Puts the object's owner references without (or with) the owner's; a change lost to a conflict
 * would come again with the next change of the object. */
static void put_references(claim_t *self, json_t *object, bool is_adopted)
{
    json_t *copy = object_copy(object, "metadata");
    json_t *references = json_array();
    size_t i = 0;
    json_t *reference = NULL;
    json_array_foreach(object_at(object, "metadata.ownerReferences"), i, reference)
    {
        if (strcmp(object_string(reference, "uid"), object_uid(self->owner)) != 0)
            json_array_append(references, reference);
    }
    if (is_adopted)
        json_array_append_new(references, object_owner_reference(self->owner));
    if (json_array_size(references))
        object_set(copy, "metadata.ownerReferences", json_incref(references));
    else
        json_object_del(json_object_get(copy, "metadata"), "ownerReferences");
    json_decref(references);
    (void)store_update(self->store, self->kind, copy, STORE_ALL, NULL);
}

static void claim_one(void *arg, json_t *object)
{
    claim_t *self = arg;
    json_auto_t *kept = json_incref(object);
    const json_t *controller = object_controller(object);
    bool is_ours =
        controller && strcmp(object_string(controller, "uid"), object_uid(self->owner)) == 0;
    bool is_matching = selector_matches(self->selector, labels_of(object));
    bool is_settled = is_ours == is_matching || object_is_deleted(self->owner)
                      || object_is_deleted(object) || (controller && !is_ours);
    if (!is_settled) {
        put_references(self, object, !is_ours);
        is_ours = !is_ours;
    }
    json_t *present = store_get(self->store, self->kind, object_namespace(kept), object_name(kept));
    if (is_ours && present)
        json_array_append(self->owned, present);
}

static int compare_age(const void *left, const void *right)
{
    const json_t *a = *(json_t *const *)left;
    const json_t *b = *(json_t *const *)right;
    int order = strcmp(object_string(a, "metadata.creationTimestamp"),
        object_string(b, "metadata.creationTimestamp"));
    return order ? order : strcmp(object_name(a), object_name(b));
}

/* Jansson has no sort: the items are taken out, sorted and put back. */
static json_t *sorted(json_t *array)
{
    size_t count = json_array_size(array);
    AUTO_FREE json_t **items = xcalloc(count + 1, sizeof(*items));
    for (size_t i = 0; i < count; i++)
        items[i] = json_array_get(array, i);
    qsort(items, count, sizeof(*items), compare_age);
    json_t *result = json_array();
    for (size_t i = 0; i < count; i++)
        json_array_append(result, items[i]);
    json_decref(array);
    return result;
}

json_t *owned_claim(store_t *store, const kind_t *kind, const json_t *owner)
{
    claim_t claim = {.store = store, .kind = kind, .owner = owner, .owned = json_array()};
    claim.selector = selector_new(object_at(owner, "spec.selector"), NULL);
    if (claim.selector)
        store_each(store, kind, object_namespace(owner), claim_one, &claim);
    selector_destroy(&claim.selector);
    return sorted(claim.owned);
}

const char *owned_by(const json_t *object, const char *kind)
{
    const json_t *controller = object_controller(object);
    if (!controller || strcmp(object_string(controller, "kind"), kind) != 0)
        return NULL;
    return object_string(controller, "name");
}

typedef struct match {
    const json_t *orphan;
    void (*fn)(void *arg, json_t *owner);
    void *arg;
} match_t;

static void match_one(void *arg, json_t *owner)
{
    const match_t *self = arg;
    AUTO(selector_destroy)
    selector_t *selector = selector_new(object_at(owner, "spec.selector"), NULL);
    if (selector && selector_matches(selector, labels_of(self->orphan)))
        self->fn(self->arg, owner);
}

void owned_each_match(store_t *store, const kind_t *kind, const json_t *orphan,
    void (*fn)(void *arg, json_t *owner), void *arg)
{
    match_t match = {.orphan = orphan, .fn = fn, .arg = arg};
    store_each(store, kind, object_namespace(orphan), match_one, &match);
}
