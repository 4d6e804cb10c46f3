#include "services/cluster/cluster.h"

#include "base/auto.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/nearest.h"
#include "services/cluster/catalogue.h"
#include "services/cluster/cgroup_v2.h"
#include "services/cluster/environment.h"
#include "services/cluster/leftovers.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

/* More than this many for each processor would only get into each other's way, and each be ready
 * later. */
enum { STARTING_FOR_EACH_PROCESSOR = 2, NODES_MOST = 64 };

struct cluster {
    bus_t *bus; /* borrowed */
    environment_context_t context;
    certificates_t certificates;
    json_t *images;
    char *program, *bundles, *kubectl, *run_dir, *data_dir, *node;
    zhashx_t *envs;  /* id -> environment_t, owned */
    zlistx_t *queue; /* of environment_t that are not started yet, borrowed */
    long starting;   /* how many are started and not ready */
    long starting_most;
    zhashx_t *creating; /* id -> zlistx of bus_request_t that wait for it, owned */
    zhashx_t *deleting; /* the same, for its end */
};

/* ---- who waits ---------------------------------------------------------------------------------
 */

static void await(zhashx_t *all, const char *id, bus_request_t **request_p)
{
    zlistx_t *waiting = zhashx_lookup(all, id);
    if (!waiting) {
        waiting = zlistx_new();
        zhashx_insert(all, id, waiting);
    }
    zlistx_add_end(waiting, *request_p);
    *request_p = NULL;
}

static void answer_creators(cluster_t *self, environment_t *env)
{
    zlistx_t *waiting = zhashx_lookup(self->creating, environment_id(env));
    env_info_t info;
    environment_info(env, true, &info);
    for (bus_request_t *request = zlistx_first(waiting); request; request = zlistx_next(waiting)) {
        if (environment_state(env) == ENVIRONMENT_READY)
            bus_reply(&request, &env_info_type, &info);
        else
            bus_fail(&request, ERR_UNAVAILABLE, "environment '%s' %s%s%s", info.env, info.state,
                info.reason ? ": " : "", info.reason ? info.reason : "");
    }
    zhashx_delete(self->creating, info.env);
}

static void answer_deleters(cluster_t *self, environment_t *env)
{
    zlistx_t *waiting = zhashx_lookup(self->deleting, environment_id(env));
    for (bus_request_t *request = waiting ? zlistx_first(waiting) : NULL; request;
         request = zlistx_next(waiting))
        bus_reply(&request, &ok_type, &(ok_t){});
    if (waiting)
        zhashx_delete(self->deleting, environment_id(env));
}

/* ---- changes -----------------------------------------------------------------------------------
 */

static void publish(cluster_t *self, const environment_t *env)
{
    env_info_t info;
    environment_info(env, false, &info);
    AUTO_FREE char *topic = xasprintf("env/%s/state", info.env);
    (void)bus_publish(self->bus, topic, &env_info_type, &info); /* the bus counts what it drops */
}

static void start_queued(cluster_t *self)
{
    environment_t *env;
    while (self->starting < self->starting_most && (env = zlistx_detach(self->queue, NULL))) {
        self->starting++;
        environment_start(env);
    }
}

/* Its creators wait for it exactly until then. */
static void leave_start(cluster_t *self, environment_t *env)
{
    if (!zhashx_lookup(self->creating, environment_id(env)))
        return;
    void *queued = zlistx_find(self->queue, env);
    if (queued)
        zlistx_detach(self->queue, queued);
    else
        self->starting--;
    answer_creators(self, env);
}

static void on_change(void *arg, environment_t *env)
{
    cluster_t *self = arg;
    environment_state_t state = environment_state(env);
    publish(self, env);
    leave_start(self, env);
    if (state == ENVIRONMENT_GONE || state == ENVIRONMENT_FAILED) {
        answer_deleters(self, env);
        AUTO_FREE char *id = xstrdup(environment_id(env));
        zhashx_delete(self->envs, id);
    }
    start_queued(self);
}

/* ---- requests ----------------------------------------------------------------------------------
 */

