/* mitigation - measures whether an environment is well again:
 *   1. the fault's own check says that it is not in force; if it is, that is the verdict;
 *   2. every Deployment that counts wants replicas and has them ready, every pod is Ready, and
 *      this holds for a while without a gap;
 *   3. a fresh load succeeds.
 * What does not hold yet may come until the settle time is over; the first time that all holds is
 * the end. */
#ifndef EVALUATOR_MITIGATION_H
#define EVALUATOR_MITIGATION_H

#include "bus/bus.h"

#include <jansson.h>

typedef struct mitigation mitigation_t;

/* err NULL: it was measured. conditions is an array of {condition, met, measured}; met is null for
 * what no longer mattered. Borrowed for the call. */
typedef void(mitigation_done_fn)(
    void *arg, const err_t *err, bool is_mitigated, const json_t *conditions);

/* problem as in session.judge; fault_id may be NULL. Strings are copied. on_done is called once,
 * from the loop; the measurement is to be destroyed afterwards, also from within it. */
mitigation_t *mitigation_new(ev_t *ev, bus_t *bus, const char *env, const char *fault_id,
    const json_t *problem, mitigation_done_fn *on_done, void *arg);
void mitigation_destroy(mitigation_t **self_p);

#endif
