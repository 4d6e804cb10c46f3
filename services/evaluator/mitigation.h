/* mitigation - measures whether an environment is well again:
 *   fault gone            each fault's own check says that it is not in force; else that is the
 * verdict application ready     every Deployment that counts wants replicas and has them ready,
 * every pod is Ready, and this holds for a while without a gap repair lasts          pods that the
 * problem names were deleted, and new ones came up fresh load succeeds   with few errors, and about
 * as fast as before the fault nothing else broken   no object is missing that was there before, and
 * the data is there still What does not hold yet may come until the settle time is over; the first
 * time that all holds is the end. */
#ifndef EVALUATOR_MITIGATION_H
#define EVALUATOR_MITIGATION_H

#include "bus/bus.h"
#include "proto/messages.h"

#include <jansson.h>

typedef struct mitigation mitigation_t;

/* err NULL: it was measured. results is {conditions: [{condition, met, measured}], blast_radius};
 * met is null for what no longer mattered. Borrowed for the call. */
typedef void(mitigation_done_fn)(
    void *arg, const err_t *err, bool is_mitigated, const json_t *results);

/* What judge holds is copied. on_done is called once, from the loop; the measurement is to be
 * destroyed afterwards, also from within it. */
mitigation_t *mitigation_new(
    ev_t *ev, bus_t *bus, const session_judge_t *judge, mitigation_done_fn *on_done, void *arg);
void mitigation_destroy(mitigation_t **self_p);

#endif
