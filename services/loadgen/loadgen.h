/* loadgen - the service that puts environments under load: load.start, load.stop, and a load.report
 * on env/<id>/load every second. */
#ifndef LOADGEN_LOADGEN_H
#define LOADGEN_LOADGEN_H

#include "base/ev.h"
#include "bus/bus.h"
#include "metrics/metrics.h"

typedef struct loadgen loadgen_t;

/* Serves on the bus, and follows the loads of an earlier instance that still run. All are
 * borrowed. */
loadgen_t *loadgen_new(ev_t *ev, bus_t *bus, metrics_t *metrics);

/* Loads go on without us. */
void loadgen_destroy(loadgen_t **self_p);

#endif
