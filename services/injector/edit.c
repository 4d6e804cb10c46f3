#include "services/injector/edit.h"

#include "base/auto.h"
#include "base/mem.h"
#include "services/injector/difference.h"

#include <string.h>

enum { CONFLICTS_MAX = 20 };

static const char *text_of(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    return text ? text : "";
}

static kube_ref_t ref_of(const json_t *object)
{
    const json_t *metadata = json_object_get(object, "metadata");
    return KUBE(text_of(object, "kind"), json_string_value(json_object_get(metadata, "namespace")),
        text_of(metadata, "name"));
}

/* The object as it is now, or NULL if there is none, which is no failure. */
static int read_now(fault_work_t *work, const json_t *like, json_t **now_p, err_t *err)
{
    err_t cause = {0};
    int rc = kube_call(work->kube, kube_get(ref_of(like)), now_p, &cause);
    if (rc == 0 || rc == -ERR_NOT_FOUND)
        return 0;
    return err_set(err, cause.code, "%s", cause.text);
}

int edit_look(fault_work_t *work, const char *kind, const char *name, json_t **object_p, err_t *err)
{
    json_auto_t *like = json_pack("{s:s, s:{s:s, s:s}}", "kind", kind, "metadata", "namespace",
        fault_namespace(work), "name", name);
    return read_now(work, like, object_p, err);
}

/* What an object needs, to be created again: nothing that only its former life had. */
static json_t *as_new(const json_t *object)
{
    static const char *const former[] = {"resourceVersion", "uid", "creationTimestamp",
        "generation", "managedFields", "deletionTimestamp", "deletionGracePeriodSeconds",
        "selfLink"};
    json_t *copy = json_deep_copy(object);
    json_t *metadata = json_object_get(copy, "metadata");
    for (size_t i = 0; i < ARRAY_SIZE(former); i++)
        (void)json_object_del(metadata, former[i]); /* it may have none */
    (void)json_object_del(copy, "status");
    return copy;
}

/* ---- making them -------------------------------------------------------------------------- */

typedef void(revise_fn)(void *arg, json_t *object);

/* Writes the object; if somebody else did meanwhile, reads it and revises it again. A gone one
 * yields -ERR_NOT_FOUND. */
static int write_over(
    fault_work_t *work, json_t *object /* taken */, revise_fn *revise, void *arg, err_t *err)
{
    int rc = -ERR_STATE;
    for (int i = 0; i < CONFLICTS_MAX && rc == -ERR_STATE; i++) {
        err_t cause = {0};
        revise(arg, object);
        rc = kube_call(work->kube, kube_put(object), NULL, &cause);
        if (rc < 0)
            (void)err_set(err, cause.code, "%s", cause.text);
        if (rc != -ERR_STATE)
            break;
        json_t *fresh = NULL;
        int read = kube_call(work->kube, kube_get(ref_of(object)), &fresh, &cause);
        if (read < 0) {
            rc = err_set(err, cause.code, "%s", cause.text);
            break;
        }
        json_decref(object);
        object = fresh;
    }
    json_decref(object);
    return rc;
}

static void do_parts(void *arg, json_t *object)
{
    size_t i;
    json_t *part;
    json_array_foreach((json_t *)arg, i, part)(void)
        difference_part_do(part, object); /* alive tells what became of it */
}

int edit_change(fault_work_t *work, const json_t *before, const json_t *after, err_t *err)
{
    json_auto_t *parts = difference_between(before, after);
    const char *name = ref_of(before).name;
    if (json_array_size(parts) == 0)
        return err_set(err, ERR_STATE, "%s '%s' is so already; there is nothing to break",
            text_of(before, "kind"), name);
    int rc = record_note(work->record,
        json_pack("{s:s, s:b, s:O, s:O}", "did", "change", "aside", work->is_aside, "object",
            before, "parts", parts),
        err);
    return rc < 0 ? rc : write_over(work, json_deep_copy(before), do_parts, parts, err);
}

