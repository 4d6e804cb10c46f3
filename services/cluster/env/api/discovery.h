/* discovery - which groups, versions and resources there are: what its two forms share. */
#ifndef CLUSTER_ENV_API_DISCOVERY_H
#define CLUSTER_ENV_API_DISCOVERY_H

#include "services/cluster/env/api/api_internal.h"

#include <jansson.h>

#define METRICS_GROUP   "metrics.k8s.io"
#define METRICS_VERSION "v1beta1"

/* What can be done with a resource. */
#define DISCOVERY_VERBS "create delete deletecollection get list patch update watch"

/* Subresources of a kind beside status and scale. */
typedef struct subresource {
    const char *kind;
    const char *name;
    const char *verbs;
    const char *response_kind;
    const char *group; /* of that kind */
    const char *version;
} subresource_t;

void discovery_each_subresource(const kind_t *kind,
    void (*add)(void *arg, const kind_t *kind, const subresource_t *subresource), void *arg);

/* What `kubectl top` asks for. */
typedef struct metric {
    const char *name;
    const char *kind;
    bool is_namespaced;
} metric_t;

/* The i-th, or NULL. */
const metric_t *discovery_metric(size_t i);

/* [[group, version…]…] in the order of discovery, the preferred version first; without the core
 * group. */
json_t *discovery_groups(const store_t *store);

/* Words as an array; a NULL-terminated list as a member, unless it is NULL. */
json_t *discovery_words(const char *words);
void discovery_set_list(json_t *object, const char *key, const char *const *texts);

/* The aggregated form: an APIGroupDiscoveryList of the core group or of all others. */
json_t *discovery_aggregated(const store_t *store, bool is_core, const char *version);

#endif
