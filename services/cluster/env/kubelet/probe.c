#include "services/cluster/env/kubelet/probe.h"

#include "base/auto.h"
#include "base/mem.h"
#include "services/cluster/env/kubelet/grpc_check.h"
#include "services/cluster/env/object.h"

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    OUTPUT_LIMIT = 4096,
    /* A container that has just begun is asked in quick succession until it is first well, and its
     * refusals are not counted: it takes milliseconds to start, where the real one's image takes
     * seconds, and must not wait for a whole period because the first question came too soon. */
    EAGER_MS = 1000,
    EAGER_FIRST_MS = 5,
};

struct probe {
    probe_kind_t kind;
    probe_subject_t subject;
    probe_fn *fn;
    void *arg;
    char *target; /* URL of the question under way, or NULL */
    int port;     /* that the question goes to */
    int timer;
    int deadline;        /* timer of the question under way */
    int http_id;         /* of the question under way, or 0 */
    int fd;              /* of the TCP question under way, or -1 */
    command_t *command;  /* of the question under way, or NULL */
    grpc_check_t *grpc;  /* of the question under way, or NULL */
    int in_a_row;        /* answers of the last kind */
    bool last_is_well;   /* that kind */
    bool is_decided;     /* something was told */
    bool is_well;        /* what was told last */
    int64_t eager_until; /* 0: no longer */
    int64_t eager_ms;    /* the next pause */
};

static int64_t setting(const probe_t *self, const char *name, int64_t otherwise)
{
    return object_integer(self->subject.spec, name, otherwise);
}

static void ask(void *arg);

static void end_question(probe_t *self)
{
    ev_cancel(self->subject.ev, self->deadline);
    http_cancel(self->subject.http, self->http_id);
    self->deadline = self->http_id = 0;
    if (self->fd >= 0) {
        ev_fd_end(self->subject.ev, self->fd);
        close(self->fd);
        self->fd = -1;
    }
    command_destroy(&self->command);
    grpc_check_destroy(&self->grpc);
}

/* Whether to ask again soon rather than to take no for an answer. */
static bool is_too_early(probe_t *self, bool is_well)
{
    if (is_well || ev_now(self->subject.ev) >= self->eager_until) {
        self->eager_until = 0;
        return false;
    }
    self->eager_ms *= 2;
    self->timer = ev_after(self->subject.ev, self->eager_ms, ask, self);
    return true;
}

/* Takes an answer; fn may destroy the probe, so it comes last. */
static void decide(probe_t *self, bool is_well, const char *reason)
{
    end_question(self);
    if (is_too_early(self, is_well))
        return;
    self->in_a_row = self->in_a_row && self->last_is_well == is_well ? self->in_a_row + 1 : 1;
    self->last_is_well = is_well;
    int64_t threshold =
        is_well ? setting(self, "successThreshold", 1) : setting(self, "failureThreshold", 3);
    bool is_change = self->in_a_row >= threshold && (!self->is_decided || self->is_well != is_well);
    if (is_change) {
        self->is_decided = true;
        self->is_well = is_well;
    }
    self->timer = ev_after(self->subject.ev, 1000 * setting(self, "periodSeconds", 10), ask, self);
    if (is_change || !is_well)
        self->fn(self->arg, self->kind, is_well, is_change, reason);
}

/* ---- HTTP -------------------------------------------------------------------------------------
 */

static void on_http(void *arg, const http_answer_t *answer)
{
    probe_t *self = arg;
    self->http_id = 0;
    char reason[512];
    if (!answer->err)
        snprintf(reason, sizeof(reason), "HTTP probe failed with statuscode: %d", answer->status);
    else if (answer->err->code == ERR_UNAVAILABLE)
        snprintf(reason, sizeof(reason), "Get \"%s\": dial tcp %s:%d: connect: connection refused",
            self->target, self->subject.address, self->port);
    else if (answer->err->code == ERR_TIMEOUT)
        snprintf(reason, sizeof(reason),
            "Get \"%s\": context deadline exceeded (Client.Timeout exceeded while awaiting "
            "headers)",
            self->target);
    else
        snprintf(reason, sizeof(reason), "Get \"%s\": %s", self->target, answer->err->text);
    decide(self, !answer->err && answer->status >= 200 && answer->status < 400, reason);
}

