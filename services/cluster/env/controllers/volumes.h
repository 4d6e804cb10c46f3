/* volumes - binding claims to volumes, for the parts of the volume controller. Private to them.
 *
 * The rules and words are those of kube-controller-manager's persistentvolume-binder and of the
 * local-path provisioner that small clusters come with. */
#ifndef CLUSTER_ENV_CONTROLLERS_VOLUMES_H
#define CLUSTER_ENV_CONTROLLERS_VOLUMES_H

#include "services/cluster/env/controllers/volume_match.h"
#include "services/cluster/env/events.h"

#define VOLUME_PROVISIONER "rancher.io/local-path"

/* volume_bind.c */

/* Takes a claim one step further: waits, binds, has a volume made; says what it waits for. */
void volume_sync_claim(store_t *store, json_t *claim);

/* volume_provision.c */

/* Makes a volume for a claim of this class, bound to it. node is the one selected, or NULL. */
void volume_provision(store_t *store, json_t *claim, const json_t *class, const char *node);

/* volume_reclaim.c */

/* Brings a volume's phase in step with its claim, and reclaims it when that has gone. */
void volume_sync_volume(store_t *store, json_t *volume);

#endif
