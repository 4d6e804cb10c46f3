#include "services/cluster/env/shells.h"

#include "base/auto.h"
#include "base/local_socket.h"
#include "base/mem.h"
#include "services/cluster/env/object.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { REQUEST_LIMIT = 1 << 20, READ_SIZE = 4096, SIZE_MOST = 10000 };

struct shells {
    ev_t *ev;       /* borrowed */
    agent_t *agent; /* borrowed */
    int listen_fd;
};

typedef struct shell {
    shells_t *shells; /* borrowed */
    int fd;
    char *request; /* as far as it has come */
    size_t size;
    task_t *task; /* NULL: not started yet */
} shell_t;

static void shell_free(shell_t *self)
{
    ev_fd_end(self->shells->ev, self->fd);
    close(self->fd);
    task_destroy(&self->task);
    free(self->request);
    free(self);
}

/* Whoever does not take a few bytes has gone, and is heard of. */
static void tell(shell_t *self, json_t *message, const int *fds, size_t fd_count)
{
    json_auto_t *owned = message;
    AUTO_FREE char *text = json_dumps(owned, JSON_COMPACT);
    AUTO_FREE char *line = xasprintf("%s\n", text);
    (void)local_socket_send(self->fd, line, strlen(line), fds, fd_count);
}

static void on_exited(void *arg, const container_exit_t *exit)
{
    shell_t *self = arg;
    self->task = NULL;
    tell(self, json_pack("{s:i}", "exit", exit->code), NULL, 0);
    shell_free(self);
}

/* ---- the request ----------------------------------------------------------------------------- */

/* The words, which are borrowed; NULL if that is not what they are. */
static char **words_of(const json_t *argv)
{
    size_t count = json_array_size(argv);
    AUTO_FREE char **words = xcalloc(count + 1, sizeof(*words));
    for (size_t i = 0; i < count; i++) {
        words[i] = (char *)json_string_value(json_array_get(argv, i));
        if (!words[i])
            return NULL;
    }
    return count ? TAKE(words) : NULL;
}

static int size_of(const json_t *terminal, const char *name)
{
    int64_t size = object_integer(terminal, name, 0);
    return size > 0 && size < SIZE_MOST ? (int)size : 0;
}

static int start(shell_t *self, const json_t *request, streams_t *streams, err_t *err)
{
    const json_t *terminal = json_object_get(request, "terminal");
    AUTO_FREE char **argv = words_of(json_object_get(request, "argv"));
    if (!argv)
        return err_set(err, ERR_INVALID, "expected {\"argv\": [\"…\"]}");
    const agent_task_t wanted = {.argv = argv,
        .terminal = terminal ? object_string(terminal, "type") : NULL,
        .columns = size_of(terminal, "columns"),
        .rows = size_of(terminal, "rows")};
    self->task = agent_start(self->shells->agent, &wanted, streams, on_exited, self, err);
    if (self->task)
        return 0;
    return err->code == ERR_NOT_FOUND ? err_set(err, ERR_NOT_FOUND, "there is no '%s'", argv[0])
                                      : -(int)err->code;
}

static void obey(shell_t *self)
{
    err_t err = {0};
    streams_t streams;
    json_auto_t *request = json_loadb(self->request, self->size, 0, NULL);
    if (start(self, request, &streams, &err) < 0) {
        tell(self, json_pack("{s:s}", "error", err.text), NULL, 0);
        shell_free(self);
        return;
    }
    const int fds[] = {streams.in, streams.out, streams.err};
    size_t count = streams.err < 0 ? 2 : 3;
    tell(self, json_pack("{s:b}", "started", 1), fds, count);
    for (size_t i = 0; i < count; i++)
        close(fds[i]);
}

static void on_client(void *arg, int fd, uint32_t events)
{
    (void)events;
    shell_t *self = arg;
    char bytes[READ_SIZE];
    ssize_t size = read(fd, bytes, sizeof(bytes));
    if (size < 0 && errno == EAGAIN)
        return;
    if (size <= 0 || self->size + (size_t)size > REQUEST_LIMIT) {
        shell_free(self);
        return;
    }
    if (self->task)
        return; /* there is nothing to say but goodbye */
    self->request = mem_check(realloc(self->request, self->size + (size_t)size));
    memcpy(self->request + self->size, bytes, (size_t)size);
    self->size += (size_t)size;
    if (bytes[size - 1] == '\n')
        obey(self);
}

/* ---- life cycle ------------------------------------------------------------------------------ */

static void on_connection(void *arg, int fd, uint32_t events)
{
    (void)events;
    shells_t *shells = arg;
    int client = accept4(fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (client < 0)
        return; /* it has gone already */
    shell_t *self = xcalloc(1, sizeof(*self));
    *self = (shell_t){.shells = shells, .fd = client};
    ev_fd(shells->ev, client, EPOLLIN, on_client, self);
}

shells_t *shells_new(ev_t *ev, agent_t *agent, const char *path, err_t *err)
{
    int fd = local_socket_listen(path, err);
    if (fd < 0)
        return NULL;
    shells_t *self = xcalloc(1, sizeof(*self));
    *self = (shells_t){.ev = ev, .agent = agent, .listen_fd = fd};
    ev_fd(ev, fd, EPOLLIN, on_connection, self);
    return self;
}
