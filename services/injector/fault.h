/* fault - what a kind of fault is, and what it has to work with.
 *
 * A kind is a file in faults/ with a const fault_kind_t, and a line in the table of faults.c. Its
 * functions run on a thread of their own, so they may wait; each call on the cluster has a
 * deadline. */
#ifndef INJECTOR_FAULT_H
#define INJECTOR_FAULT_H

#include "base/err.h"
#include "kube/kube.h"
#include "services/injector/record.h"

#include <stdbool.h>

typedef struct fault_work {
    kube_t *kube;     /* the environment's API, synchronous */
    record_t *record; /* who, where, with what; and what was changed */
    bool is_in_force; /* what check found */
    json_t *evidence; /* what check looked at: an object; NULL before */
    err_t err;        /* why it failed; code ERR_NONE: it did not */
} fault_work_t;

typedef struct fault_kind {
    const char *name;  /* in problem files */
    const char *level; /* application, virtualization, operating system, network, hardware */
    const char *summary;
    const char *watched; /* the kind of object whose changes may end it; NULL: nothing can */

    /* Puts it in force. Every change is noted with record_note() before it is made. Returns when
     * it has taken effect. After a failure recover() is called. */
    int (*inject)(fault_work_t *work, err_t *err);

    /* Undoes what was noted, whether or not it had been made. */
    int (*recover)(fault_work_t *work, err_t *err);

    /* Looks whether it is in force: fills is_in_force and evidence. */
    int (*check)(fault_work_t *work, err_t *err);
} fault_kind_t;

/* NULL with the nearest names in *err if there is none of this name. */
const fault_kind_t *fault_kind_find(const char *name, err_t *err);

/* A parameter as text; otherwise the default. */
const char *fault_parameter(const fault_work_t *work, const char *name, const char *otherwise);

extern const fault_kind_t fault_misconfig_app;
extern const fault_kind_t fault_noop;

#endif
