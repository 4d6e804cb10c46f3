#include "tests/e2e/cluster/world.h"

#include "base/auto.h"
#include "base/mem.h"

#include <grp.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { SKIPPED = 77, NOBODY = 65534, AWAIT_MS = 60000, CREATE_MS = 60000 };

/* ---- processes ------------------------------------------------------------------------------- */

static int play_cluster(void)
{
    AUTO_FREE char *program = xasprintf("%s/aiopslab-cluster", getenv("AIOPSLAB_BIN"));
    execl(program, program, "--backoff=200", "--backoff-max=800", "--ready-timeout=6000",
        (char *)NULL);
    return 127;
}

static int give_up_root(void)
{
    AUTO_FREE char *program = xasprintf("%s/aiopslab-env", getenv("AIOPSLAB_BIN"));
    if (getuid() != 0 || setgroups(0, NULL) < 0 || setresgid(NOBODY, NOBODY, NOBODY) < 0
        || setresuid(NOBODY, NOBODY, NOBODY) < 0 || access(program, X_OK) < 0)
        return SKIPPED; /* this user is ordinary already, or another cannot read the build */
    return 0;
}

int world_main(int argc, char **argv, int (*run)(void))
{
    if (argc > 1 && strcmp(argv[1], "cluster") == 0)
        return play_cluster();
    if (argc > 1 && strcmp(argv[1], "as-user") == 0 && give_up_root() != 0)
        return SKIPPED;
    AUTO_FREE char *data = xasprintf("%s/tests/e2e/cluster/data", getenv("AIOPSLAB_SRC"));
    setenv("AIOPSLAB_DATA", data, 1);
    return run();
}

void world_start_cluster(world_t *self)
{
    self->cluster = bus_stack_spawn("cluster", NULL, NULL);
}

/* ---- environments ---------------------------------------------------------------------------- */

static void forget_env(world_t *self)
{
    kube_destroy(&self->kube);
    free(self->env);
    free(self->namespace);
    free(self->kubeconfig);
    json_decref(self->features);
    json_decref(self->phases);
    self->env = self->namespace = self->kubeconfig = NULL;
    self->features = self->phases = NULL;
}

static void write_kubeconfig(world_t *self, const env_info_t *info)
{
    AUTO_FREE char *ca_path = xasprintf("%s/%s.ca", self->stack->folder, info->env);
    self->kubeconfig = xasprintf("%s/%s.kubeconfig", self->stack->folder, info->env);
    FILE *ca = fopen(ca_path, "we");
    FILE *out = fopen(self->kubeconfig, "we");
    assert_non_null(ca);
    assert_non_null(out);
    fputs(info->ca, ca);
    fprintf(out,
        "{apiVersion: v1, kind: Config, current-context: c, clusters: [{name: c, cluster: "
        "{server: '%s', certificate-authority: '%s'}}], users: [{name: u, user: {token: '%s'}}], "
        "contexts: [{name: c, context: {cluster: c, user: u, namespace: '%s'}}]}\n",
        info->server, ca_path, info->token, info->namespace);
    fclose(ca);
    fclose(out);
}

static void remember_env(world_t *self, const env_info_t *info)
{
    kube_config_t config = {.server = info->server, .token = info->token, .ca_pem = info->ca};
    forget_env(self);
    self->env = xstrdup(info->env);
    self->namespace = xstrdup(info->namespace);
    self->features = json_incref(info->features);
    self->phases = json_incref(info->phases);
    self->kube = kube_new(self->stack->ev, &config, NULL);
    write_kubeconfig(self, info);
}

/* The broker refuses until the service has joined. */
int world_create(world_t *self, const char *id, const char *app)
{
    bus_call_t call = {.target = "cluster",
        .type = &env_create_type,
        .message = &(env_create_t){.env = (char *)id, .app = (char *)app, .seed = 7},
        .timeout_ms = CREATE_MS};
    void *reply = NULL;
    int rc = 0;
    for (int tries = 0; tries < 100; tries++) {
        self->err = (err_t){0};
        rc = bus_call(self->bus, &call, &env_info_type, &reply, &self->err);
        if (rc == 0 || !strstr(self->err.text, "is connected"))
            break;
        bus_stack_run_for(self->stack, 20);
    }
    if (rc < 0)
        return rc;
    remember_env(self, reply);
    codec_free(&env_info_type, reply);
    return 0;
}

