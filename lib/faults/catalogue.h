/* catalogue - which faults there are and what can be asked of them: faults.def as data.
 *
 * What they do is the injector's; whoever names a fault (a problem, a person) is checked here. */
#ifndef FAULTS_CATALOGUE_H
#define FAULTS_CATALOGUE_H

#include "base/err.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum { FAULT_TEXT, FAULT_NUMBER } fault_value_t;

typedef struct fault_parameter {
    const char *name;
    fault_value_t type;
    const char *usual;   /* its default as text; NULL: there is none */
    int64_t least, most; /* of a number; of a text, its length */
    const char *unit;    /* "" if it has none */
    const char *doc;
} fault_parameter_t;

typedef struct fault_spec {
    const char *name;
    const char *level;   /* application, virtualization, network, operating system, hardware */
    const char *strikes; /* what its targets are: workload, service, node, …; "" if it has none */
    const char *summary;
    const char *symptom; /* that a person would see */
    const char *needs;   /* of the cluster or the machine; "" if nothing special */
    const fault_parameter_t *parameters;
    size_t parameter_count;
} fault_spec_t;

/* All, in the order of faults.def. */
const fault_spec_t *fault_specs(size_t *count_p);

/* NULL with ERR_NOT_FOUND and the nearest names in *err if there is none of this name. */
const fault_spec_t *fault_spec_find(const char *name, err_t *err);

/* Whether a fault can be asked for so: each target is well-formed, there are some if it needs them,
 * and each parameter (text or whole number; the object may be NULL) exists and keeps its bounds. */
int fault_spec_check(const fault_spec_t *self, const char *const *targets, size_t target_count,
    const json_t *parameters, err_t *err);

/* One parameter as fault_spec_check() looks at it. */
int fault_spec_check_parameter(
    const fault_spec_t *self, const char *name, const json_t *value, err_t *err);

/* {name, level, strikes, summary, symptom, needs, parameters: [{name, type, default, least, most,
 * unit, doc}]}. A new reference. */
json_t *fault_spec_to_json(const fault_spec_t *self);

#endif
