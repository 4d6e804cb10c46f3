#include "services/evaluator/snapshot.h"

#include "base/auto.h"
#include "base/mem.h"

#include <string.h>

enum { REQUEST_MS = 10 * 1000 };

/* What somebody asks for; what controllers make of it is their business. */
static const char *const kinds[] = {"ConfigMap", "CronJob", "DaemonSet", "Deployment",
    "HorizontalPodAutoscaler", "Ingress", "LimitRange", "NetworkPolicy", "Node",
    "PersistentVolumeClaim", "PodDisruptionBudget", "ResourceQuota", "Role", "RoleBinding",
    "Secret", "Service", "ServiceAccount", "StatefulSet"};

typedef struct part {
    snapshot_t *owner; /* borrowed */
    const char *kind;  /* of a list; NULL: an answer */
    const char *request;
    int call;
} part_t;

struct snapshot {
    ev_t *ev;
    kube_t *kube;
    char *namespace;
    snapshot_fn *on_done;
    void *arg;
    json_t *answers_wanted;
    json_t *objects, *pods, *answers;
    part_t *parts;
    size_t part_count;
    size_t open_count;
    int end_timer;
    err_t err;
};

/* ---- fingerprints ------------------------------------------------------------------------- */

/* FNV-1a, http://www.isthe.com/chongo/tech/comp/fnv/ */
static json_t *fingerprint(const char *text, size_t size)
{
    uint64_t hash = 0xcbf29ce484222325ULL;
    for (size_t i = 0; i < size; i++)
        hash = (hash ^ (unsigned char)text[i]) * 0x100000001b3ULL;
    char digits[20];
    (void)snprintf(digits, sizeof(digits), "%016llx", (unsigned long long)hash);
    return json_string(digits);
}

/* Notes that tools and controllers keep in an object for themselves. */
static void drop_bookkeeping(json_t *annotations)
{
    static const char *const notes[] = {"kubectl.kubernetes.io/last-applied-configuration",
        "kubectl.kubernetes.io/restartedAt", "deployment.kubernetes.io/revision",
        "kubernetes.io/change-cause", "node.alpha.kubernetes.io/ttl"};
    for (size_t i = 0; i < ARRAY_SIZE(notes); i++)
        json_object_del(annotations, notes[i]);
}

static json_t *annotations_of(json_t *metadata)
{
    json_t *annotations = json_object_get(metadata, "annotations");
    drop_bookkeeping(annotations);
    if (annotations && json_object_size(annotations) == 0) {
        json_object_del(metadata, "annotations");
        return NULL;
    }
    return annotations;
}

static json_t *fingerprint_of(const json_t *object)
{
    json_auto_t *asked = json_deep_copy(object);
    json_t *metadata = json_object_get(asked, "metadata");
    json_t *kept = json_object();
    json_t *annotations = annotations_of(metadata);
    if (annotations)
        json_object_set(kept, "annotations", annotations);
    if (json_object_get(metadata, "labels"))
        json_object_set(kept, "labels", json_object_get(metadata, "labels"));
    json_object_set_new(asked, "metadata", kept);
    json_object_del(asked, "status");
    json_t *template = json_object_get(json_object_get(asked, "spec"), "template");
    (void)annotations_of(json_object_get(template, "metadata"));
    AUTO_FREE char *text = json_dumps(asked, JSON_COMPACT | JSON_SORT_KEYS);
    return fingerprint(text, strlen(text));
}

/* ---- taking it ---------------------------------------------------------------------------- */

static int64_t restarts_of(const json_t *pod)
{
    int64_t sum = 0;
    size_t i;
    json_t *status;
    json_array_foreach(json_object_get(json_object_get(pod, "status"), "containerStatuses"), i,
        status) sum += json_integer_value(json_object_get(status, "restartCount"));
    return sum;
}

static void take_list(snapshot_t *self, const char *kind, const json_t *list)
{
    size_t i;
    json_t *item;
    json_array_foreach(json_object_get(list, "items"), i, item)
    {
        const char *name =
            json_string_value(json_object_get(json_object_get(item, "metadata"), "name"));
        AUTO_FREE char *key = xasprintf("%s/%s", kind, name ? name : "");
        if (name && strcmp(kind, "Pod") == 0)
            json_object_set_new(self->pods, name, json_integer(restarts_of(item)));
        else if (name)
            json_object_set_new(self->objects, key, fingerprint_of(item));
    }
}

static void take_answer(snapshot_t *self, const char *request, const kube_answer_t *answer)
{
    json_t *seen = answer->err ? json_pack("{s:s}", "error", answer->err->text)
                               : fingerprint(answer->text, answer->size);
    json_object_set_new(self->answers, request, seen);
}

static void on_end(void *arg)
{
    snapshot_t *self = arg;
    self->end_timer = 0;
    json_auto_t *taken = json_pack(
        "{s:O, s:O, s:O}", "objects", self->objects, "pods", self->pods, "answers", self->answers);
    self->on_done(self->arg, self->err.code ? &self->err : NULL, taken);
}

static void on_answer(void *arg, const kube_answer_t *answer)
{
    part_t *part = arg;
    snapshot_t *self = part->owner;
    part->call = 0;
    if (!part->kind)
        take_answer(self, part->request, answer);
    else if (!answer->err)
        take_list(self, part->kind, answer->object);
    else if (answer->err->code != ERR_NOT_FOUND) /* else the cluster has no such kind */
        self->err = *answer->err;
    if (--self->open_count == 0)
        self->end_timer = ev_after(self->ev, 0, on_end, self);
}