/* A port is a number or the name of one of the container's. */
static int port_of(const probe_subject_t *subject, const json_t *port)
{
    if (json_is_integer(port))
        return (int)json_integer_value(port);
    const char *name = json_string_value(port);
    size_t i;
    json_t *entry;
    json_array_foreach(subject->ports, i, entry)
    {
        if (name && strcmp(object_string(entry, "name"), name) == 0)
            return (int)object_integer(entry, "containerPort", 0);
    }
    return name ? (int)strtol(name, NULL, 10) : 0;
}

static const char *host_of(const probe_subject_t *subject, const json_t *action)
{
    const char *host = object_string(action, "host");
    return *host ? host : subject->address;
}

char *probe_url(const probe_subject_t *subject, const json_t *action)
{
    const char *path = object_string(action, "path");
    bool is_tls = strcmp(object_string(action, "scheme"), "HTTPS") == 0;
    return xasprintf("%s://%s:%d%s%s", is_tls ? "https" : "http", host_of(subject, action),
        port_of(subject, object_at(action, "port")), *path == '/' ? "" : "/", path);
}

/* "Name: value" of each header the probe sends, in an array that ends with NULL. */
static char **headers_of(const json_t *action)
{
    const json_t *headers = object_at(action, "httpHeaders");
    char **lines = xcalloc(json_array_size(headers) + 1, sizeof(*lines));
    size_t i;
    json_t *header;
    json_array_foreach(headers, i, header) lines[i] =
        xasprintf("%s: %s", object_string(header, "name"), object_string(header, "value"));
    return lines;
}

static void ask_http(probe_t *self, const json_t *action)
{
    char **headers = headers_of(action);
    self->port = port_of(&self->subject, object_at(action, "port"));
    free(self->target);
    self->target = probe_url(&self->subject, action);
    http_request_t request = {.url = self->target,
        .headers = (const char *const *)headers,
        .timeout_ms = 1000 * setting(self, "timeoutSeconds", 1)};
    self->http_id = http_send(self->subject.http, &request, on_http, self);
    for (size_t i = 0; headers[i]; i++)
        free(headers[i]);
    free(headers);
}

/* ---- TCP --------------------------------------------------------------------------------------
 */

static void on_connected(void *arg, int fd, uint32_t events)
{
    (void)events;
    probe_t *self = arg;
    int error = 0;
    socklen_t size = sizeof(error);
    (void)getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size);
    char reason[256];
    snprintf(reason, sizeof(reason), "dial tcp %s:%d: connect: %s", self->subject.address,
        self->port, error == ECONNREFUSED ? "connection refused" : strerror(error));
    decide(self, error == 0, reason);
}

static void on_deadline(void *arg)
{
    probe_t *self = arg;
    self->deadline = 0;
    char reason[256];
    snprintf(
        reason, sizeof(reason), "dial tcp %s:%d: i/o timeout", self->subject.address, self->port);
    decide(self, false, reason);
}

static void ask_tcp(probe_t *self, const json_t *action)
{
    self->port = port_of(&self->subject, object_at(action, "port"));
    struct sockaddr_in to = {.sin_family = AF_INET,
        .sin_port = htons((uint16_t)self->port),
        .sin_addr = {inet_addr(host_of(&self->subject, action))}};
    self->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (self->fd < 0
        || (connect(self->fd, (struct sockaddr *)&to, sizeof(to)) < 0 && errno != EINPROGRESS)) {
        decide(self, false, strerror(errno));
        return;
    }
    ev_fd(self->subject.ev, self->fd, EPOLLOUT, on_connected, self);
    self->deadline =
        ev_after(self->subject.ev, 1000 * setting(self, "timeoutSeconds", 1), on_deadline, self);
}

/* ---- gRPC --------------------------------------------------------------------------------------
 */

