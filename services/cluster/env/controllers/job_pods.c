/* The pods of a Job. */
#include "services/cluster/env/controllers/job_run.h"

#include "base/auto.h"
#include "base/mem.h"
#include "services/cluster/env/controllers/pods.h"
#include "services/cluster/env/object.h"

/* ---- how they look ------------------------------------------------------------------------ */

/* Containers with JOB_COMPLETION_INDEX in their environment. */
static json_t *with_index_variable(const json_t *containers)
{
    static const char name[] = "JOB_COMPLETION_INDEX";
    json_t *copy = json_deep_copy(containers);
    size_t i = 0;
    json_t *container = NULL;
    json_array_foreach(copy, i, container)
    {
        if (!json_object_get(container, "env"))
            json_object_set_new(container, "env", json_array());
        json_array_append_new(json_object_get(container, "env"),
            json_pack("{s:s, s:{s:{s:s, s:s}}}", "name", name, "valueFrom", "fieldRef",
                "apiVersion", "v1", "fieldPath", "metadata.annotations['" JOB_INDEX "']"));
    }
    return copy;
}

static void add_index(const job_run_t *self, json_t *pod, int64_t index)
{
    static const char *const lists[] = {"initContainers", "containers"};
    static const char *const maps[] = {"labels", "annotations"};
    json_t *metadata = json_object_get(pod, "metadata");
    json_t *spec = json_copy(json_object_get(pod, "spec"));
    for (size_t i = 0; i < ARRAY_SIZE(maps); i++) {
        json_t *known = json_object_get(metadata, maps[i]);
        json_t *map = known ? json_copy(known) : json_object();
        json_object_set_new(map, JOB_INDEX, json_sprintf("%lld", (long long)index));
        json_object_set_new(metadata, maps[i], map);
    }
    for (size_t i = 0; i < ARRAY_SIZE(lists); i++) {
        if (json_object_get(spec, lists[i]))
            json_object_set_new(
                spec, lists[i], with_index_variable(json_object_get(spec, lists[i])));
    }
    json_object_set_new(
        spec, "hostname", json_sprintf("%s-%lld", object_name(self->job), (long long)index));
    json_object_set_new(metadata, "generateName",
        json_sprintf("%s-%lld-", object_name(self->job), (long long)index));
    json_object_set_new(pod, "spec", spec);
}

static json_t *new_pod(const job_run_t *self, int64_t index)
{
    json_t *pod = pod_from_template(self->job, object_at(self->job, "spec.template"));
    json_t *metadata = json_object_get(pod, "metadata");
    json_t *known = json_object_get(metadata, "finalizers");
    json_t *finalizers = known ? json_copy(known) : json_array();
    json_array_append_new(finalizers, json_string(JOB_FINALIZER));
    json_object_set_new(metadata, "finalizers", finalizers);
    if (index >= 0)
        add_index(self, pod, index);
    return pod;
}

/* ---- making ------------------------------------------------------------------------------- */

static bool is_taken(const job_run_t *self, int64_t index)
{
    size_t i = 0;
    json_t *pod = NULL;
    if (job_index_has(object_string(self->status, "completedIndexes"), index))
        return true;
    json_array_foreach(self->active, i, pod)
    {
        if (job_index_of(pod) == index)
            return true;
    }
    return false;
}

/* The next index without a pod, from `from` on; -1 past the end. */
static int64_t next_index(const job_run_t *self, int64_t from)
{
    int64_t end = object_integer(self->job, "spec.completions", 0);
    while (from < end && is_taken(self, from))
        from++;
    return from < end ? from : -1;
}

int job_create_pods(job_run_t *self, event_source_t source, int64_t count)
{
    bool is_indexed = job_is_indexed(self);
    int64_t index = is_indexed ? next_index(self, 0) : -1;
    err_t err = {0};
    for (int64_t i = 0; i < count && (!is_indexed || index >= 0); i++) {
        json_t *stored = NULL;
        int rc = store_create(self->store, kind_find("Pod"), new_pod(self, index), &stored, &err);
        if (rc < 0) {
            event_record(self->store, source, self->job, NULL, "Warning", "FailedCreate",
                "Error creating: %s", err.text);
            return rc;
        }
        event_record(self->store, source, self->job, NULL, "Normal", "SuccessfulCreate",
            "Created pod: %s", object_name(stored));
        json_array_append(self->active, stored);
        index = is_indexed ? next_index(self, index + 1) : -1;
    }
    return 0;
}

/* ---- taking away -------------------------------------------------------------------------- */

void job_delete_pods(job_run_t *self, event_source_t source, size_t count)
{
    size_t active = json_array_size(self->active);
    AUTO_FREE json_t **ranked = xcalloc(active + 1, sizeof(*ranked));
    json_auto_t *victims = json_array();
    for (size_t i = 0; i < active; i++)
        ranked[i] = json_array_get(self->active, i);
    pods_rank_for_deletion(ranked, active);
    for (size_t i = 0; i < count && i < active; i++)
        json_array_append(victims, ranked[i]);
    job_release_all(self->store, victims);
    size_t i = 0;
    json_t *pod = NULL;
    json_array_foreach(victims, i, pod)
    {
        if (store_delete(
                self->store, kind_find("Pod"), object_namespace(pod), object_name(pod), NULL, NULL)
            == 0)
            event_record(self->store, source, self->job, NULL, "Normal", "SuccessfulDelete",
                "Deleted pod: %s", object_name(pod));
    }
    for (i = 0; i < count && i < active; i++) {
        size_t j = 0;
        json_array_foreach(self->active, j, pod)
        {
            if (pod == ranked[i])
                break;
        }
        (void)json_array_remove(self->active, j); /* it is among them */
    }
}
