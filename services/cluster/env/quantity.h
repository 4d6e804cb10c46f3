/* quantity - Kubernetes' amounts: "100m", "1", "128Mi", "1e3".
 *
 * Source: apimachinery, pkg/api/resource, "Quantity". */
#ifndef CLUSTER_ENV_QUANTITY_H
#define CLUSTER_ENV_QUANTITY_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

/* In thousandths, rounded up: "100m" is 100, "2" is 2000. 0 for what is none. */
int64_t quantity_millis(const json_t *quantity);

/* In whole units, rounded up: "1Ki" is 1024. 0 for what is none. */
int64_t quantity_units(const json_t *quantity);

/* Whether it is a number with a known suffix. */
bool quantity_is_valid(const json_t *quantity);

/* The one form in which a server shows an amount: "0.5" is "500m", "1024Mi" is "1Gi", "1000" is
 * "1k". With binary suffixes only if it is whole and at least 1024. */
json_t *quantity_new(int64_t millis, bool is_binary);
json_t *quantity_canonical(const json_t *quantity);

/* Sum and difference, each in the form of the first, or of the second if the first is nothing. NULL
 * counts as 0; a difference is never below 0. */
json_t *quantity_sum(const json_t *a, const json_t *b);
json_t *quantity_difference(const json_t *a, const json_t *b);

/* Less than, equal to or greater than 0 as a is less than, equal to or greater than b. */
int quantity_compare(const json_t *a, const json_t *b);

/* Changes every amount of a map to its canonical form. */
void quantity_canonical_map(json_t *map);

#endif
