#include "services/cluster/env/admission/limit_range.h"

#include "services/cluster/env/admission/pod_resources.h"
#include "services/cluster/env/object.h"
#include "services/cluster/env/quantity.h"

#include "base/auto.h"
#include "base/mem.h"

#include <string.h>

#define ANNOTATION "kubernetes.io/limit-ranger"

static const char *const container_lists[] = {"containers", "initContainers"};

static bool is_type(const json_t *limit, const char *type)
{
    return strcmp(object_string(limit, "type"), type) == 0;
}

/* ---- defaults ------------------------------------------------------------------------------ */

static void gather(json_t *into, const json_t *defaults)
{
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)defaults, key, value) json_object_set(into, key, value);
}

static void gather_defaults(void *arg, json_t *range)
{
    json_t *defaults = arg;
    size_t i;
    json_t *limit;
    json_array_foreach(object_at(range, "spec.limits"), i, limit)
    {
        if (!is_type(limit, "Container"))
            continue;
        gather(json_object_get(defaults, "requests"), json_object_get(limit, "defaultRequest"));
        gather(json_object_get(defaults, "limits"), json_object_get(limit, "default"));
    }
}

/* Sets what a container lacks; notes "cpu, memory request for container c". */
static void fill_part(json_t *container, const char *part, const json_t *defaults, FILE *notes)
{
    size_t count;
    AUTO_FREE const char **keys = object_sorted_keys(defaults, &count);
    const char *comma = "";
    for (size_t i = 0; i < count; i++) {
        AUTO_FREE char *path = xasprintf("resources.%s", part);
        json_t *present = object_at(container, path);
        if (json_object_get(present, keys[i]))
            continue;
        if (!json_is_object(present))
            object_set(container, path, json_object());
        json_object_set(object_at(container, path), keys[i], json_object_get(defaults, keys[i]));
        fprintf(notes, "%s%s", comma, keys[i]);
        comma = ", ";
    }
}

/* Fills one part of a container and writes the note of it. */
static void note_part(
    json_t *container, bool is_init, const char *part, const json_t *defaults, FILE *annotation)
{
    char *text = NULL;
    size_t size = 0;
    FILE *notes = mem_check(open_memstream(&text, &size));
    fill_part(container, part, json_object_get(defaults, part), notes);
    fclose(notes);
    if (*text)
        fprintf(annotation, "%s%s %.*s for %scontainer %s",
            ftell(annotation) ? "; " : "LimitRanger plugin set: ", text, (int)strlen(part) - 1,
            part, is_init ? "init " : "", object_string(container, "name"));
    free(text);
}

void limit_range_fill(store_t *store, json_t *pod)
{
    json_auto_t *defaults = json_pack("{s:{}, s:{}}", "requests", "limits");
    char *text = NULL;
    size_t size = 0;
    store_each(store, kind_find("LimitRange"), object_namespace(pod), gather_defaults, defaults);
    FILE *annotation = mem_check(open_memstream(&text, &size));
    for (size_t i = 0; i < ARRAY_SIZE(container_lists); i++) {
        size_t j;
        json_t *container;
        json_array_foreach(
            json_object_get(json_object_get(pod, "spec"), container_lists[i]), j, container)
        {
            note_part(container, i > 0, "requests", defaults, annotation);
            note_part(container, i > 0, "limits", defaults, annotation);
        }
    }
    fclose(annotation);
    if (*text) {
        if (!json_is_object(object_at(pod, "metadata.annotations")))
            object_set(pod, "metadata.annotations", json_object());
        json_object_set_new(object_at(pod, "metadata.annotations"), ANNOTATION, json_string(text));
    }
    free(text);
}

/* ---- rules --------------------------------------------------------------------------------- */

/* What is looked at: one container, a whole pod, or a claim. */
typedef struct subject {
    const char *type;
    const json_t *requests;
    const json_t *limits;
    bool is_claim;
    json_t *complaints; /* an array of strings, each once */
} subject_t;

static void complain(const subject_t *self, char *text)
{
    size_t i;
    json_t *known;
    json_auto_t *complaint = json_string(text);
    free(text);
    json_array_foreach(self->complaints, i, known)
    {
        if (json_equal(known, complaint))
            return;
    }
    json_array_append(self->complaints, complaint);
}

/* "minimum cpu usage per Container is 1, but request is 500m" */
static void complain_of(const subject_t *self, const char *which, const char *resource,
    const json_t *enforced, const char *what, const json_t *amount)
{
    json_auto_t *limit = quantity_canonical(enforced);
    json_auto_t *given = quantity_canonical(amount);
    if (amount)
        complain(self, xasprintf("%s %s usage per %s is %s, but %s is %s", which, resource,
                           self->type, json_string_value(limit), what, json_string_value(given)));
    else
        complain(self, xasprintf("%s %s usage per %s is %s.  No %s is specified", which, resource,
                           self->type, json_string_value(limit), what));
}

static void check_min(const subject_t *self, const char *resource, const json_t *enforced)
{
    const json_t *request = json_object_get(self->requests, resource);
    const json_t *limit = json_object_get(self->limits, resource);
    if (!request || quantity_compare(request, enforced) < 0)
        complain_of(self, "minimum", resource, enforced, "request", request);
    else if (limit && quantity_compare(limit, enforced) < 0)
        complain_of(self, "minimum", resource, enforced, "limit", limit);
}