void world_delete(world_t *self)
{
    bus_call_t call = {.target = "cluster",
        .type = &env_delete_type,
        .message = &(env_delete_t){.env = self->env}};
    void *reply = NULL;
    assert_int_equal(bus_call(self->bus, &call, &ok_type, &reply, NULL), 0);
    codec_free(&ok_type, reply);
}

static void forget_result(world_t *self)
{
    if (self->result)
        codec_free(&env_exec_result_type, self->result);
    self->result = NULL;
}

const env_exec_result_t *world_exec(world_t *self, const char *command, int64_t timeout_ms)
{
    bus_call_t call = {.target = "cluster",
        .type = &env_exec_type,
        .message = &(env_exec_t){.env = self->env,
            .command = (char *)command,
            .timeout_ms = timeout_ms,
            .output_limit = 10000},
        .timeout_ms = 2 * timeout_ms + 5000};
    void *reply = NULL;
    forget_result(self);
    if (bus_call(self->bus, &call, &env_exec_result_type, &reply, &self->err) < 0)
        fail_msg("%s", self->err.text);
    self->result = reply;
    return self->result;
}

pid_t world_env_pid(const world_t *self)
{
    char text[64] = "";
    AUTO_FREE char *path =
        xasprintf("/proc/%d/task/%d/children", (int)self->cluster, (int)self->cluster);
    FILE *file = fopen(path, "re");
    assert_non_null(file);
    assert_non_null(fgets(text, sizeof(text), file));
    fclose(file);
    return (pid_t)strtol(text, NULL, 10);
}

/* ---- objects --------------------------------------------------------------------------------- */

static const json_t *at(const json_t *value, const char *path)
{
    while (value && *path) {
        size_t length = strcspn(path, ".");
        AUTO_FREE char *key = xstrndup(path, length);
        value = json_is_array(value) ? json_array_get(value, strtoul(key, NULL, 10))
                                     : json_object_get(value, key);
        path += length + (path[length] == '.' ? 1 : 0);
    }
    return value;
}

static char *text_of(const json_t *value)
{
    return json_is_string(value) ? xstrdup(json_string_value(value))
           : value               ? json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT)
                                 : xstrdup("");
}

typedef struct wish {
    const char *path;
    const char *value;
} wish_t;

static bool is_met(void *arg, const json_t *objects, err_t *why)
{
    wish_t *wish = arg;
    const char *key;
    json_t *object;
    (void)err_set(why, ERR_TIMEOUT, "there is none");
    json_object_foreach((json_t *)objects, key, object)
    {
        AUTO_FREE char *value = text_of(at(object, wish->path));
        if (strcmp(value, wish->value) == 0)
            return true;
        (void)err_set(why, ERR_TIMEOUT, "%s is '%.100s', not '%s'", wish->path, value, wish->value);
    }
    return false;
}

static kube_ref_t ref_of(const world_t *self, const char *kind, const char *name)
{
    return KUBE(kind, strcmp(kind, "Node") == 0 ? NULL : self->namespace, name);
}

void world_await(
    world_t *self, const char *kind, const char *name, const char *path, const char *value)
{
    wish_t wish = {path, value};
    err_t err = {0};
    if (kube_wait_call(self->kube, ref_of(self, kind, name), NULL, is_met, &wish, AWAIT_MS, &err)
        < 0)
        fail_msg("%s '%s': %s", kind, name, err.text);
}

void world_await_gone(world_t *self, const char *kind, const char *name)
{
    err_t err = {0};
    if (kube_wait_call(
            self->kube, ref_of(self, kind, name), NULL, kube_are_gone, NULL, AWAIT_MS, &err)
        < 0)
        fail_msg("%s '%s': %s", kind, name, err.text);
}

