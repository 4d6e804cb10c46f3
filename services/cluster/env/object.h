/* object - reading Kubernetes objects, which are jansson trees.
 *
 * Paths are dotted ("spec.nodeName"); none of the readers minds a missing or misshapen part. */
#ifndef CLUSTER_ENV_OBJECT_H
#define CLUSTER_ENV_OBJECT_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <time.h>

/* The value at a path, borrowed, or NULL. */
json_t *object_at(const json_t *object, const char *path);

/* The string at a path, borrowed from the object; "" when there is none. */
const char *object_string(const json_t *object, const char *path);

/* The integer at a path, or otherwise. */
int64_t object_integer(const json_t *object, const char *path, int64_t otherwise);

/* Whether the value at a path is true. */
bool object_is_true(const json_t *object, const char *path);

/* metadata.name, .namespace and .uid; "" when absent. */
const char *object_name(const json_t *object);
const char *object_namespace(const json_t *object);
const char *object_uid(const json_t *object);

/* metadata.labels / metadata.annotations [key], or NULL. */
const char *object_label(const json_t *object, const char *key);
const char *object_annotation(const json_t *object, const char *key);

/* Whether metadata.deletionTimestamp is set. */
bool object_is_deleted(const json_t *object);

/* The owner reference with controller: true, borrowed, or NULL. */
json_t *object_controller(const json_t *object);

/* A new metadata.ownerReferences entry that names owner as the controller. */
json_t *object_owner_reference(const json_t *owner);

/* The element of status.conditions with this type, borrowed, or NULL. */
json_t *object_condition(const json_t *object, const char *type);

/* A copy that may be changed along one path: the objects and arrays on the way are new, everything
 * else is shared with the stored object and must not be changed. "" copies the top level only.
 *
 *     json_t *pod = object_copy(stored, "status");          pod and pod.status are new
 *     json_object_set_new(object_at(pod, "status"), "phase", json_string("Running"));
 *     store_update(store, kind, pod, STORE_STATUS, err);
 *
 * A missing object on the way is made. */
json_t *object_copy(const json_t *object, const char *path);

/* Makes the objects on the way and sets the last part of path; takes value. Changes object. */
void object_set(json_t *object, const char *path, json_t *value);

/* A new array of the object's keys in order, for free(); the strings are the object's. */
const char **object_sorted_keys(const json_t *object, size_t *count_p);

/* Kubernetes' form of a time: 2006-01-02T15:04:05Z, and back; -1 when it is none. */
json_t *object_time(time_t at);
json_t *object_time_now(void);
/* The form with microseconds, as Lease and Event.eventTime use it. */
json_t *object_micro_time_now(void);
time_t object_time_parse(const char *text);

#endif
