/* registry - who is connected, what services they offer, and who takes the next request.
 *
 * Knows nothing of sockets. */
#ifndef BROKER_REGISTRY_H
#define BROKER_REGISTRY_H

#include "broker/flights.h"
#include "broker/roles.h"

enum { REGISTRY_NAME_LIMIT = 64 };

/* One connection to the requests socket. */
typedef struct peer {
    uint64_t routing;       /* its routing id, as a number */
    uint64_t caller;        /* who it is over reconnects; until it says hello, the routing id */
    principal_t *principal; /* a use of it, which whoever removes the peer ends */
    bool is_known;          /* said hello */
    char name[REGISTRY_NAME_LIMIT + 1];
    char instance[REGISTRY_NAME_LIMIT + 1];
    bool is_full;    /* does not read; until it is heard of again */
    bool is_leaving; /* said bye */
    bool is_lost;    /* gone, and to be removed */
    int64_t heard_at;
    flight_list_t work; /* assigned to it, oldest first; borrowed */
    size_t work_count;
    size_t asked_count; /* its own requests under way */
    struct service **services;
    size_t service_count;
    TAILQ_ENTRY(peer) in_peers;
} peer_t;

TAILQ_HEAD(peer_list, peer);

typedef struct service {
    uint64_t key;
    char name[REGISTRY_NAME_LIMIT + 1];
    peer_t **workers;
    size_t worker_count;
    size_t turn;           /* where the search for the next worker begins */
    flight_list_t waiting; /* borrowed flights, oldest first */
    size_t live_count;     /* waiting and assigned */
    size_t live_bytes;
    double mean_ms; /* of an answer, lately */
    uint64_t answered_count;
    TAILQ_ENTRY(service) in_services;
} service_t;

TAILQ_HEAD(service_list, service);

typedef struct registry {
    uint64_t seed;
    map_t by_routing;
    map_t by_name;
    struct peer_list peers;
    struct service_list services;
    size_t peer_count;
    size_t service_count;
} registry_t;

void registry_init(registry_t *self, uint64_t seed);
void registry_done(registry_t *self);

peer_t *registry_find_peer(const registry_t *self, uint64_t routing);
peer_t *registry_add_peer(registry_t *self, uint64_t routing, principal_t *principal);

/* Forgets a peer that has no work, and takes it off its services. */
void registry_remove_peer(registry_t *self, peer_t *peer);

/* The service of that name; registry_service() makes it if need be. */
service_t *registry_find_service(const registry_t *self, const char *name, size_t size);
service_t *registry_service(registry_t *self, const char *name, size_t size);

/* Makes names (none longer than the limit) the services that peer offers. */
void registry_offer(registry_t *self, peer_t *peer, char *const *names, size_t count);

/* Forgets the service if nobody offers or wants it. */
void registry_release(registry_t *self, service_t *service);

/* Whether anybody offers the service, as that instance if one is named. */
bool service_has(const service_t *self, const char *instance);

/* The worker with the least work below the limit: of all instances, or of the one named. */
peer_t *service_pick(service_t *self, const char *instance, size_t work_limit);

#endif
