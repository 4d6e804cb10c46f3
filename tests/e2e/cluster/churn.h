/* churn - pods and all that belongs to them, made and removed. */
#ifndef TESTS_E2E_CLUSTER_CHURN_H
#define TESTS_E2E_CLUSTER_CHURN_H

#include "tests/e2e/cluster/world.h"

/* What rounds have in common; once for an environment. */
void churn_begin(world_t *self);

/* Two Services and a claim, and so many pods with volumes, an init container and a probe; asks
 * them, looks into one, and removes everything, the events too. */
void churn_round(world_t *self, int pods);

#endif
