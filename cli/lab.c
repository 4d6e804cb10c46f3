#include "cli/lab.h"

#include "base/auto.h"
#include "base/mem.h"
#include "base/paths.h"
#include "cli/folder.h"
#include "cli/preflight.h"
#include "cli/programs.h"
#include "cli/supervisor.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

enum { START_MS = 20000, LOOK_EVERY_MS = 20 };

struct lab {
    ev_t *ev;
    bus_t *bus;
    char *run_dir;
    char *state_dir;  /* of a private lab; NULL otherwise */
    pid_t supervisor; /* of a private lab; 0: gone, or none */
    int owner_fd;     /* our end of the pipe by which the supervisor notices our end */
    int report_fd;    /* what the supervisor reports */
    int signal_fd;
    bool is_interrupted;
    bool is_ending; /* by SIGTERM */
    err_t failure;  /* why the lab is of no use; code 0: it is */
};

bool lab_is_private(const lab_t *self)
{
    return self->state_dir;
}

const char *lab_run_dir(const lab_t *self)
{
    return self->run_dir;
}

ev_t *lab_ev(const lab_t *self)
{
    return self->ev;
}

bus_t *lab_bus(const lab_t *self)
{
    return self->bus;
}

bool lab_take_interrupt(lab_t *self)
{
    bool is_interrupted = self->is_interrupted;
    self->is_interrupted = false;
    return is_interrupted;
}

bool lab_is_ending(const lab_t *self)
{
    return self->is_ending;
}

/* ---- whether one runs ---------------------------------------------------------------------- */

bool lab_is_running(const char *run_dir)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int length = snprintf(address.sun_path, sizeof(address.sun_path), "%s/requests", run_dir);
    if (length >= (int)sizeof(address.sun_path))
        return false;
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool is_running = connect(fd, (const struct sockaddr *)&address, sizeof(address)) == 0;
    close(fd);
    return is_running;
}

/* ---- what may come meanwhile --------------------------------------------------------------- */

static void on_signal(void *arg, int fd, uint32_t events)
{
    lab_t *self = arg;
    struct signalfd_siginfo info;
    (void)events;
    if (read(fd, &info, sizeof(info)) <= 0)
        return;
    self->is_interrupted = true;
    self->is_ending |= info.ssi_signo == SIGTERM;
    ev_stop(self->ev);
}

static void watch_signals(lab_t *self)
{
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGTERM);
    sigprocmask(SIG_BLOCK, &signals, NULL);
    signal(SIGPIPE, SIG_IGN);
    self->signal_fd = signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK);
    ev_fd(self->ev, self->signal_fd, EPOLLIN, on_signal, self);
}

/* "CODE SENTENCE\n", or the end of the file. */
static void on_report(void *arg, int fd, uint32_t events)
{
    lab_t *self = arg;
    char text[sizeof(self->failure.text)];
    (void)events;
    ssize_t size = read(fd, text, sizeof(text) - 1);
    ev_fd_end(self->ev, fd);
    text[size > 0 ? size : 0] = '\0';
    text[strcspn(text, "\n")] = '\0';
    char *sentence = strchr(text, ' ');
    if (sentence)
        *sentence++ = '\0';
    err_set(&self->failure, sentence ? err_code_parse(text) : ERR_UNAVAILABLE, "%s",
        sentence ? sentence : "the supervisor is gone");
    ev_stop(self->ev);
}

/* ---- starting one -------------------------------------------------------------------------- */

/* The supervisor sees our end by the pipe's other end, if it is to; we see its end by the report's.
 */
static int spawn(lab_t *self, supervisor_options_t options, err_t *err)
{
    int owner[2];
    int report[2];
    if (pipe2(owner, O_CLOEXEC) < 0 || pipe2(report, O_CLOEXEC) < 0)
        return err_set(err, ERR_IO, "cannot make a pipe: %s", strerror(errno));
    self->owner_fd = owner[1];
    self->report_fd = report[0];
    options.owner_fd = options.is_private ? owner[0] : -1;
    options.report_fd = report[1];
    pid_t pid = supervisor_spawn(&options, err);
    close(owner[0]);
    close(report[1]);
    if (pid < 0)
        return (int)pid;
    self->supervisor = pid;
    ev_fd(self->ev, self->report_fd, EPOLLIN, on_report, self);
    return 0;
}

static int start_private(lab_t *self, err_t *err)
{
    int rc = preflight_check(err);
    if (rc < 0)
        return rc;
    free(self->run_dir);
    self->run_dir = folder_make_temporary(err);
    if (!self->run_dir)
        return -(int)err->code;
    self->state_dir = xasprintf("%s/state", self->run_dir);
    return spawn(self,
        (supervisor_options_t){
            .run_dir = self->run_dir, .state_dir = self->state_dir, .is_private = true},
        err);
}

static int start_lasting(lab_t *self, const char *listen, const char *config_path, err_t *err)
{
    AUTO_FREE char *state_dir = paths_state_dir(err);
    if (!state_dir)
        return -(int)err->code;
    if (supervisor_find(self->run_dir) || lab_is_running(self->run_dir))
        return err_set(err, ERR_EXISTS, "it is up already, in '%s'", self->run_dir);
    int rc = preflight_check(err);
    if (rc < 0)
        return rc;
    return spawn(self,
        (supervisor_options_t){.run_dir = self->run_dir,
            .state_dir = state_dir,
            .listen = listen,
            .config_path = config_path},
        err);
}

/* ---- life cycle ---------------------------------------------------------------------------- */