int edit_create(fault_work_t *work, json_t *object, err_t *err)
{
    json_auto_t *owned = object;
    json_auto_t *now = NULL;
    int rc = read_now(work, owned, &now, err);
    if (rc == 0 && now)
        rc = err_set(
            err, ERR_EXISTS, "%s '%s' exists already", text_of(owned, "kind"), ref_of(owned).name);
    if (rc == 0)
        rc = record_note(work->record,
            json_pack("{s:s, s:b, s:O}", "did", "create", "aside", work->is_aside, "object", owned),
            err);
    rc = rc < 0 ? rc : kube_call(work->kube, kube_create(owned), NULL, err);
    return rc == -ERR_NOT_FOUND ? err_wrap(err, "this cluster takes no %s", text_of(owned, "kind"))
                                : rc;
}

int edit_remove(fault_work_t *work, const json_t *object, err_t *err)
{
    int rc = record_note(work->record,
        json_pack("{s:s, s:b, s:O}", "did", "remove", "aside", work->is_aside, "object", object),
        err);
    return rc < 0 ? rc : kube_call(work->kube, kube_delete(ref_of(object), -1), NULL, err);
}

/* ---- undoing them ------------------------------------------------------------------------- */

static int make_again(fault_work_t *work, const json_t *object, err_t *err)
{
    json_auto_t *copy = as_new(object);
    int rc = kube_call(work->kube, kube_create(copy), NULL, err);
    return rc == -ERR_EXISTS ? 0 : rc;
}

static void undo_parts(void *arg, json_t *object)
{
    const json_t *edit = arg;
    json_t *parts = json_object_get(edit, "parts");
    size_t i;
    json_t *part;
    json_array_foreach(parts, i, part)
    {
        if (difference_part_holds(part, object))
            (void)difference_part_undo(part, object, json_object_get(edit, "object"));
    }
}

static int undo_change(fault_work_t *work, const json_t *edit, err_t *err)
{
    const json_t *object = json_object_get(edit, "object");
    json_t *now = NULL;
    int rc = read_now(work, object, &now, err);
    if (rc < 0)
        return rc;
    if (!now)
        return make_again(work, object, err);
    rc = write_over(work, now, undo_parts, (void *)edit, err);
    return rc == -ERR_NOT_FOUND ? make_again(work, object, err) : rc;
}

static int undo(fault_work_t *work, const json_t *edit, err_t *err)
{
    const char *did = text_of(edit, "did");
    const json_t *object = json_object_get(edit, "object");
    if (strcmp(did, "change") == 0)
        return undo_change(work, edit, err);
    if (strcmp(did, "remove") == 0)
        return make_again(work, object, err);
    int rc = kube_call(work->kube, kube_delete(ref_of(object), -1), NULL, err);
    return rc == -ERR_NOT_FOUND ? 0 : rc;
}

/* All are tried, though one fails; the first failure is told. */
int edit_recover(fault_work_t *work, err_t *err)
{
    err_t first = {0};
    for (size_t i = json_array_size(work->record->changes); i > 0; i--) {
        const json_t *edit = json_array_get(work->record->changes, i - 1);
        err_t cause = {0};
        if (undo(work, edit, &cause) < 0 && !first.code) {
            const json_t *object = json_object_get(edit, "object");
            (void)err_set(&first, cause.code, "%s '%s': %.180s", text_of(object, "kind"),
                ref_of(object).name, cause.text);
        }
    }
    return first.code ? err_set(err, first.code, "%s", first.text) : 0;
}

/* ---- looking at them ---------------------------------------------------------------------- */

static bool holds(const json_t *edit, const json_t *now)
{
    const char *did = text_of(edit, "did");
    if (strcmp(did, "remove") == 0)
        return !now;
    if (strcmp(did, "create") == 0)
        return now && difference_has(now, json_object_get(edit, "object"));
    size_t i;
    json_t *part;
    json_array_foreach(json_object_get(edit, "parts"), i, part)
    {
        if (!now || !difference_part_holds(part, now))
            return false;
    }
    return true;
}

static const json_t *pod_spec_of(const json_t *workload)
{
    const json_t *spec = json_object_get(workload, "spec");
    return json_object_get(json_object_get(spec, "template"), "spec");
}

/* Whether a workload's pods are told something else than when they were restarted. */
static bool is_worked_around(const json_t *edit, const json_t *now)
{
    const json_t *before = pod_spec_of(json_object_get(edit, "object"));
    return before && strcmp(text_of(edit, "did"), "change") == 0
           && !(now && json_equal(pod_spec_of(now), before));
}

