/* fault - how a kind of fault works, and what it has to work with.
 *
 * A kind is a row of lib/faults/faults.def, which says what can be asked of it, and a file in
 * faults/ with a const fault_kind_t of the row's name. Its functions run on a thread of their own,
 * so they may wait; each call on the cluster has a deadline. What is asked was checked against the
 * row. */
#ifndef INJECTOR_FAULT_H
#define INJECTOR_FAULT_H

#include "base/err.h"
#include "faults/catalogue.h"
#include "kube/kube.h"
#include "services/injector/record.h"

#include <stdbool.h>

typedef enum {
    FAULT_HOLDS,    /* in force */
    FAULT_REPAIRED, /* somebody undid it */
    FAULT_DIED,     /* what keeps it in force ended, and nobody undid it */
} fault_finding_t;

typedef struct fault_work {
    kube_t *kube; /* the environment's API, synchronous */
    const fault_spec_t *spec;
    record_t *record;        /* who, where, with what; and what was changed */
    bool is_aside;           /* what is edited now is not the fault itself, but makes it felt */
    fault_finding_t finding; /* by alive */
    json_t *evidence;        /* what alive looked at: an object; NULL before */
    err_t err;               /* why it failed; code ERR_NONE: it did not */
} fault_work_t;

typedef struct fault_kind {
    /* The kind of object whose changes may end it; NULL: only the timer looks. */
    const char *watched;

    /* Strikes one target, or, if the fault has none, is called once with NULL. Every change is
     * noted with record_note() before it is made. Returns when it has taken effect. After a
     * failure recover() is called. */
    int (*inject)(fault_work_t *work, const char *target, err_t *err);

    /* Undoes what was noted, whether or not it had been made, for all targets. */
    int (*recover)(fault_work_t *work, err_t *err);

    /* Looks whether it is in force: fills finding and evidence. */
    int (*alive)(fault_work_t *work, err_t *err);
} fault_kind_t;

/* NULL if there is none of this name: faults.def has no such row. */
const fault_kind_t *fault_kind_find(const char *name);

/* A parameter that the fault may not even have. */
const char *fault_text_or(const fault_work_t *work, const char *name, const char *otherwise);

/* A parameter, or its default. */
const char *fault_text(const fault_work_t *work, const char *name);
int64_t fault_number(const fault_work_t *work, const char *name);

/* The targets' namespace. */
const char *fault_namespace(const fault_work_t *work);

#define FAULT(name, level, strikes, summary, symptom, needs) extern const fault_kind_t fault_##name;
#define PARAMETER(fault, name, type, usual, least, most, unit, doc)
#define END(name)
/* clang-format off */
#include "faults/faults.def"
/* clang-format on */
#undef FAULT
#undef PARAMETER
#undef END

#endif
