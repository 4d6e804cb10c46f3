/* events - what controllers and kubelet tell operators, as Event objects.
 *
 * The same event about the same object again raises its count, as client-go's correlator does. */
#ifndef CLUSTER_ENV_EVENTS_H
#define CLUSTER_ENV_EVENTS_H

#include "services/cluster/env/store.h"

/* Who tells, such as {"kubelet", "kind-worker"}; host may be NULL. */
typedef struct event_source {
    const char *component;
    const char *host;
} event_source_t;

/* Records one event about an object. type is "Normal" or "Warning"; field is the part it is about,
 * such as "spec.containers{web}", or NULL. An event that cannot be stored (its namespace is going)
 * is dropped. */
void event_record(store_t *store, event_source_t source, const json_t *object, const char *field,
    const char *type, const char *reason, const char *format, ...)
    __attribute__((format(printf, 7, 8)));

#endif
