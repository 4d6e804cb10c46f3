#include "broker/registry.h"

#include "base/mem.h"

#include <assert.h>

void registry_init(registry_t *self, uint64_t seed)
{
    *self = (registry_t){.seed = seed};
    map_init(&self->by_routing);
    map_init(&self->by_name);
    TAILQ_INIT(&self->peers);
    TAILQ_INIT(&self->services);
}

peer_t *registry_find_peer(const registry_t *self, uint64_t routing)
{
    return map_get(&self->by_routing, routing);
}

peer_t *registry_add_peer(registry_t *self, uint64_t routing, principal_t *principal)
{
    peer_t *peer = xcalloc(1, sizeof(*peer));
    peer->routing = routing;
    peer->caller = routing;
    peer->principal = principal;
    TAILQ_INIT(&peer->work);
    map_put(&self->by_routing, routing, peer);
    TAILQ_INSERT_TAIL(&self->peers, peer, in_peers);
    self->peer_count++;
    return peer;
}

/* ---- services ------------------------------------------------------------------------------ */

static uint64_t service_key(const registry_t *self, const char *name, size_t size)
{
    return map_hash(self->seed, name, size);
}

service_t *registry_find_service(const registry_t *self, const char *name, size_t size)
{
    service_t *service = map_get(&self->by_name, service_key(self, name, size));
    bool is_same =
        service && strlen(service->name) == size && memcmp(service->name, name, size) == 0;
    return is_same ? service : NULL;
}

service_t *registry_service(registry_t *self, const char *name, size_t size)
{
    assert(size <= REGISTRY_NAME_LIMIT);
    service_t *service = registry_find_service(self, name, size);
    if (service)
        return service;
    service = xcalloc(1, sizeof(*service));
    service->key = service_key(self, name, size);
    memcpy(service->name, name, size);
    TAILQ_INIT(&service->waiting);
    map_put(&self->by_name, service->key, service);
    TAILQ_INSERT_TAIL(&self->services, service, in_services);
    self->service_count++;
    return service;
}

void registry_release(registry_t *self, service_t *service)
{
    if (service->worker_count || service->live_count)
        return;
    map_remove(&self->by_name, service->key);
    TAILQ_REMOVE(&self->services, service, in_services);
    self->service_count--;
    free(service->workers);
    free(service);
}

static void leave_services(registry_t *self, peer_t *peer)
{
    for (size_t i = 0; i < peer->service_count; i++) {
        service_t *service = peer->services[i];
        size_t kept = 0;
        for (size_t j = 0; j < service->worker_count; j++) {
            if (service->workers[j] != peer)
                service->workers[kept++] = service->workers[j];
        }
        service->worker_count = kept;
        registry_release(self, service);
    }
    free(peer->services);
    peer->services = NULL;
    peer->service_count = 0;
}

static bool offers(const peer_t *peer, const service_t *service)
{
    for (size_t i = 0; i < peer->service_count; i++) {
        if (peer->services[i] == service)
            return true;
    }
    return false;
}

void registry_offer(registry_t *self, peer_t *peer, char *const *names, size_t count)
{
    leave_services(self, peer);
    peer->services = xcalloc(count + 1, sizeof(*peer->services));
    for (size_t i = 0; i < count; i++) {
        service_t *service = registry_service(self, names[i], strlen(names[i]));
        if (offers(peer, service))
            continue;
        peer->services[peer->service_count++] = service;
        service->workers = mem_check(
            reallocarray(service->workers, service->worker_count + 1, sizeof(*service->workers)));
        service->workers[service->worker_count++] = peer;
    }
}

static bool is_instance(const peer_t *peer, const char *instance)
{
    return !instance || strcmp(peer->instance, instance) == 0;
}

bool service_has(const service_t *self, const char *instance)
{
    for (size_t i = 0; i < self->worker_count; i++) {
        if (!self->workers[i]->is_lost && is_instance(self->workers[i], instance))
            return true;
    }
    return false;
}

static bool is_free(const peer_t *peer, size_t work_limit)
{
    return peer->work_count < work_limit && !peer->is_full && !peer->is_lost;
}

peer_t *service_pick(service_t *self, const char *instance, size_t work_limit)
{
    peer_t *best = NULL;
    size_t at = self->turn;
    for (size_t i = 0; i < self->worker_count; i++) {
        at = at + 1 < self->worker_count ? at + 1 : 0;
        peer_t *worker = self->workers[at];
        if (is_free(worker, work_limit) && is_instance(worker, instance)
            && (!best || worker->work_count < best->work_count)) {
            best = worker;
            self->turn = at;
        }
    }
    return best;
}

/* ---- ends ---------------------------------------------------------------------------------- */

void registry_remove_peer(registry_t *self, peer_t *peer)
{
    assert(peer->work_count == 0);
    leave_services(self, peer);
    map_remove(&self->by_routing, peer->routing);
    TAILQ_REMOVE(&self->peers, peer, in_peers);
    self->peer_count--;
    free(peer);
}

void registry_done(registry_t *self)
{
    while (!TAILQ_EMPTY(&self->peers)) {
        TAILQ_FIRST(&self->peers)->work_count = 0;
        registry_remove_peer(self, TAILQ_FIRST(&self->peers));
    }
    while (!TAILQ_EMPTY(&self->services)) {
        service_t *service = TAILQ_FIRST(&self->services);
        service->live_count = 0;
        registry_release(self, service);
    }
    map_done(&self->by_routing);
    map_done(&self->by_name);
}
