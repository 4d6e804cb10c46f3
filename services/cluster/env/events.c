#include "services/cluster/env/events.h"

#include "services/cluster/env/object.h"

#include "base/auto.h"
#include "base/mem.h"

#include <string.h>
#include <time.h>

/* What makes two events one, and the one of them that is stored already. */
typedef struct search {
    const char *component;
    const char *uid;
    const char *field;
    const char *reason;
    const char *message;
    json_t *known; /* borrowed, or NULL */
} search_t;

static void compare(void *arg, json_t *event)
{
    search_t *search = arg;
    if (strcmp(object_string(event, "involvedObject.uid"), search->uid) == 0
        && strcmp(object_string(event, "reason"), search->reason) == 0
        && strcmp(object_string(event, "message"), search->message) == 0
        && strcmp(object_string(event, "involvedObject.fieldPath"), search->field) == 0
        && strcmp(object_string(event, "source.component"), search->component) == 0)
        search->known = event;
}

/* Named by the time, as client-go names them: kubectl lists events of one second in this order. */
static char *event_name(const json_t *object)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return xasprintf("%s.%llx", object_name(object),
        (unsigned long long)now.tv_sec * 1000000000ULL + (unsigned long long)now.tv_nsec);
}

static json_t *involved(const json_t *object, const char *field)
{
    json_t *reference = json_pack("{s:s, s:s, s:s, s:s, s:s}", "kind",
        object_string(object, "kind"), "name", object_name(object), "uid", object_uid(object),
        "apiVersion", object_string(object, "apiVersion"), "resourceVersion",
        object_string(object, "metadata.resourceVersion"));
    if (*object_namespace(object))
        json_object_set_new(reference, "namespace", json_string(object_namespace(object)));
    if (field)
        json_object_set_new(reference, "fieldPath", json_string(field));
    return reference;
}

static json_t *source_object(const event_source_t *source)
{
    json_t *object = json_pack("{s:s}", "component", source->component);
    if (source->host)
        json_object_set_new(object, "host", json_string(source->host));
    return object;
}

/* Events about objects without a namespace live in "default". */
static const char *event_namespace(const json_t *object)
{
    return *object_namespace(object) ? object_namespace(object) : "default";
}

static void count_again(store_t *store, const kind_t *kind, const json_t *known)
{
    json_t *event = object_copy(known, "");
    json_object_set_new(event, "count", json_integer(object_integer(known, "count", 1) + 1));
    json_object_set_new(event, "lastTimestamp", object_time_now());
    (void)store_update(store, kind, event, STORE_ALL, NULL); /* see the header */
}

void event_record(store_t *store, event_source_t source, const json_t *object, const char *field,
    const char *type, const char *reason, const char *format, ...)
{
    char message[1024];
    va_list args;
    va_start(args, format);
    vsnprintf(message, sizeof(message), format, args);
    va_end(args);

    const kind_t *kind = kind_find("Event");
    search_t search = {.component = source.component,
        .uid = object_uid(object),
        .field = field ? field : "",
        .reason = reason,
        .message = message};
    store_each(store, kind, event_namespace(object), compare, &search);
    if (search.known) {
        count_again(store, kind, search.known);
        return;
    }
    AUTO_FREE char *name = event_name(object);
    json_t *event = json_pack(
        "{s:{s:s, s:s}, s:o, s:s, s:s, s:o, s:o, s:o, s:i, s:s, s:n, s:s, s:s}", "metadata", "name",
        name, "namespace", event_namespace(object), "involvedObject", involved(object, field),
        "reason", reason, "message", message, "source", source_object(&source), "firstTimestamp",
        object_time_now(), "lastTimestamp", object_time_now(), "count", 1, "type", type,
        "eventTime", "reportingComponent", "", "reportingInstance", "");
    (void)store_create(store, kind, event, NULL, NULL); /* see the header */
}
