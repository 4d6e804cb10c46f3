#include "tests/support/bus_stack.h"

#include "base/auto.h"
#include "base/mem.h"
#include "tests/support/folder.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { PATIENCE_MS = 30000, CHILD_LIMIT = 16 };

static pid_t s_children[CHILD_LIMIT]; /* 0: none */

/* ---- processes ------------------------------------------------------------------------------ */

static pid_t spawn(char *const *argv, const char *log_path)
{
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid > 0)
        return pid;
    prctl(PR_SET_PDEATHSIG, SIGTERM); /* a test that is killed leaves nothing running */
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    int log = open(log_path, O_WRONLY | O_CREAT | O_APPEND, 0600);
    dup2(log, STDERR_FILENO);
    execv(argv[0], argv);
    _exit(127);
}

pid_t bus_stack_spawn(const char *role, const char *first, const char *second)
{
    char *argv[] = {(char *)"/proc/self/exe", (char *)role, (char *)first, (char *)second, NULL};
    AUTO_FREE char *log = xasprintf("%s/children.log", getenv("AIOPSLAB_RUN"));
    pid_t pid = spawn(argv, log);
    for (size_t i = 0; i < CHILD_LIMIT; i++) {
        if (!s_children[i]) {
            s_children[i] = pid;
            return pid;
        }
    }
    fail_msg("too many children");
    return pid;
}

int bus_stack_end(pid_t pid, int signal)
{
    int status = 0;
    if (signal)
        kill(pid, signal);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    for (size_t i = 0; i < CHILD_LIMIT; i++)
        s_children[i] = s_children[i] == pid ? 0 : s_children[i];
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

/* What the broker said when it was ready: "... port=NUMBER". */
static int read_port(const char *log)
{
    for (int i = 0; i < PATIENCE_MS; i++) {
        char text[4096] = "";
        int fd = open(log, O_RDONLY);
        ssize_t size = fd < 0 ? 0 : read(fd, text, sizeof(text) - 1);
        close(fd);
        const char *port = size > 0 ? strstr(text, "port=") : NULL;
        if (port && strchr(port, '\n'))
            return (int)strtol(port + 5, NULL, 10);
        poll(NULL, 0, 1); /* the broker has no other way to say that it is there */
    }
    fail_msg("the broker did not start");
    return 0;
}

void bus_stack_start_broker(bus_stack_t *self, const char *listen)
{
    AUTO_FREE char *program = xasprintf("%s/aiopslab-broker", getenv("AIOPSLAB_BIN"));
    AUTO_FREE char *log = xasprintf("%s/broker.log", self->folder);
    char *argv[] = {program, (char *)"--listen", (char *)listen, NULL};
    unlink(log);
    self->broker = spawn(argv, log);
    self->port = read_port(log);
}

void bus_stack_kill_broker(bus_stack_t *self)
{
    assert_int_equal(bus_stack_end(self->broker, SIGKILL), -SIGKILL);
    self->broker = 0;
}

/* ---- life ----------------------------------------------------------------------------------- */

int bus_stack_set_up(void **state)
{
    bus_stack_t *self = xcalloc(1, sizeof(*self));
    snprintf(self->folder, sizeof(self->folder), "/tmp/test-bus-XXXXXX");
    assert_non_null(mkdtemp(self->folder));
    snprintf(self->requests, sizeof(self->requests), "ipc://%s/run/requests", self->folder);
    snprintf(self->keys, sizeof(self->keys), "%s/state/keys", self->folder);
    AUTO_FREE char *run = xasprintf("%s/run", self->folder);
    AUTO_FREE char *keys = xasprintf("%s/state", self->folder);
    mkdir(run, 0700);
    setenv("AIOPSLAB_RUN", run, 1);
    setenv("AIOPSLAB_STATE", keys, 1);
    self->ev = ev_new();
    bus_stack_start_broker(self, "tcp://127.0.0.1:0");
    *state = self;
    return 0;
}

int bus_stack_tear_down(void **state)
{
    bus_stack_t *self = *state;
    for (size_t i = 0; i < CHILD_LIMIT; i++) {
        if (s_children[i])
            bus_stack_end(s_children[i], SIGKILL);
    }
    if (self->broker)
        assert_int_equal(bus_stack_end(self->broker, SIGTERM), 0);
    int rc = folder_remove(self->folder);
    ev_destroy(&self->ev);
    free(self);
    return rc;
}

/* ---- the test's own side -------------------------------------------------------------------- */

typedef struct watch {
    bus_stack_t *stack;
    const volatile int *count;
    int wanted;
    int64_t until;
} watch_t;

static void look(void *arg)
{
    watch_t *watch = arg;
    if (*watch->count >= watch->wanted || ev_now(watch->stack->ev) > watch->until)
        ev_stop(watch->stack->ev);
    else
        ev_after(watch->stack->ev, 2, look, watch);
}

void bus_stack_await(bus_stack_t *self, const volatile int *count, int wanted)
{
    watch_t watch = {
        .stack = self, .count = count, .wanted = wanted, .until = ev_now(self->ev) + PATIENCE_MS};
    ev_after(self->ev, 0, look, &watch);
    ev_run(self->ev);
    assert_true(*count >= wanted);
}

static void stop(void *arg)
{
    ev_stop(arg);
}

void bus_stack_run_for(bus_stack_t *self, int64_t span_ms)
{
    ev_after(self->ev, span_ms, stop, self->ev);
    ev_run(self->ev);
}

bus_t *bus_stack_program(bus_stack_t *self, const char *name)
{
    bus_t *bus = bus_new(self->ev, &(bus_config_t){.name = name, .endpoint = self->requests}, NULL);
    assert_non_null(bus);
    return bus;
}

bus_t *bus_stack_tcp_program(bus_stack_t *self, const char *name, const char *role)
{
    err_t err;
    AUTO_FREE char *endpoint = xasprintf("tcp://127.0.0.1:%d", self->port);
    bus_t *bus = bus_new(self->ev,
        &(bus_config_t){.name = name, .endpoint = endpoint, .keys = self->keys, .role = role},
        &err);
    assert_non_null(bus);
    return bus;
}

double bus_stack_metric(bus_stack_t *self, const char *name)
{
    AUTO(bus_destroy) bus_t *bus = bus_stack_program(self, "metric");
    bus_call_t call = {
        .target = "broker", .type = &broker_status_type, .message = &(broker_status_t){}};
    void *reply = NULL;
    assert_int_equal(bus_call(bus, &call, &broker_report_type, &reply, NULL), 0);
    const char *text =
        json_string_value(json_object_get(((broker_report_t *)reply)->report, "metrics"));
    AUTO_FREE char *wanted = xasprintf("\n%s ", name);
    const char *line = strstr(text, wanted);
    assert_non_null(line);
    double value = strtod(line + strlen(wanted), NULL);
    codec_free(&broker_report_type, reply);
    return value;
}