char *world_value(world_t *self, const char *kind, const char *name, const char *path)
{
    json_auto_t *object = NULL;
    err_t err = {0};
    if (kube_call(self->kube, kube_get(ref_of(self, kind, name)), &object, &err) < 0)
        fail_msg("%s", err.text);
    return text_of(at(object, path));
}

void world_apply(world_t *self, const char *json)
{
    AUTO_FREE char *text = xstrdup(json);
    for (char *c = text; *c; c++)
        *c = *c == '\'' ? '"' : *c;
    json_error_t error;
    json_auto_t *object = json_loads(text, 0, &error);
    if (!object)
        fail_msg("%s: %s", error.text, text);
    json_object_set_new(
        json_object_get(object, "metadata"), "namespace", json_string(self->namespace));
    err_t err = {0};
    if (kube_call(self->kube, kube_create(object), NULL, &err) < 0)
        fail_msg("%s", err.text);
}

void world_run(world_t *self, const char *name, const char *script, const char *container_more,
    const char *spec_more)
{
    AUTO_FREE char *json = xasprintf(
        "{'apiVersion': 'v1', 'kind': 'Pod', 'metadata': {'name': '%s', 'labels': {'app': '%s'}}, "
        "'spec': {%s 'containers': [{'name': 'main', 'image': 'shop/shell:1', %s 'args': "
        "['%s']}]}}",
        name, name, spec_more, container_more, script);
    world_apply(self, json);
}

char *world_log(world_t *self, const char *pod, bool is_previous)
{
    kube_log_t log = {.namespace = self->namespace, .pod = pod, .is_previous = is_previous};
    char *text = NULL;
    err_t err = {0};
    if (kube_call_text(self->kube, kube_read_log(&log), &text, &err) < 0)
        fail_msg("%s", err.text);
    return text;
}

void world_await_log(world_t *self, const char *pod, const char *part)
{
    int64_t deadline = ev_now(self->stack->ev) + AWAIT_MS;
    for (;;) {
        AUTO_FREE char *log = world_log(self, pod, false);
        if (strstr(log, part))
            return;
        if (ev_now(self->stack->ev) > deadline)
            expect_in(log, part);
        bus_stack_run_for(self->stack, 20);
    }
}

char *world_ask(world_t *self, const char *pod, int port, const char *path)
{
    char *text = NULL;
    err_t err = {0};
    if (kube_call_text(self->kube, kube_pod_proxy(self->namespace, pod, port, path), &text, &err)
        < 0)
        fail_msg("%s", err.text);
    return text;
}

char *world_kubectl(world_t *self, const char *arguments, int *status_p)
{
    AUTO_FREE char *command =
        xasprintf("HOME='%s' kubectl --kubeconfig '%s' --request-timeout=20s %s 2>&1",
            self->stack->folder, self->kubeconfig, arguments);
    FILE *pipe = popen(command, "re");
    assert_non_null(pipe);
    char *text = xcalloc(1, 65536);
    size_t size = fread(text, 1, 65535, pipe);
    text[size] = '\0';
    int status = pclose(pipe);
    if (status_p)
        *status_p = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    else if (status != 0)
        fail_msg("kubectl %s: %s", arguments, text);
    return text;
}

void expect_in(const char *text, const char *part)
{
    if (!strstr(text, part))
        fail_msg("'%s' is not in '%s'", part, text);
}

/* ---- life ------------------------------------------------------------------------------------ */

int world_set_up_empty(void **state)
{
    world_t *self = xcalloc(1, sizeof(*self));
    bus_stack_set_up((void **)&self->stack);
    world_start_cluster(self);
    self->bus = bus_stack_program(self->stack, "test");
    *state = self;
    return 0;
}

int world_set_up(void **state)
{
    world_set_up_empty(state);
    world_t *self = *state;
    if (world_create(self, NULL, "shop") == 0)
        return 0;
    print_error("%s\n", self->err.text);
    return -1;
}

int world_tear_down(void **state)
{
    world_t *self = *state;
    if (self->cluster)
        bus_stack_end(self->cluster, SIGTERM);
    forget_env(self);
    forget_result(self);
    bus_destroy(&self->bus);
    int rc = bus_stack_tear_down((void **)&self->stack);
    free(self);
    return rc;
}
