#include "tests/bench/cluster/lab.h"

#include "base/auto.h"
#include "base/mem.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { CREATE_MS = 120000 };

static void give_up(const char *what, const char *why)
{
    fprintf(stderr, "bench_cluster: %s: %s\n", what, why);
    exit(EXIT_FAILURE);
}

double lab_now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

/* ---- life ------------------------------------------------------------------------------------ */

void lab_play_cluster(int argc, char **argv)
{
    if (argc < 2 || strcmp(argv[1], "cluster") != 0)
        return;
    AUTO_FREE char *program = xasprintf("%s/aiopslab-cluster", getenv("AIOPSLAB_BIN"));
    execl(program, program, (char *)NULL);
    give_up(program, strerror(errno));
}

static void link_app(const char *data, const char *folder, const char *name)
{
    AUTO_FREE char *from = xasprintf("%s/%s", getenv("AIOPSLAB_SRC"), folder);
    AUTO_FREE char *to = xasprintf("%s/apps/%s", data, name);
    if (symlink(from, to) < 0)
        give_up(to, strerror(errno));
}

/* The broker refuses until the service has joined. */
static void await_cluster(lab_t *self)
{
    bus_call_t call = {.target = "cluster", .type = &env_list_type, .message = &(env_list_t){}};
    void *reply = NULL;
    while (bus_call(self->bus, &call, &env_listing_type, &reply, NULL) < 0)
        bus_stack_run_for(self->stack, 20);
    codec_free(&env_listing_type, reply);
}

void lab_start(lab_t *self)
{
    bus_stack_set_up((void **)&self->stack);
    AUTO_FREE char *data = xasprintf("%s/data", self->stack->folder);
    AUTO_FREE char *apps = xasprintf("%s/apps", data);
    mkdir(data, 0700);
    mkdir(apps, 0700);
    link_app(data, "apps/hotel-reservation", "hotel-reservation");
    link_app(data, "tests/bench/cluster/crowd", "crowd");
    setenv("AIOPSLAB_DATA", data, 1);
    self->cluster = bus_stack_spawn("cluster", NULL, NULL);
    self->bus = bus_stack_program(self->stack, "bench");
    await_cluster(self);
}

void lab_stop(lab_t *self)
{
    bus_stack_end(self->cluster, SIGTERM);
    bus_destroy(&self->bus);
    bus_stack_tear_down((void **)&self->stack);
}

/* ---- environments ---------------------------------------------------------------------------- */

typedef struct batch {
    ev_t *ev;
    int open;
    char reason[160]; /* of the first that failed */
} batch_t;

static void on_reply(void *arg, const bus_reply_t *reply)
{
    batch_t *self = arg;
    if (reply->err && !*self->reason)
        snprintf(self->reason, sizeof(self->reason), "%s", reply->err->text);
    if (--self->open == 0)
        ev_stop(self->ev);
}

static void send_to_cluster(lab_t *self, const codec_type_t *type, void *message, batch_t *batch)
{
    bus_call_t call = {
        .target = "cluster", .type = type, .message = message, .timeout_ms = CREATE_MS};
    bus_request(self->bus, &call, on_reply, batch);
}

static void await(const char *what, const batch_t *batch)
{
    ev_run(batch->ev);
    if (*batch->reason)
        give_up(what, batch->reason);
}

void lab_create(lab_t *self, const char *app, int count)
{
    batch_t batch = {.ev = self->stack->ev, .open = count};
    for (int i = 0; i < count; i++) {
        char id[16];
        snprintf(id, sizeof(id), "env-%d", i);
        send_to_cluster(self, &env_create_type,
            &(env_create_t){.env = id, .app = (char *)app, .seed = 1}, &batch);
    }
    await("env.create", &batch);
}

void lab_delete(lab_t *self, int count)
{
    batch_t batch = {.ev = self->stack->ev, .open = count};
    for (int i = 0; i < count; i++) {
        char id[16];
        snprintf(id, sizeof(id), "env-%d", i);
        send_to_cluster(self, &env_delete_type, &(env_delete_t){.env = id}, &batch);
    }
    await("env.delete", &batch);
}

kube_t *lab_kube(lab_t *self)
{
    bus_call_t call = {
        .target = "cluster", .type = &env_get_type, .message = &(env_get_t){.env = "env-0"}};
    void *reply = NULL;
    err_t err = {0};
    if (bus_call(self->bus, &call, &env_info_type, &reply, &err) < 0)
        give_up("env.get", err.text);
    const env_info_t *info = reply;
    kube_config_t config = {.server = info->server, .token = info->token, .ca_pem = info->ca};
    kube_t *kube = kube_new(self->stack->ev, &config, NULL);
    codec_free(&env_info_type, reply);
    return kube;
}

/* ---- memory ---------------------------------------------------------------------------------- */

/* "Pss: 4711 kB" of /proc/<pid>/smaps_rollup. */
static double process_memory(pid_t pid)
{
    char line[128];
    double kilobytes = 0;
    AUTO_FREE char *path = xasprintf("/proc/%d/smaps_rollup", (int)pid);
    FILE *file = fopen(path, "re");
    while (file && fgets(line, sizeof(line), file)) {
        if (strncmp(line, "Pss:", 4) == 0)
            kilobytes = strtod(line + 4, NULL);
    }
    if (file)
        fclose(file);
    return kilobytes / 1024;
}

/* Of a process and all its descendants. */
static double tree_memory(pid_t pid)
{
    double sum = process_memory(pid);
    AUTO_FREE char *path = xasprintf("/proc/%d/task/%d/children", (int)pid, (int)pid);
    FILE *file = fopen(path, "re");
    int child = 0;
    while (file && fscanf(file, "%d", &child) == 1)
        sum += tree_memory(child);
    if (file)
        fclose(file);
    return sum;
}

double lab_env_memory(const lab_t *self)
{
    return tree_memory(self->cluster) - process_memory(self->cluster);
}
