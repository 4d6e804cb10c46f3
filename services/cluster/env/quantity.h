/* quantity - Kubernetes' amounts: "100m", "1", "128Mi", "1e3".
 *
 * Source: apimachinery, pkg/api/resource, "Quantity". */
#ifndef CLUSTER_ENV_QUANTITY_H
#define CLUSTER_ENV_QUANTITY_H

#include <jansson.h>
#include <stdint.h>

/* In thousandths, rounded up: "100m" is 100, "2" is 2000. 0 for what is none. */
int64_t quantity_millis(const json_t *quantity);

/* In whole units, rounded up: "1Ki" is 1024. 0 for what is none. */
int64_t quantity_units(const json_t *quantity);

#endif
