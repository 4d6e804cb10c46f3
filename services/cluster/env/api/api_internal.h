/* api_internal - what the API server's files share. */
#ifndef CLUSTER_ENV_API_API_INTERNAL_H
#define CLUSTER_ENV_API_API_INTERNAL_H

#include "services/cluster/env/api/api.h"
#include "services/cluster/env/api/http.h"
#include "services/cluster/env/api/request.h"
#include "services/cluster/env/auth/access.h"
#include "services/cluster/env/version.h"

typedef struct watcher watcher_t;

typedef struct known_token {
    char *token;
    user_t user;
} known_token_t;

struct api {
    ev_t *ev;                 /* borrowed */
    store_t *store;           /* borrowed */
    tokens_t *account_tokens; /* borrowed, may be NULL */
    known_token_t *tokens;
    size_t token_count;
    const node_ops_t *node; /* borrowed, may be NULL */
    void *node_arg;
    usage_t *usage; /* borrowed, may be NULL */
    http_server_t **servers;
    size_t server_count;
    store_watch_t *store_watch; /* wakes the watchers */
    watcher_t *watchers;        /* open watch requests */
};

/* What a resource's URL names. */
typedef struct target {
    const kind_t *kind;   /* as the store knows it */
    const kind_t *served; /* in the version of the URL; the same of a built-in kind */
    char *namespace;      /* NULL: all, or none */
    char *name;           /* NULL: the collection */
    char *subresource;    /* "status", "log", "proxy", …, or NULL */
    char *rest;           /* after the subresource, not decoded, with its '/', or NULL */
} target_t;

/* An API without sockets, for tests and fuzzers: api_handle() is called by hand. */
api_t *api_bare(ev_t *ev, store_t *store, const api_config_t *config);

/* Answers the request, if whoever asks may do what they ask for. */
void api_handle(api_t *self, request_t *request);

/* ---- the parts; each answers the request ---------------------------------------------------- */

/* Returns false if the path is none of discovery's. */
bool discovery_handle(api_t *self, request_t *request);

/* Reviews: "create" only kinds that are answered and not kept. False if the path is none. */
bool review_handle(api_t *self, request_t *request, const access_t *access);

/* metrics.k8s.io; false if the path is none of it. */
bool metrics_handle(api_t *self, request_t *request);

/* Kinds in older versions; false if the path is none of theirs. */
bool old_versions_handle(api_t *api, request_t *request);
/* A kind as it is in the older version in which it is served too, of which only name, version and
 * type are there; or NULL. */
const kind_t *old_version_of(const kind_t *kind);

void read_list(api_t *self, request_t *request, const target_t *target);
void read_object(api_t *self, request_t *request, const target_t *target);

/* Starts a watch. */
void watch_start(api_t *api, request_t *request, const target_t *target);
/* Ends all watches; for the API's end. */
void watch_end_all(api_t *api);
/* The store's call for each change, with the API as its argument: wakes the watchers of the kind.
 */
void watch_on_change(
    void *arg, store_change_t change, const kind_t *kind, json_t *object, json_t *old);

void write_create(api_t *self, request_t *request, const target_t *target);
void write_replace(api_t *self, request_t *request, const target_t *target);
void write_patch(api_t *self, request_t *request, const target_t *target);
void write_delete(api_t *self, request_t *request, const target_t *target);
void write_delete_all(api_t *self, request_t *request, const target_t *target);

/* Subresources that the node answers: log, exec, proxy. */
void node_handle(api_t *self, request_t *request, const target_t *target);

/* POST of pods/…/eviction. */
void eviction_handle(api_t *self, request_t *request, const target_t *target);

/* POST of …/serviceaccounts/NAME/token. */
void token_request_handle(api_t *self, request_t *request, const target_t *target);

/* GET, PUT and PATCH of …/scale. */
void scale_handle(api_t *self, request_t *request, const target_t *target);

#endif
