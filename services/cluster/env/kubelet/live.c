#include "services/cluster/env/kubelet/live.h"

#include "base/auto.h"
#include "base/mem.h"
#include "services/cluster/env/kubelet/internal.h"
#include "services/cluster/env/kubelet/relay.h"
#include "services/cluster/env/object.h"

#include <string.h>

char *live_refuse(void *arg, const node_live_t *live)
{
    const pod_container_t *container = kubelet_find_container(arg, live->pod, live->container);
    if (container && container->process)
        return NULL;
    return live->argv ? xasprintf("container not found (\"%s\")", live->container)
                      : xasprintf("container %s not found in pod %s_%s", live->container,
                          object_name(live->pod), object_namespace(live->pod));
}

/* ---- commands -------------------------------------------------------------------------------- */

typedef struct exec {
    node_stream_t *stream;
    relay_t *relay;
    task_t *task;
    char *what; /* "error executing command [sh -c x]" */
} exec_t;

static void exec_free(exec_t *self)
{
    relay_destroy(&self->relay);
    task_destroy(&self->task);
    free(self->what);
    free(self);
}

static void on_exec_input(void *arg, const void *bytes, size_t size)
{
    relay_input(((exec_t *)arg)->relay, bytes, size);
}

static void on_exec_input_end(void *arg)
{
    relay_input_end(((exec_t *)arg)->relay);
}

static void on_exec_resize(void *arg, int columns, int rows)
{
    relay_resize(((exec_t *)arg)->relay, columns, rows);
}

static void on_exec_room(void *arg)
{
    relay_room(((exec_t *)arg)->relay);
}

static void on_exec_gone(void *arg)
{
    exec_free(arg);
}

static const node_stream_events_t exec_events = {.on_input = on_exec_input,
    .on_input_end = on_exec_input_end,
    .on_resize = on_exec_resize,
    .on_room = on_exec_room,
    .on_gone = on_exec_gone};

static void on_exec_output_end(void *arg)
{
    (void)arg; /* its exit is what counts */
}

static void on_exec_exited(void *arg, const container_exit_t *exit)
{
    exec_t *self = arg;
    self->task = NULL;
    relay_drain(self->relay);
    node_stream_exit(&self->stream, exit->code, self->what);
    exec_free(self);
}

/* As Go prints a slice of strings. */
static char *describe(const char *const *argv)
{
    char *text = xstrdup("error executing command [");
    for (size_t i = 0; argv[i]; i++) {
        char *more = xasprintf("%s%s%s", text, i ? " " : "", argv[i]);
        free(text);
        text = more;
    }
    char *whole = xasprintf("%s]", text);
    free(text);
    return whole;
}

/* As kubelet, containerd and runc put it. */
static void fail_exec(node_stream_t *stream, const char *program, const err_t *err)
{
    AUTO_FREE char *cause =
        err->code != ERR_NOT_FOUND ? xstrdup(err->text)
        : strchr(program, '/')
            ? xasprintf("exec: \"%s\": stat %s: no such file or directory", program, program)
            : xasprintf("exec: \"%s\": executable file not found in $PATH", program);
    AUTO_FREE char *text = xasprintf(
        "error executing command in container: failed to exec in container: failed to start exec: "
        "OCI runtime exec failed: exec failed: unable to start container process: %s: unknown",
        cause);
    node_stream_fail(&stream, text);
}

/* The container's variables, and what kind of terminal there is, unless they say so. */
static char **with_terminal(char **envp)
{
    size_t count = 0;
    bool is_known = false;
    for (; envp[count]; count++)
        is_known = is_known || strncmp(envp[count], "TERM=", 5) == 0;
    char **more = xcalloc(count + 2, sizeof(*more));
    memcpy(more, envp, count * sizeof(*more));
    if (!is_known)
        more[count] = (char *)"TERM=xterm";
    return more;
}

static void open_exec(
    kubelet_t *kubelet, pod_container_t *container, const node_live_t *live, node_stream_t *stream)
{
    AUTO_FREE char **envp = with_terminal(container->launch.envp);
    const task_config_t config = {
        .argv = (char *const *)live->argv,
        .envp = live->has_terminal ? envp : container->launch.envp,
        .cwd = container->launch.cwd,
        .has_input = live->has_input,
        .has_terminal = live->has_terminal,
    };
    err_t err = {0};
    streams_t streams;
    exec_t *self = xcalloc(1, sizeof(*self));
    self->task = task_start(container->process, &config, &streams, on_exec_exited, self, &err);
    if (!self->task) {
        free(self);
        fail_exec(stream, live->argv[0], &err);
        return;
    }
    self->stream = stream;
    self->what = describe(live->argv);
    self->relay = relay_new(kubelet->context.ev, stream, &streams, on_exec_output_end, self);
    node_stream_begin(stream, &exec_events, self);
}

void live_open(void *arg, const node_live_t *live, node_stream_t *stream)
{
    pod_container_t *container = kubelet_find_container(arg, live->pod, live->container);
    if (!container || !container->process) { /* it has ended just now */
        AUTO_FREE char *refusal = live_refuse(arg, live);
        node_stream_fail(&stream, refusal);
    } else if (live->argv) {
        open_exec(arg, container, live, stream);
    } else {
        attachments_add(&container->attachments, live, stream);
    }
}