static void add_evidence(fault_work_t *work, const json_t *edit, const json_t *now, bool is_held)
{
    const json_t *object = json_object_get(edit, "object");
    AUTO_FREE char *key = xasprintf("%s/%s", text_of(object, "kind"), ref_of(object).name);
    json_object_set_new(work->evidence, key,
        json_string(is_held ? "as the fault left it"
                    : now   ? "changed since"
                            : "not there"));
}

int edit_alive(fault_work_t *work, err_t *err)
{
    bool is_in_force = false;
    bool is_other_way = false;
    work->evidence = json_object();
    size_t i;
    json_t *edit;
    json_array_foreach(work->record->changes, i, edit)
    {
        json_auto_t *now = NULL;
        int rc = read_now(work, json_object_get(edit, "object"), &now, err);
        if (rc < 0)
            return rc;
        bool is_aside = json_is_true(json_object_get(edit, "aside"));
        bool is_held = is_aside ? !is_worked_around(edit, now) : holds(edit, now);
        add_evidence(work, edit, now, is_held);
        is_in_force = is_in_force || (is_held && !is_aside);
        is_other_way = is_other_way || (!is_held && is_aside);
    }
    work->finding = is_in_force && !is_other_way ? FAULT_HOLDS : FAULT_REPAIRED;
    return 0;
}

/* ---- faults on one object ----------------------------------------------------------------- */

static bool is_same_object(const json_t *a, const json_t *b)
{
    kube_ref_t left = ref_of(a);
    kube_ref_t right = ref_of(b);
    return strcmp(left.kind, right.kind) == 0 && strcmp(left.name, right.name) == 0
           && strcmp(left.namespace ? left.namespace : "", right.namespace ? right.namespace : "")
                  == 0;
}

static bool is_same(const json_t *a, const json_t *b)
{
    return a && b ? json_equal(a, b) : !a && !b;
}

static bool is_heir(const json_t *later, const json_t *earlier)
{
    return is_same(json_object_get(later, "path"), json_object_get(earlier, "path"))
           && is_same(json_object_get(later, "before"), json_object_get(earlier, "after"));
}

static void inherit_part(json_t *later, const json_t *earlier)
{
    json_t *before = json_object_get(earlier, "before");
    if (before)
        json_object_set(later, "before", before);
    else
        (void)json_object_del(later, "before"); /* it may have none */
}

/* The later fault's picture of the object, too, shows it without the earlier one. */
static void inherit_edit(json_t *later, const json_t *earlier)
{
    undo_parts((void *)earlier, json_object_get(later, "object"));
    size_t i;
    size_t k;
    json_t *heir;
    json_t *part;
    json_array_foreach(json_object_get(later, "parts"), i, heir)
    {
        json_array_foreach(json_object_get(earlier, "parts"), k, part)
        {
            if (is_heir(heir, part))
                inherit_part(heir, part);
        }
    }
}

int edit_inherit(record_t *later, const record_t *earlier, err_t *err)
{
    json_auto_t *old = json_deep_copy(later->changes);
    size_t i;
    size_t k;
    json_t *heir;
    json_t *edit;
    json_array_foreach(later->changes, i, heir)
    {
        json_array_foreach(earlier->changes, k, edit)
        {
            if (is_same_object(json_object_get(heir, "object"), json_object_get(edit, "object")))
                inherit_edit(heir, edit);
        }
    }
    return json_equal(old, later->changes) ? 0 : record_save(later, err);
}

static bool edit_has_heir(const json_t *later, const json_t *earlier)
{
    size_t i;
    size_t k;
    json_t *heir;
    json_t *part;
    json_array_foreach(json_object_get(later, "parts"), i, heir)
    {
        json_array_foreach(json_object_get(earlier, "parts"), k, part)
        {
            if (is_heir(heir, part))
                return true;
        }
    }
    return false;
}

bool edit_covers(const record_t *later, const record_t *earlier)
{
    size_t i;
    size_t k;
    json_t *heir;
    json_t *edit;
    json_array_foreach(later->changes, i, heir)
    {
        json_array_foreach(earlier->changes, k, edit)
        {
            bool is_same_one =
                is_same_object(json_object_get(heir, "object"), json_object_get(edit, "object"));
            bool is_aside = json_is_true(json_object_get(edit, "aside"));
            if (is_same_one && (is_aside || edit_has_heir(heir, edit)))
                return true;
        }
    }
    return false;
}