static void fail_unknown(const cluster_t *self, const char *id, bus_request_t **request_p)
{
    AUTO(zlistx_destroy) zlistx_t *ids = zhashx_keys(self->envs);
    size_t count = 0;
    AUTO_FREE const char **names = xcalloc(zlistx_size(ids) + 1, sizeof(*names));
    for (const char *name = zlistx_first(ids); name; name = zlistx_next(ids))
        names[count++] = name;
    AUTO_FREE char *hint = nearest_hint(id, names, count);
    bus_fail(request_p, ERR_NOT_FOUND, "no environment '%.60s'%s%s", id,
        *hint   ? "; "
        : count ? "; 'aiopslab env list' lists them"
                : "; there is none",
        hint);
}

static environment_t *find(cluster_t *self, const char *id, bus_request_t **request_p)
{
    environment_t *env = zhashx_lookup(self->envs, id);
    if (!env)
        fail_unknown(self, id, request_p);
    return env;
}

static bool is_id(const char *id)
{
    size_t length = strlen(id);
    return length && length <= 40 && strspn(id, "abcdefghijklmnopqrstuvwxyz0123456789-") == length;
}

static char *new_id(void)
{
    uint32_t number = 0;
    if (getrandom(&number, sizeof(number), 0) != (ssize_t)sizeof(number))
        abort(); /* see new_token() */
    return xasprintf("env-%08x", number);
}

static int check_wanted(const env_create_t *wanted, err_t *err)
{
    if (wanted->env && !is_id(wanted->env))
        return err_set(err, ERR_INVALID,
            "'%.40s' cannot be the id of an environment: lower-case letters, digits and '-'",
            wanted->env);
    if (wanted->nodes < 0 || wanted->nodes > NODES_MOST)
        return err_set(err, ERR_INVALID, "an environment has 1 to %d nodes", NODES_MOST);
    return 0;
}

static void on_create(void *arg, bus_request_t *request, const void *message)
{
    cluster_t *self = arg;
    const env_create_t *wanted = message;
    err_t err = {0};
    bool is_empty = !wanted->app || !*wanted->app;
    if (check_wanted(wanted, &err) < 0
        || (!is_empty && catalogue_check(self->data_dir, wanted->app, &err) < 0)) {
        bus_fail_err(&request, &err);
        return;
    }
    AUTO_FREE char *id = wanted->env ? xstrdup(wanted->env) : new_id();
    environment_t *env = zhashx_lookup(self->envs, id);
    if (env && environment_state(env) != ENVIRONMENT_CREATING) {
        bus_fail(&request, ERR_EXISTS, "there is an environment '%s' already", id);
        return;
    }
    await(self->creating, id, &request);
    if (env)
        return;
    env = environment_new(&self->context, id, wanted, on_change, self);
    zhashx_insert(self->envs, id, env);
    publish(self, env);
    zlistx_add_end(self->queue, env);
    start_queued(self);
}

static void on_delete(void *arg, bus_request_t *request, const void *message)
{
    cluster_t *self = arg;
    environment_t *env = zhashx_lookup(self->envs, ((const env_delete_t *)message)->env);
    if (!env) {
        bus_reply(&request, &ok_type, &(ok_t){});
        return;
    }
    await(self->deleting, environment_id(env), &request);
    environment_delete(env);
}

static void on_list(void *arg, bus_request_t *request, const void *message)
{
    (void)message;
    cluster_t *self = arg;
    json_auto_t *envs = json_array();
    for (environment_t *env = zhashx_first(self->envs); env; env = zhashx_next(self->envs))
        json_array_append_new(envs, environment_summary(env));
    bus_reply(&request, &env_listing_type, &(env_listing_t){.envs = envs});
}

static void on_get(void *arg, bus_request_t *request, const void *message)
{
    environment_t *env = find(arg, ((const env_get_t *)message)->env, &request);
    if (!env)
        return;
    env_info_t info;
    environment_info(env, true, &info);
    bus_reply(&request, &env_info_type, &info);
}

static void on_exec(void *arg, bus_request_t *request, const void *message)
{
    environment_t *env = find(arg, ((const env_exec_t *)message)->env, &request);
    if (env)
        environment_forward(env, &request, &env_exec_type, message);
}

static void on_node(void *arg, bus_request_t *request, const void *message)
{
    environment_t *env = find(arg, ((const env_node_t *)message)->env, &request);
    if (env)
        environment_forward(env, &request, &env_node_type, message);
}

static void on_put(void *arg, bus_request_t *request, const void *message)
{
    environment_t *env = find(arg, ((const env_put_t *)message)->env, &request);
    if (env)
        environment_forward(env, &request, &env_put_type, message);
}

