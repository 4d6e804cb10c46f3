/* structural - what the schema in a CustomResourceDefinition makes of objects.
 *
 * A structural schema says the type of every field outside of allOf, anyOf, oneOf and not, which
 * only restrict values. Rules in CEL (x-kubernetes-validations) are kept and not evaluated. */
#ifndef CLUSTER_ENV_SCHEMA_STRUCTURAL_H
#define CLUSTER_ENV_SCHEMA_STRUCTURAL_H

#include "services/cluster/env/causes.h"

#include <jansson.h>

/* Takes out of an object what its schema does not know, and adds each to unknown as 'unknown field
 * "a.b[0].c"'. apiVersion, kind and metadata stay. */
void structural_prune(const json_t *schema, json_t *object, json_t *unknown);

/* Fills in defaults; null where that is no value counts as missing. */
void structural_default(const json_t *schema, json_t *value);

/* Adds what is wrong with a pruned object. */
void structural_validate(const json_t *schema, const json_t *object, causes_t *causes);

/* Adds what is wrong with a schema at field. */
void structural_check(const json_t *schema, const char *field, causes_t *causes);

#endif
