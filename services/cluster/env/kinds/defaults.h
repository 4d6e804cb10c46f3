/* defaults - what a real server fills in when a client leaves it out. */
#ifndef CLUSTER_ENV_KINDS_DEFAULTS_H
#define CLUSTER_ENV_KINDS_DEFAULTS_H

#include <jansson.h>

/* Set a member that is missing or null. */
void default_string(json_t *object, const char *key, const char *value);
void default_integer(json_t *object, const char *key, json_int_t value);
void default_true(json_t *object, const char *key);

/* The object under key, made if it is missing; borrowed. A value of another type is left alone and
 * NULL returned, for validation to find. */
json_t *default_object(json_t *object, const char *key);

/* Defaults of a pod's spec, also within templates. */
void default_pod_spec(json_t *spec);

#endif