static const bus_handler_t handlers[] = {
    {&env_create_type, on_create},
    {&env_delete_type, on_delete},
    {&env_exec_type, on_exec},
    {&env_get_type, on_get},
    {&env_list_type, on_list},
    {&env_node_type, on_node},
    {&env_put_type, on_put},
};

/* ---- what a predecessor left -------------------------------------------------------------------
 */

/* Its environments ended with it; their folders and cgroups did not. */
static void sweep(const char *run_dir)
{
    AUTO_FREE char *envs = xasprintf("%s/envs", run_dir);
    DIR *folder = opendir(envs);
    for (struct dirent *entry; folder && (entry = readdir(folder));) {
        if (!is_id(entry->d_name))
            continue;
        AUTO_FREE char *path = xasprintf("%s/%s", envs, entry->d_name);
        AUTO_FREE char *cgroup = leftovers_cgroup(entry->d_name, path);
        leftovers_sweep(cgroup, path);
        log_info("env.swept", "env=%s", entry->d_name);
    }
    if (folder)
        closedir(folder);
}

/* Told once; every environment's features say the same. */
static void prepare_cgroups(void)
{
    char table[4096] = "";
    err_t err = {0};
    int fd = open("/proc/self/cgroup", O_RDONLY | O_CLOEXEC);
    if (fd < 0 || read(fd, table, sizeof(table) - 1) < 0)
        err_set(&err, ERR_UNAVAILABLE, "/proc/self/cgroup: %s", strerror(errno));
    else
        (void)cgroup_v2_prepare("/sys/fs/cgroup", table, &err); /* in err */
    if (fd >= 0)
        close(fd);
    if (*err.text)
        log_warn("limits.unavailable", "error=\"%s\"", err.text);
}

/* ---- life cycle --------------------------------------------------------------------------------
 */

static void list_destroy(zlistx_t **list_p)
{
    zlistx_destroy(list_p);
}

cluster_t *cluster_new(const service_t *service, const cluster_config_t *config, err_t *err)
{
    AUTO(cluster_destroy) cluster_t *self = xcalloc(1, sizeof(*self));
    self->bus = service->bus;
    self->program = xstrdup(config->program);
    self->bundles = xstrdup(config->bundles);
    self->kubectl = xstrdup(config->kubectl);
    self->run_dir = xstrdup(service->run_dir);
    self->data_dir = xstrdup(service->data_dir);
    self->node = xstrdup(service->instance);
    self->envs = zhashx_new();
    self->queue = zlistx_new();
    self->starting_most = STARTING_FOR_EACH_PROCESSOR * sysconf(_SC_NPROCESSORS_ONLN);
    self->creating = zhashx_new();
    self->deleting = zhashx_new();
    zhashx_set_destructor(self->envs, (czmq_destructor *)environment_destroy);
    zhashx_set_destructor(self->creating, (czmq_destructor *)list_destroy);
    zhashx_set_destructor(self->deleting, (czmq_destructor *)list_destroy);
    if (certificates_init(&self->certificates, service->state_dir, err) < 0
        || catalogue_images(self->data_dir, &self->images, err) < 0)
        return NULL;
    prepare_cgroups();
    sweep(self->run_dir);
    self->context = (environment_context_t){
        .ev = service->ev,
        .node = self->node,
        .program = self->program,
        .run_dir = self->run_dir,
        .data_dir = self->data_dir,
        .bundles = self->bundles,
        .kubectl = self->kubectl,
        .images = self->images,
        .certificates = &self->certificates,
        .ready_timeout_ms = config->ready_timeout_ms,
        .backoff_ms = config->backoff_ms,
        .backoff_max_ms = config->backoff_max_ms,
    };
    bus_serve(self->bus, "cluster", handlers, ARRAY_SIZE(handlers), self);
    return TAKE(self);
}

void cluster_destroy(cluster_t **self_p)
{
    cluster_t *self = *self_p;
    if (!self)
        return;
    zhashx_destroy(&self->envs);
    zlistx_destroy(&self->queue);
    zhashx_destroy(&self->creating);
    zhashx_destroy(&self->deleting);
    certificates_done(&self->certificates);
    json_decref(self->images);
    free(self->node);
    free(self->data_dir);
    free(self->run_dir);
    free(self->kubectl);
    free(self->bundles);
    free(self->program);
    free(self);
    *self_p = NULL;
}
