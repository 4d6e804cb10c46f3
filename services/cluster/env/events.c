#include "services/cluster/env/events.h"

#include "services/cluster/env/object.h"

#include "base/auto.h"
#include "base/mem.h"

#include <string.h>

/* What makes two events one, as a number for the event's name: FNV-1a over its parts. */
static uint64_t mix(uint64_t hash, const char *text)
{
    for (; *text; text++)
        hash = (hash ^ (uint8_t)*text) * 0x100000001b3ULL;
    return (hash ^ 0xff) * 0x100000001b3ULL; /* a separator that no text holds */
}

static char *event_name(const event_source_t *source, const json_t *object, const char *field,
    const char *reason, const char *message)
{
    uint64_t hash = 0xcbf29ce484222325ULL;
    hash = mix(hash, source->component);
    hash = mix(hash, object_uid(object));
    hash = mix(hash, field ? field : "");
    hash = mix(hash, reason);
    hash = mix(hash, message);
    return xasprintf("%s.%016llx", object_name(object), (unsigned long long)hash);
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
    AUTO_FREE char *name = event_name(&source, object, field, reason, message);
    const json_t *known = store_get(store, kind, event_namespace(object), name);
    if (known) {
        count_again(store, kind, known);
        return;
    }
    json_t *event = json_pack(
        "{s:{s:s, s:s}, s:o, s:s, s:s, s:o, s:o, s:o, s:i, s:s, s:n, s:s, s:s}", "metadata", "name",
        name, "namespace", event_namespace(object), "involvedObject", involved(object, field),
        "reason", reason, "message", message, "source", source_object(&source), "firstTimestamp",
        object_time_now(), "lastTimestamp", object_time_now(), "count", 1, "type", type,
        "eventTime", "reportingComponent", "", "reportingInstance", "");
    (void)store_create(store, kind, event, NULL, NULL); /* see the header */
}