static void check_max(const subject_t *self, const char *resource, const json_t *enforced)
{
    const json_t *request = json_object_get(self->requests, resource);
    const json_t *limit = json_object_get(self->limits, resource);
    if (self->is_claim) {
        if (!request || quantity_compare(request, enforced) > 0)
            complain_of(self, "maximum", resource, enforced, "request", request);
    } else if (!limit || quantity_compare(limit, enforced) > 0) {
        complain_of(self, "maximum", resource, enforced, "limit", limit);
    } else if (request && quantity_compare(request, enforced) > 0) {
        complain_of(self, "maximum", resource, enforced, "request", request);
    }
}

static void check_ratio(const subject_t *self, const char *resource, const json_t *enforced)
{
    int64_t request = quantity_millis(json_object_get(self->requests, resource));
    int64_t limit = quantity_millis(json_object_get(self->limits, resource));
    json_auto_t *most = quantity_canonical(enforced);
    AUTO_FREE char *rule = xasprintf("%s max limit to request ratio per %s is %s", resource,
        self->type, json_string_value(most));
    if (!request || !limit) {
        const char *missing = request ? "limit" : "request";
        complain(self, xasprintf("%s, but no %s is specified or %s is 0", rule, missing, missing));
        return;
    }
    double ratio = (double)limit / (double)request;
    if (ratio * 1000 > (double)quantity_millis(enforced))
        complain(self, xasprintf("%s, but provided ratio is %f", rule, ratio));
}

static void check_each(const subject_t *self, const json_t *bounds,
    void (*check)(const subject_t *self, const char *resource, const json_t *enforced))
{
    size_t count;
    AUTO_FREE const char **keys = object_sorted_keys(bounds, &count);
    for (size_t i = 0; i < count; i++)
        check(self, keys[i], json_object_get(bounds, keys[i]));
}

static void check_subject(const subject_t *self, const json_t *limit)
{
    check_each(self, json_object_get(limit, "min"), check_min);
    check_each(self, json_object_get(limit, "max"), check_max);
    if (!self->is_claim)
        check_each(self, json_object_get(limit, "maxLimitRequestRatio"), check_ratio);
}

static void check_containers(const json_t *pod, const json_t *limit, json_t *complaints)
{
    for (size_t i = 0; i < ARRAY_SIZE(container_lists); i++) {
        size_t j;
        json_t *container;
        json_array_foreach(
            json_object_get(json_object_get(pod, "spec"), container_lists[i]), j, container)
        {
            const subject_t subject = {.type = "Container",
                .requests = object_at(container, "resources.requests"),
                .limits = object_at(container, "resources.limits"),
                .complaints = complaints};
            check_subject(&subject, limit);
        }
    }
}

static void check_pod(const json_t *pod, const json_t *limit, json_t *complaints)
{
    if (is_type(limit, "Container")) {
        check_containers(pod, limit, complaints);
    } else if (is_type(limit, "Pod")) {
        json_auto_t *requests = pod_resources(pod, "requests");
        json_auto_t *limits = pod_resources(pod, "limits");
        const subject_t subject = {
            .type = "Pod", .requests = requests, .limits = limits, .complaints = complaints};
        check_subject(&subject, limit);
    }
}

static void check_claim(const json_t *claim, const json_t *limit, json_t *complaints)
{
    const subject_t subject = {.type = "PersistentVolumeClaim",
        .requests = object_at(claim, "spec.resources.requests"),
        .is_claim = true,
        .complaints = complaints};
    if (is_type(limit, subject.type))
        check_subject(&subject, limit);
}

/* ---- admission ----------------------------------------------------------------------------- */

typedef struct trial {
    const json_t *object;
    void (*check)(const json_t *object, const json_t *limit, json_t *complaints);
    err_t *err;
    int rc;
} trial_t;

static int refuse(const json_t *complaints, err_t *err)
{
    char *text = NULL;
    size_t size = 0;
    size_t i;
    json_t *complaint;
    FILE *out = mem_check(open_memstream(&text, &size));
    json_array_foreach(complaints, i, complaint)
        fprintf(out, "%s%s", i ? ", " : "", json_string_value(complaint));
    fclose(out);
    bool is_many = json_array_size(complaints) > 1;
    int rc = err_set(err, ERR_FORBIDDEN, "%s%s%s", is_many ? "[" : "", text, is_many ? "]" : "");
    free(text);
    return rc;
}

/* The first range that is not kept to is told. */
static void try_range(void *arg, json_t *range)
{
    trial_t *self = arg;
    json_auto_t *complaints = json_array();
    size_t i;
    json_t *limit;
    if (self->rc < 0)
        return;
    json_array_foreach(object_at(range, "spec.limits"), i, limit)
        self->check(self->object, limit, complaints);
    if (json_array_size(complaints))
        self->rc = refuse(complaints, self->err);
}

int limit_range_admit(
    store_t *store, const kind_t *kind, const json_t *object, const json_t *old, err_t *err)
{
    trial_t trial = {.object = object, .err = err};
    if (strcmp(kind->name, "Pod") == 0 && !old) /* what a pod asks for cannot change */
        trial.check = check_pod;
    else if (strcmp(kind->name, "PersistentVolumeClaim") == 0)
        trial.check = check_claim;
    else
        return 0;
    store_each(store, kind_find("LimitRange"), object_namespace(object), try_range, &trial);
    return trial.rc;
}