/* "POST /user?a=b", to the service and port of "http://frontend.ns.svc:5000", by the API server. */
static kube_request_t *answer_request(const snapshot_t *self, const char *request, const char *url)
{
    const char *host = strstr(url, "://");
    host = host ? host + 3 : url;
    const char *colon = strchr(host, ':');
    const char *port = colon ? colon + 1 : "80";
    const char *path = strchr(request, '/');
    /* a request borrows its method */
    const char *method = strncmp(request, "POST ", 5) == 0 ? "POST" : "GET";
    AUTO_FREE char *at =
        xasprintf("/api/v1/namespaces/%s/services/%.*s:%.*s/proxy%s", self->namespace,
            (int)strcspn(host, ".:/"), host, (int)strcspn(port, "/"), port, path ? path : "/");
    return kube_raw(method, at, NULL, NULL);
}

static void ask(snapshot_t *self, const char *kind, const char *answer, kube_request_t *request)
{
    part_t *part = &self->parts[self->part_count++];
    *part = (part_t){.owner = self, .kind = kind, .request = answer};
    self->open_count++;
    part->call = kube_send(self->kube, kube_within(request, REQUEST_MS), on_answer, part);
}

snapshot_t *snapshot_new(
    ev_t *ev, kube_t *kube, const json_t *problem, snapshot_fn *on_done, void *arg)
{
    snapshot_t *self = xcalloc(1, sizeof(*self));
    const json_t *expected = json_object_get(problem, "expected");
    const char *namespace = json_string_value(json_object_get(problem, "namespace"));
    const char *url = json_string_value(json_object_get(json_object_get(problem, "load"), "url"));
    self->ev = ev;
    self->kube = kube;
    self->namespace = xstrdup(namespace ? namespace : "default");
    self->on_done = on_done;
    self->arg = arg;
    self->objects = json_object();
    self->pods = json_object();
    self->answers = json_object();
    self->answers_wanted = json_deep_copy(json_object_get(expected, "answers"));
    size_t answer_count = json_array_size(self->answers_wanted);
    self->parts = xcalloc(ARRAY_SIZE(kinds) + 1 + answer_count, sizeof(*self->parts));
    for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
        ask(self, kinds[i], NULL, kube_list(KUBE(kinds[i], self->namespace, NULL), NULL, NULL));
    ask(self, "Pod", NULL, kube_list(KUBE("Pod", self->namespace, NULL), NULL, NULL));
    for (size_t i = 0; i < answer_count; i++) {
        const char *request = json_string_value(json_array_get(self->answers_wanted, i));
        ask(self, NULL, request, answer_request(self, request, url ? url : ""));
    }
    return self;
}

void snapshot_destroy(snapshot_t **self_p)
{
    snapshot_t *self = TAKE(*self_p);
    if (!self)
        return;
    for (size_t i = 0; i < self->part_count; i++)
        kube_cancel(self->kube, self->parts[i].call);
    ev_cancel(self->ev, self->end_timer);
    json_t *trees[] = {self->objects, self->pods, self->answers, self->answers_wanted};
    for (size_t i = 0; i < ARRAY_SIZE(trees); i++)
        json_decref(trees[i]);
    free(self->parts);
    free(self->namespace);
    free(self);
}

bool snapshot_is_answered(const json_t *snapshot)
{
    const char *request;
    json_t *answer;
    json_object_foreach(json_object_get(snapshot, "answers"), request, answer)
    {
        if (!json_is_string(answer))
            return false;
    }
    return true;
}

/* ---- comparing ---------------------------------------------------------------------------- */

/* Adds the keys of a that b does not have, or has otherwise. */
static void add_differences(const json_t *a, const json_t *b, json_t *absent, json_t *other)
{
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)a, key, value)
    {
        const json_t *there = json_object_get(b, key);
        if (!there)
            json_array_append_new(absent, json_string(key));
        else if (other && !json_equal(value, there))
            json_array_append_new(other, json_string(key));
    }
}

json_t *snapshot_compare(const json_t *before, const json_t *after)
{
    json_t *gone = json_array();
    json_t *changed = json_array();
    json_t *new = json_array();
    json_t *answers = json_array();
    json_auto_t *pods_gone = json_array();
    const json_t *objects = json_object_get(after, "objects");
    add_differences(json_object_get(before, "objects"), objects, gone, changed);
    add_differences(objects, json_object_get(before, "objects"), new, NULL);
    add_differences(
        json_object_get(before, "answers"), json_object_get(after, "answers"), answers, answers);
    const json_t *pods = json_object_get(after, "pods");
    add_differences(json_object_get(before, "pods"), pods, pods_gone, NULL);
    int64_t restarts = 0;
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)pods, key, value) restarts +=
        json_integer_value(value)
        - json_integer_value(json_object_get(json_object_get(before, "pods"), key));
    return json_pack("{s:o, s:o, s:o, s:o, s:I, s:I}", "gone", gone, "changed", changed, "new", new,
        "answers_changed", answers, "pods_replaced", (json_int_t)json_array_size(pods_gone),
        "restarts", (json_int_t)restarts);
}