static lab_t *new_lab(err_t *err)
{
    AUTO(lab_destroy) lab_t *self = zmalloc(sizeof(*self));
    self->owner_fd = self->report_fd = self->signal_fd = -1;
    zsys_handler_set(NULL); /* signals are the loop's */
    self->ev = ev_new();
    watch_signals(self);
    self->run_dir = paths_run_dir(err);
    return self->run_dir ? TAKE(self) : NULL;
}

static int connect_bus(lab_t *self, err_t *err)
{
    AUTO_FREE char *endpoint = xasprintf("ipc://%s/requests", self->run_dir);
    self->bus = bus_new(self->ev, &(bus_config_t){.name = "cli", .endpoint = endpoint}, err);
    return self->bus ? 0 : -(int)err->code;
}

static int find_or_start(lab_t *self, lab_kind_t kind, err_t *err)
{
    if (kind != LAB_PRIVATE && lab_is_running(self->run_dir))
        return 0;
    if (kind != LAB_RUNNING)
        return start_private(self, err);
    return err_set(
        err, ERR_UNAVAILABLE, "nothing runs in '%s'; 'aiopslab up' brings it up", self->run_dir);
}

lab_t *lab_open(lab_kind_t kind, err_t *err)
{
    AUTO(lab_destroy) lab_t *self = new_lab(err);
    if (!self || find_or_start(self, kind, err) < 0 || connect_bus(self, err) < 0)
        return NULL;
    return TAKE(self);
}

lab_t *lab_start(const char *listen, const char *config_path, err_t *err)
{
    AUTO(lab_destroy) lab_t *self = new_lab(err);
    if (!self || start_lasting(self, listen, config_path, err) < 0 || connect_bus(self, err) < 0)
        return NULL;
    return TAKE(self);
}

void lab_abandon(lab_t *self)
{
    if (!self->supervisor)
        return;
    kill(self->supervisor, SIGTERM);
    (void)waitpid(self->supervisor, NULL, 0);
    self->supervisor = 0;
}

/* A private lab goes when its owner's end of the pipe is closed. */
static void await_end(lab_t *self)
{
    if (self->owner_fd >= 0)
        close(self->owner_fd);
    if (!self->state_dir)
        return;
    if (self->supervisor)
        (void)waitpid(self->supervisor, NULL, 0);
    folder_remove(self->run_dir); /* there only if the supervisor was killed */
}

void lab_destroy(lab_t **self_p)
{
    lab_t *self = TAKE(*self_p);
    if (!self)
        return;
    bus_destroy(&self->bus);
    await_end(self);
    if (self->report_fd >= 0)
        close(self->report_fd);
    if (self->signal_fd >= 0)
        close(self->signal_fd);
    ev_destroy(&self->ev);
    free(self->run_dir);
    free(self->state_dir);
    free(self);
}

/* ---- calls --------------------------------------------------------------------------------- */

static int check(const lab_t *self, err_t *err)
{
    if (self->failure.code)
        return err_set(err, self->failure.code, "%s", self->failure.text);
    if (self->is_interrupted)
        return err_set(err, ERR_STATE, "interrupted");
    return 0;
}

int lab_call_by(lab_t *self, bus_t *bus, const bus_call_t *call, const codec_type_t *expected,
    void **reply_p, err_t *err)
{
    int rc = check(self, err);
    if (rc < 0)
        return rc;
    rc = bus_call(bus, call, expected, reply_p, err);
    int broken = rc < 0 ? check(self, err) : 0;
    return broken < 0 ? broken : rc;
}

int lab_call(
    lab_t *self, const bus_call_t *call, const codec_type_t *expected, void **reply_p, err_t *err)
{
    return lab_call_by(self, self->bus, call, expected, reply_p, err);
}

int lab_run(lab_t *self, err_t *err)
{
    int rc = check(self, err);
    if (rc < 0)
        return rc;
    ev_run(self->ev);
    return check(self, err);
}

/* ---- readiness ----------------------------------------------------------------------------- */

/* The name of a service that is not there yet, or NULL. */
static const char *find_absent(const json_t *report)
{
    const json_t *services = json_object_get(report, "services");
    for (size_t i = 1; i < program_count; i++) {
        size_t at;
        const json_t *service;
        bool is_there = false;
        json_array_foreach(services, at, service)
        {
            const char *name = json_string_value(json_object_get(service, "name"));
            is_there |= name && strcmp(name, program_names[i]) == 0
                        && json_integer_value(json_object_get(service, "instances")) > 0;
        }
        if (!is_there)
            return program_names[i];
    }
    return NULL;
}

static void on_look(void *arg)
{
    ev_stop(arg);
}

int lab_await_services(lab_t *self, err_t *err)
{
    int64_t until = ev_now(self->ev) + START_MS;
    const char *absent = NULL;
    do {
        void *reply = NULL;
        bus_call_t call = {.target = "broker",
            .type = &broker_status_type,
            .message = &(broker_status_t){},
            .timeout_ms = until - ev_now(self->ev)};
        int rc = lab_call(self, &call, &broker_report_type, &reply, err);
        if (rc < 0)
            return rc;
        absent = find_absent(((broker_report_t *)reply)->report);
        codec_free(&broker_report_type, reply);
        if (!absent)
            return 0;
        ev_after(self->ev, LOOK_EVERY_MS, on_look, self->ev);
        rc = lab_run(self, err);
        if (rc < 0)
            return rc;
    } while (ev_now(self->ev) < until);
    return err_set(err, ERR_TIMEOUT, "%s did not come up within %d s", absent, START_MS / 1000);
}