static void on_grpc(void *arg, bool is_well, const char *reason)
{
    decide(arg, is_well, reason);
}

static void ask_grpc(probe_t *self, const json_t *action)
{
    self->grpc = grpc_check_new(self->subject.ev, self->subject.address,
        port_of(&self->subject, object_at(action, "port")), object_string(action, "service"),
        1000 * setting(self, "timeoutSeconds", 1), on_grpc, self);
}

/* ---- command ----------------------------------------------------------------------------------
 */

char **probe_words(const json_t *command)
{
    char **words = xcalloc(json_array_size(command) + 1, sizeof(*words));
    for (size_t i = 0; i < json_array_size(command); i++)
        words[i] = (char *)json_string_value(json_array_get(command, i));
    return words;
}

static char *timeout_text(const probe_t *self)
{
    char *text = xstrdup("");
    size_t i;
    json_t *word;
    json_array_foreach(object_at(self->subject.spec, "exec.command"), i, word)
    {
        char *longer = xasprintf("%s%s%s", text, i ? " " : "", json_string_value(word));
        free(text);
        text = longer;
    }
    AUTO_FREE char *command = text;
    return xasprintf("command \"%s\" timed out", command);
}

static void on_command(void *arg, const command_result_t *result)
{
    probe_t *self = arg;
    self->command = NULL;
    AUTO_FREE char *late = result->is_timed_out ? timeout_text(self) : NULL;
    decide(self, result->exit_code == 0 && !late, late ? late : result->output);
}

static void ask_command(probe_t *self, const json_t *action)
{
    char **argv = probe_words(object_at(action, "command"));
    command_config_t config = {.argv = argv,
        .envp = self->subject.envp,
        .timeout_ms = 1000 * setting(self, "timeoutSeconds", 1),
        .output_limit = OUTPUT_LIMIT};
    err_t err = {0};
    self->command = command_start(self->subject.process, &config, on_command, self, &err);
    free(argv);
    if (!self->command)
        decide(self, false, err.text);
}

/* ---- life cycle -------------------------------------------------------------------------------
 */

static void ask(void *arg)
{
    probe_t *self = arg;
    const json_t *spec = self->subject.spec;
    self->timer = 0;
    if (object_at(spec, "httpGet"))
        ask_http(self, object_at(spec, "httpGet"));
    else if (object_at(spec, "tcpSocket"))
        ask_tcp(self, object_at(spec, "tcpSocket"));
    else if (object_at(spec, "grpc"))
        ask_grpc(self, object_at(spec, "grpc"));
    else
        ask_command(self, object_at(spec, "exec"));
}

static char **copy_words(char *const *words)
{
    size_t count = 0;
    while (words[count])
        count++;
    char **copy = xcalloc(count + 1, sizeof(*copy));
    for (size_t i = 0; i < count; i++)
        copy[i] = xstrdup(words[i]);
    return copy;
}

probe_t *probe_new(probe_kind_t kind, const probe_subject_t *subject, probe_fn *fn, void *arg)
{
    probe_t *self = xcalloc(1, sizeof(*self));
    *self = (probe_t){.kind = kind, .subject = *subject, .fn = fn, .arg = arg, .fd = -1};
    self->subject.envp = copy_words(subject->envp);
    int64_t delay_ms = 1000 * setting(self, "initialDelaySeconds", 0);
    self->eager_ms = EAGER_FIRST_MS;
    self->eager_until = ev_now(subject->ev) + delay_ms + EAGER_MS;
    if (kind == PROBE_LIVENESS) /* the real one, too, notices a container only after a while */
        delay_ms += EAGER_MS;
    self->timer = ev_after(subject->ev, delay_ms, ask, self);
    return self;
}

void probe_destroy(probe_t **self_p)
{
    probe_t *self = *self_p;
    if (!self)
        return;
    ev_cancel(self->subject.ev, self->timer);
    end_question(self);
    for (size_t i = 0; self->subject.envp[i]; i++)
        free(self->subject.envp[i]);
    free((char **)self->subject.envp);
    free(self->target);
    free(self);
    *self_p = NULL;
}
