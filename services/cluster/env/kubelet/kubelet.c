#include "services/cluster/env/kubelet/internal.h"

#include "base/auto.h"
#include "base/mem.h"
#include "services/cluster/env/kubelet/volumes.h"
#include "services/cluster/env/object.h"

#include <arpa/inet.h>
#include <string.h>

enum { BACKOFF_MS = 10000, BACKOFF_MAX_MS = 300000, FIRST_HOST = 2, LAST_HOST = 254 };

static char *key_of(const json_t *object)
{
    return xasprintf("%s/%s", object_namespace(object), object_name(object));
}

/* ---- addresses ---------------------------------------------------------------------------------
 */

static bool is_taken(kubelet_t *self, struct in_addr address)
{
    for (const pod_t *pod = zhashx_first(self->pods); pod; pod = zhashx_next(self->pods)) {
        if (pod->address.s_addr == address.s_addr)
            return true;
    }
    return false;
}

/* The next of the node's range that no pod has; an address rests before it is given again. */
static struct in_addr take_address(kubelet_t *self, int node)
{
    struct in_addr address;
    int tries = LAST_HOST;
    do {
        int host = self->last_host[node] + 1;
        self->last_host[node] = host < FIRST_HOST || host > LAST_HOST ? FIRST_HOST : host;
        address.s_addr =
            htonl(10U << 24 | 244U << 16 | (unsigned)node << 8 | (unsigned)self->last_host[node]);
    } while (is_taken(self, address) && --tries);
    return address;
}

/* ---- pods --------------------------------------------------------------------------------------
 */

static void take_pod(kubelet_t *self, const char *key, json_t *object)
{
    int node = nodes_index(self, object_string(object, "spec.nodeName"));
    if (node < 0 || self->is_stopped[node])
        return;
    if (object_is_deleted(object)) { /* before it ran */
        (void)store_remove(self->context.store, kind_find("Pod"), object_namespace(object),
            object_name(object), NULL); /* gone already is as good */
        return;
    }
    pod_t *pod = pod_new(&self->context, object, take_address(self, node), nodes_address(node));
    zhashx_insert(self->pods, key, pod);
}

static void on_pod(
    void *arg, store_change_t change, const kind_t *kind, json_t *object, json_t *old)
{
    (void)kind, (void)old;
    kubelet_t *self = arg;
    AUTO_FREE char *key = key_of(object);
    pod_t *pod = zhashx_lookup(self->pods, key);
    bool is_other = pod && strcmp(object_uid(pod->object), object_uid(object)) != 0;
    if (change == STORE_DELETED) {
        if (pod && !is_other)
            zhashx_delete(self->pods, key);
        return;
    }
    if (is_other) { /* the first was removed by force, and its name taken again */
        zhashx_delete(self->pods, key);
        pod = NULL;
    }
    if (pod)
        pod_update(pod, object);
    else if (*object_string(object, "spec.nodeName"))
        take_pod(self, key, object);
}

/* ---- nodes -------------------------------------------------------------------------------------
 */

typedef struct resumption {
    kubelet_t *kubelet;
    int node;
} resumption_t;

/* What happened meanwhile is seen now. */
static void resume_pod(void *arg, json_t *object)
{
    const resumption_t *self = arg;
    AUTO_FREE char *key = key_of(object);
    pod_t *pod = zhashx_lookup(self->kubelet->pods, key);
    if (nodes_index(self->kubelet, object_string(object, "spec.nodeName")) != self->node)
        return;
    if (pod)
        pod_set_deaf(pod, false);
    on_pod(self->kubelet, STORE_MODIFIED, NULL, object, NULL);
}

static void set_deaf(kubelet_t *self, int node, bool is_deaf)
{
    for (pod_t *pod = zhashx_first(self->pods); pod; pod = zhashx_next(self->pods)) {
        if (nodes_index(self, pod_node(pod)) == node)
            pod_set_deaf(pod, is_deaf);
    }
}

