/* evaluator - the service that says whether an agent succeeded. It keeps nothing: the same question
 * asked again is measured again. */
#ifndef EVALUATOR_EVALUATOR_H
#define EVALUATOR_EVALUATOR_H

#include "base/ev.h"
#include "bus/bus.h"
#include "metrics/metrics.h"

typedef struct evaluator evaluator_t;

/* All are borrowed. Serves at once. */
evaluator_t *evaluator_new(ev_t *ev, bus_t *bus, metrics_t *metrics);

/* Fails what is being measured at its callers. */
void evaluator_destroy(evaluator_t **self_p);

#endif
