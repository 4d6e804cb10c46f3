/* fieldset - sets of an object's fields in the form of managedFields' FieldsV1:
 *     {"f:spec": {"f:containers": {"k:{\"name\":\"c\"}": {".": {}, "f:image": {}}}}}
 * A field is in the set where the tree has an empty object. */
#ifndef CLUSTER_ENV_API_FIELDSET_H
#define CLUSTER_ENV_API_FIELDSET_H

#include <jansson.h>

/* All fields of an object but those that name it and its status. New. */
json_t *fieldset_of(const json_t *object, const char *type);

/* What is in a but not in b; in both; in either. New. */
json_t *fieldset_minus(const json_t *a, const json_t *b);
json_t *fieldset_and(const json_t *a, const json_t *b);
json_t *fieldset_or(const json_t *a, const json_t *b);

/* The fields of a set whose values differ between two objects. New. */
json_t *fieldset_differing(const json_t *set, const json_t *one, const json_t *other);

/* Appends ".spec.containers[name="c"].image" for each field to an array. */
void fieldset_paths(const json_t *set, const char *prefix, json_t *paths);

/* Takes the fields away from an object (changed; nothing of it may be shared). */
void fieldset_remove(const json_t *set, json_t *object);

#endif