int kubelet_set_node(kubelet_t *self, const char *node, bool is_running, err_t *err)
{
    int index = nodes_index(self, node);
    if (index < 0)
        return err_set(err, ERR_NOT_FOUND, "there is no node '%s'", node);
    bool was_running = !self->is_stopped[index];
    self->is_stopped[index] = !is_running;
    set_deaf(self, index, !is_running);
    if (!is_running || was_running)
        return 0;
    nodes_beat(self);
    resumption_t resumption = {.kubelet = self, .node = index};
    store_each(self->context.store, kind_find("Pod"), NULL, resume_pod, &resumption);
    return 0;
}

/* ---- what pods mount ---------------------------------------------------------------------------
 */

static void on_source(
    void *arg, store_change_t change, const kind_t *kind, json_t *object, json_t *old)
{
    (void)kind, (void)old;
    kubelet_t *self = arg;
    if (change == STORE_DELETED)
        return; /* what is mounted stays */
    for (pod_t *pod = zhashx_first(self->pods); pod; pod = zhashx_next(self->pods)) {
        if (strcmp(object_namespace(pod->object), object_namespace(object)) == 0)
            pod_refresh(pod);
    }
}

static void on_volume(
    void *arg, store_change_t change, const kind_t *kind, json_t *object, json_t *old)
{
    (void)kind, (void)old;
    kubelet_t *self = arg;
    if (change == STORE_DELETED)
        volumes_forget_claim(self->context.work_dir, object_name(object));
}

/* ---- life cycle --------------------------------------------------------------------------------
 */

kubelet_t *kubelet_new(
    ev_t *ev, store_t *store, runtime_t *runtime, const kubelet_config_t *config, err_t *err)
{
    AUTO(kubelet_destroy) kubelet_t *self = xcalloc(1, sizeof(*self));
    self->node_count = config->node_count;
    self->pods = zhashx_new();
    zhashx_set_destructor(self->pods, (czmq_destructor *)pod_destroy);
    self->context = (pod_context_t){
        .ev = ev,
        .store = store,
        .runtime = runtime,
        .images = images_new(config->images, config->bundles),
        .pulled = zhashx_new(),
        .work_dir = config->work_dir,
        .tokens = config->tokens,
        .backoff_ms = config->backoff_ms ? config->backoff_ms : BACKOFF_MS,
        .backoff_max_ms = config->backoff_max_ms ? config->backoff_max_ms : BACKOFF_MAX_MS,
    };
    self->context.http = http_new(ev, &(http_config_t){.is_trusting = true}, err);
    self->proxy = http_new(ev, &(http_config_t){0}, err);
    if (!self->context.http || !self->proxy)
        return NULL;
    if (volumes_begin(config->work_dir, err) < 0)
        return NULL;
    nodes_begin(self);
    if (network_begin(self, err) < 0)
        return NULL;
    self->pod_watch = store_watch(store, kind_find("Pod"), on_pod, self);
    self->config_map_watch = store_watch(store, kind_find("ConfigMap"), on_source, self);
    self->secret_watch = store_watch(store, kind_find("Secret"), on_source, self);
    self->volume_watch = store_watch(store, kind_find("PersistentVolume"), on_volume, self);
    return TAKE(self);
}

void kubelet_destroy(kubelet_t **self_p)
{
    kubelet_t *self = *self_p;
    if (!self)
        return;
    nodes_end(self);
    store_watch_end(&self->pod_watch);
    store_watch_end(&self->config_map_watch);
    store_watch_end(&self->secret_watch);
    store_watch_end(&self->volume_watch);
    zhashx_destroy(&self->pods);
    network_end(self);
    http_destroy(&self->context.http);
    http_destroy(&self->proxy);
    images_destroy(&self->context.images);
    zhashx_destroy(&self->context.pulled);
    free(self);
    *self_p = NULL;
}
