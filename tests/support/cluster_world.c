#include "tests/support/cluster_world.h"

#include "base/auto.h"
#include "base/mem.h"
#include "services/cluster/env/object.h"

#include "tests/support/test.h"

static json_t *parse(const char *text)
{
    AUTO_FREE char *proper = xstrdup(text);
    for (char *c = proper; *c; c++)
        *c = *c == '\'' ? '"' : *c;
    json_t *object = json_loads(proper, 0, NULL);
    assert_non_null(object);
    return object;
}

/* ---- the kubelet -------------------------------------------------------------------------- */

static void start_pod(cluster_world_t *self, const kind_t *kind, json_t *pod)
{
    const json_t *container = json_array_get(object_at(pod, "spec.containers"), 0);
    const char *image = object_string(container, "image");
    bool has_ended = strcmp(image, "completes") == 0 || strcmp(image, "fails") == 0;
    json_t *copy = object_copy(pod, "status");
    object_set(copy, "status.phase",
        json_string(!has_ended      ? "Running"
                    : *image == 'c' ? "Succeeded"
                                    : "Failed"));
    object_set(copy, "status.podIP", json_sprintf("10.244.0.%d", ++self->addresses));
    object_set(copy, "status.conditions",
        json_pack("[{s:s, s:s, s:o}]", "type", "Ready", "status", has_ended ? "False" : "True",
            "lastTransitionTime", object_time_now()));
    assert_int_equal(store_update(self->store, kind, copy, STORE_STATUS, NULL), 0);
}

static void on_pod(
    void *arg, store_change_t change, const kind_t *kind, json_t *object, json_t *old)
{
    cluster_world_t *self = arg;
    (void)old;
    const json_t *container = json_array_get(object_at(object, "spec.containers"), 0);
    json_t *present = store_get(self->store, kind, object_namespace(object), object_name(object));
    if (change == STORE_DELETED || present != object)
        return;
    if (object_is_deleted(object))
        (void)store_remove(self->store, kind, object_namespace(object), object_name(object), NULL);
    else if (*object_string(object, "spec.nodeName") && !*object_string(object, "status.podIP")
             && strcmp(object_string(container, "image"), "broken") != 0)
        start_pod(self, kind, object);
}

static bool read_usage(
    void *arg, const json_t *pod, const char *container, usage_reading_t *reading)
{
    const cluster_world_t *self = arg;
    int64_t now = ev_now(self->ev);
    (void)pod;
    (void)container;
    *reading = (usage_reading_t){
        .cpu_ns = self->cpu_ns + (uint64_t)(self->cpu_millis * 1000 * (now - self->used_since)),
        .memory_bytes = 64 << 20,
        .age_ms = now + 1};
    return true;
}

void cluster_world_use_cpu(cluster_world_t *self, int64_t millis)
{
    int64_t now = ev_now(self->ev);
    self->cpu_ns += (uint64_t)(self->cpu_millis * 1000 * (now - self->used_since));
    self->cpu_millis = millis;
    self->used_since = now;
}

/* ---- objects ------------------------------------------------------------------------------ */

static void create(cluster_world_t *self, const char *kind, json_t *object)
{
    err_t err = {0};
    (void)store_create(self->store, kind_find(kind), object, NULL, &err);
    assert_string_equal(err.text, "");
}

void cluster_world_create(cluster_world_t *self, const char *kind, const char *text)
{
    json_t *object = parse(text);
    object_set(object, "metadata.namespace", json_string("shop"));
    create(self, kind, object);
}

json_t *cluster_world_get(cluster_world_t *self, const char *kind, const char *name)
{
    return store_get(self->store, kind_find(kind), "shop", name);
}

void cluster_world_change(
    cluster_world_t *self, const char *kind, const char *name, const char *text)
{
    json_t *copy = json_deep_copy(cluster_world_get(self, kind, name));
    json_auto_t *change = parse(text);
    json_object_update_recursive(copy, change);
    err_t err = {0};
    (void)store_update(self->store, kind_find(kind), copy, STORE_ALL, &err);
    assert_string_equal(err.text, "");
}

void cluster_world_deploy(
    cluster_world_t *self, const char *name, const char *image, int replicas, const char *more)
{
    AUTO_FREE char *text = xasprintf(
        "{'metadata':{'name':'%s'},'spec':{'replicas':%d,'selector':{'matchLabels':{'app':'%s'}},"
        "'template':{'metadata':{'labels':{'app':'%s'}},'spec':{'containers':[{'name':'c',"
        "'image':'%s','ports':[{'name':'http','containerPort':8080}]}]}}%s}}",
        name, replicas, name, name, image, more);
    cluster_world_create(self, "Deployment", text);
}

typedef struct search {
    const char *reason;
    const char *message;
    size_t count;
    size_t wanted;
    json_t *found;
} search_t;

static void count_one(void *arg, json_t *object)
{
    search_t *self = arg;
    if (self->count == self->wanted)
        self->found = object;
    self->count++;
}

size_t cluster_world_count(cluster_world_t *self, const char *kind, const char *namespace)
{
    search_t search = {0};
    store_each(self->store, kind_find(kind), namespace, count_one, &search);
    return search.count;
}

json_t *cluster_world_nth(cluster_world_t *self, const char *kind, size_t i)
{
    search_t search = {.wanted = i};
    store_each(self->store, kind_find(kind), "shop", count_one, &search);
    return search.found;
}

static void count_event(void *arg, json_t *event)
{
    search_t *self = arg;
    if (strcmp(object_string(event, "reason"), self->reason) == 0
        && (!self->message || strcmp(object_string(event, "message"), self->message) == 0))
        self->count += (size_t)object_integer(event, "count", 1);
}

size_t cluster_world_events(cluster_world_t *self, const char *reason, const char *message)
{
    search_t search = {.reason = reason, .message = message};
    store_each(self->store, kind_find("Event"), "shop", count_event, &search);
    return search.count;
}

/* ---- life cycle --------------------------------------------------------------------------- */

void cluster_world_run(cluster_world_t *self, int64_t span_ms)
{
    ev_sim_run_for(self->ev, span_ms);
}

cluster_world_t *cluster_world_new(void)
{
    static const char *const nodes[] = {"n1", "n2", "n3"};
    cluster_world_t *self = xcalloc(1, sizeof(*self));
    self->ev = ev_sim_new();
    self->store = store_new(self->ev, 1);
    self->usage = usage_new(self->ev, self->store);
    usage_set_reader(self->usage, read_usage, self);
    create(self, "Namespace", parse("{'metadata':{'name':'default'}}"));
    create(self, "Namespace", parse("{'metadata':{'name':'shop'}}"));
    for (size_t i = 0; i < ARRAY_SIZE(nodes); i++)
        create(self, "Node",
            json_pack("{s:{s:s, s:{s:s}}, s:{s:{s:s, s:s, s:s}}}", "metadata", "name", nodes[i],
                "labels", "kubernetes.io/hostname", nodes[i], "status", "allocatable", "cpu", "4",
                "memory", "8Gi", "pods", "110"));
    self->controllers = controllers_new(self->ev, self->store, self->usage, "CERTIFICATE");
    self->kubelet = store_watch(self->store, kind_find("Pod"), on_pod, self);
    cluster_world_run(self, 1);
    return self;
}

void cluster_world_destroy(cluster_world_t **self_p)
{
    cluster_world_t *self = *self_p;
    *self_p = NULL;
    store_watch_end(&self->kubelet);
    controllers_destroy(&self->controllers);
    usage_destroy(&self->usage);
    store_destroy(&self->store);
    ev_destroy(&self->ev);
    free(self);
}
