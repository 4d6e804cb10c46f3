/* volume_cells - what volumes and claims share: access modes, protection against deletion. */
#ifndef CLUSTER_ENV_KINDS_VOLUME_CELLS_H
#define CLUSTER_ENV_KINDS_VOLUME_CELLS_H

#include "services/cluster/env/causes.h"

#include <jansson.h>

/* "RWO,RWX". */
void cells_access_modes(json_t *cells, const json_t *modes);

/* At least one, and none that is unknown, at spec.accessModes. */
void check_access_modes(causes_t *causes, const json_t *modes);

/* The finalizer that admission puts on: the object stays for as long as it is in use. */
void add_protection(json_t *object, const char *finalizer);

#endif
