#include "services/injector/targets.h"

#include "base/auto.h"
#include "base/mem.h"
#include "base/nearest.h"
#include "faults/target.h"

#include <string.h>

/* The kinds of objects behind the word in the table; a workload is any of three. */
static const struct struck {
    const char *word;
    const char *kinds[3];
} struck_table[] = {
    {"workload", {"Deployment", "StatefulSet", "DaemonSet"}},
    {"service", {"Service"}},
    {"node", {"Node"}},
    {"pod", {"Pod"}},
    {"role", {"Role"}},
    {"config map", {"ConfigMap"}},
    {"secret", {"Secret"}},
};

/* ---- what there is ------------------------------------------------------------------------ */

static int compare_names(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Sorted, so that the seed means the same whatever order the server answers in. */
static json_t *sorted(const json_t *names)
{
    size_t count = json_array_size(names);
    AUTO_FREE const char **texts = xcalloc(count + 1, sizeof(*texts));
    for (size_t i = 0; i < count; i++)
        texts[i] = json_string_value(json_array_get(names, i));
    qsort((void *)texts, count, sizeof(*texts), compare_names);
    json_t *list = json_array();
    for (size_t i = 0; i < count; i++)
        json_array_append_new(list, json_string(texts[i]));
    return list;
}

static int add_names(
    fault_work_t *work, const char *kind, const char *labels, json_t *names, err_t *err)
{
    json_auto_t *list = NULL;
    int rc = kube_call(work->kube,
        kube_list(KUBE(kind, fault_namespace(work), NULL), *labels ? labels : NULL, NULL), &list,
        err);
    size_t i;
    json_t *item;
    json_array_foreach(json_object_get(list, "items"), i, item)
        json_array_append(names, json_object_get(json_object_get(item, "metadata"), "name"));
    return rc;
}

/* The names of all of a word with these labels, sorted; *names_p is a new reference. */
static int names_of(
    fault_work_t *work, const char *word, const char *labels, json_t **names_p, err_t *err)
{
    json_auto_t *names = json_array();
    int rc = 0;
    for (size_t i = 0; i < ARRAY_SIZE(struck_table); i++) {
        if (strcmp(struck_table[i].word, word) != 0)
            continue;
        for (size_t k = 0; k < 3 && struck_table[i].kinds[k] && rc == 0; k++)
            rc = add_names(work, struck_table[i].kinds[k], labels, names, err);
    }
    if (rc == 0)
        *names_p = sorted(names);
    return rc;
}

/* ---- choosing ----------------------------------------------------------------------------- */

/* One step of splitmix64 (Steele, Lea, Flood 2014): good bits from any seed. */
static uint64_t scrambled(uint64_t seed)
{
    uint64_t z = seed + 0x9e3779b97f4a7c15U;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9U;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebU;
    return z ^ (z >> 31);
}

static bool has_name(const json_t *names, const char *name)
{
    size_t i;
    json_t *entry;
    json_array_foreach((json_t *)names, i, entry)
    {
        if (strcmp(json_string_value(entry), name) == 0)
            return true;
    }
    return false;
}

static int no_such_name(fault_work_t *work, const char *name, const json_t *names, err_t *err)
{
    size_t count = json_array_size(names);
    AUTO_FREE const char **texts = xcalloc(count + 1, sizeof(*texts));
    for (size_t i = 0; i < count; i++)
        texts[i] = json_string_value(json_array_get(names, i));
    AUTO_FREE char *hint = nearest_hint(name, texts, count);
    return err_set(err, ERR_NOT_FOUND, "there is no %s '%.60s' in namespace '%s'%s%s",
        work->spec->strikes, name, fault_namespace(work), *hint ? "; " : "", hint);
}

/* index tells targets of one fault apart that are the same words. */
static int resolve(fault_work_t *work, const char *text, size_t index, json_t *struck, err_t *err)
{
    target_t target;
    json_auto_t *names = NULL;
    int rc = target_parse(text, &target, err);
    if (rc == 0)
        rc = names_of(work, work->spec->strikes, target.labels ? target.labels : "", &names, err);
    size_t count = json_array_size(names);
    if (rc == 0 && target.name && !has_name(names, target.name))
        rc = no_such_name(work, target.name, names, err);
    else if (rc == 0 && count == 0)
        rc = err_set(err, ERR_NOT_FOUND, "the target '%.60s' is no %s in namespace '%s'", text,
            work->spec->strikes, fault_namespace(work));
    else if (rc == 0 && target.name)
        json_array_append_new(struck, json_string(target.name));
    else if (rc == 0 && target.is_random)
        json_array_append(
            struck, json_array_get(names, scrambled((uint64_t)work->record->seed + index) % count));
    else if (rc == 0)
        json_array_extend(struck, names);
    target_done(&target);
    return rc;
}

int targets_resolve(fault_work_t *work, err_t *err)
{
    record_t *record = work->record;
    if (json_array_size(record->struck))
        return 0;
    json_auto_t *struck = json_array();
    for (size_t i = 0; i < record->targets.count; i++) {
        int rc = resolve(work, record->targets.items[i], i, struck, err);
        if (rc < 0)
            return rc;
    }
    size_t i;
    json_t *name;
    json_array_foreach(struck, i, name)
    {
        if (!has_name(record->struck, json_string_value(name)))
            json_array_append(record->struck, name);
    }
    return record_save(record, err);
}
