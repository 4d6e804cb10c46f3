#include "apps/loadgen/worker.h"

#include "apps/common/http_reply.h"
#include "apps/loadgen/report.h"
#include "apps/loadgen/target.h"
#include "base/auto.h"
#include "base/mem.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

enum { DRAIN_MS = 1000, EVENT_COUNT = 64, SLACK_NS = 20000 };

static const int64_t second_ns = 1000000000;

typedef enum { CLOSED, CONNECTING, SENDING, RECEIVING, IDLE } connection_state_t;

typedef struct connection {
    int fd; /* -1: closed */
    connection_state_t state;
    bool is_reused; /* has carried an answer before */
    int64_t due_ns; /* of the present request, since the start */
    int64_t sent_ns;
    char request[MIX_PATH_SIZE + 512];
    size_t request_size;
    size_t request_sent;
    http_reply_t reply;
    struct connection *next_free;
} connection_t;

typedef struct worker {
    const worker_config_t *config;
    target_t target;
    int epoll_fd;
    int timer_fd;
    int signal_fd;
    int64_t start_ns; /* by the monotonic clock; all other times count from it */
    int64_t end_ns;
    int64_t tick_ns; /* when the next second is to be reported */
    int64_t stop_ns; /* when the plan was over; -1: not yet */
    arrivals_t arrivals;
    random_t random;
    report_t report;
    connection_t *connections;
    connection_t *free; /* those that carry no request */
    int busy_count;
    uint64_t unsent;
} worker_t;

static int64_t now_ns(const worker_t *self)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * second_ns + now.tv_nsec - self->start_ns;
}

/* ---- one connection ------------------------------------------------------------------------- */

static void watch(worker_t *self, connection_t *connection, uint32_t events, int operation)
{
    struct epoll_event event = {.events = events, .data.ptr = connection};
    epoll_ctl(self->epoll_fd, operation, connection->fd, &event);
}

static void disconnect(connection_t *connection)
{
    if (connection->fd >= 0)
        close(connection->fd); /* which also takes it out of the epoll */
    connection->fd = -1;
    connection->state = CLOSED;
}

static void finish(worker_t *self, connection_t *connection, outcome_t outcome)
{
    int64_t latency_ns = now_ns(self) - connection->due_ns;
    report_ended(&self->report, outcome, latency_ns > 0 ? (uint64_t)latency_ns / 1000 : 0,
        connection->reply.body_size);
    bool is_reusable = outcome == OUTCOME_OK || outcome == OUTCOME_STATUS;
    if (is_reusable && connection->reply.is_kept_alive) {
        connection->state = IDLE;
        connection->is_reused = true;
    } else {
        disconnect(connection);
    }
    connection->next_free = self->free;
    self->free = connection;
    self->busy_count--;
}

static void connect_now(worker_t *self, connection_t *connection)
{
    const int yes = 1;
    connection->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    connection->is_reused = false;
    connection->request_sent = 0;
    if (connection->fd < 0) {
        finish(self, connection, OUTCOME_CONNECT);
        return;
    }
    setsockopt(connection->fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof(yes));
    connection->state = CONNECTING;
    watch(self, connection, EPOLLOUT, EPOLL_CTL_ADD);
    const struct sockaddr *address = (const struct sockaddr *)&self->target.address;
    if (connect(connection->fd, address, sizeof(self->target.address)) < 0 && errno != EINPROGRESS)
        finish(self, connection, OUTCOME_CONNECT);
}

/* A kept connection that the server closed before one byte of an answer was simply old. */
static void lose(worker_t *self, connection_t *connection)
{
    bool is_stale = connection->is_reused && http_reply_is_unbegun(&connection->reply);
    if (is_stale) {
        disconnect(connection);
        connect_now(self, connection);
    } else {
        finish(self, connection, OUTCOME_READ);
    }
}

static void send_more(worker_t *self, connection_t *connection)
{
    connection->state = SENDING;
    while (connection->request_sent < connection->request_size) {
        ssize_t count = send(connection->fd, connection->request + connection->request_sent,
            connection->request_size - connection->request_sent, MSG_NOSIGNAL);
        if (count < 0 && errno == EAGAIN) {
            watch(self, connection, EPOLLOUT, EPOLL_CTL_MOD);
            return;
        }
        if (count < 0) {
            lose(self, connection);
            return;
        }
        connection->request_sent += (size_t)count;
    }
    connection->state = RECEIVING;
    watch(self, connection, EPOLLIN, EPOLL_CTL_MOD);
}

static void end_connecting(worker_t *self, connection_t *connection)
{
    int error = 0;
    socklen_t size = sizeof(error);
    getsockopt(connection->fd, SOL_SOCKET, SO_ERROR, &error, &size);
    if (error)
        finish(self, connection, OUTCOME_CONNECT);
    else
        send_more(self, connection);
}

static void receive(worker_t *self, connection_t *connection)
{
    char data[16384];
    ssize_t count = recv(connection->fd, data, sizeof(data), 0);
    if (count < 0 && errno == EAGAIN)
        return;
    bool is_closed = count <= 0 && !(count == 0 && http_reply_close(&connection->reply));
    if (is_closed) {
        lose(self, connection);
        return;
    }
    if (http_reply_feed(&connection->reply, data, (size_t)count) != count) {
        finish(self, connection, OUTCOME_READ);
        return;
    }
    int status = connection->reply.status;
    if (http_reply_is_complete(&connection->reply))
        finish(self, connection, status >= 200 && status < 400 ? OUTCOME_OK : OUTCOME_STATUS);
}

static void on_connection(worker_t *self, connection_t *connection)
{
    switch (connection->state) {
    case CONNECTING:
        end_connecting(self, connection);
        break;
    case SENDING:
        send_more(self, connection);
        break;
    case RECEIVING:
        receive(self, connection);
        break;
    case IDLE:
        disconnect(connection); /* the server closed it while nothing was asked */
        break;
    case CLOSED:
        break; /* an event that was gathered before it was closed */
    }
}

/* ---- the plan ------------------------------------------------------------------------------- */

static void dispatch(worker_t *self, connection_t *connection, int64_t due_ns)
{
    mix_request_t request;
    mix_draw(self->config->mix, &self->random, &request);
    connection->request_size = (size_t)snprintf(connection->request, sizeof(connection->request),
        "%s %s HTTP/1.1\r\nHost: %s\r\n%s\r\n", request.method, request.path, self->target.host,
        strcmp(request.method, "POST") == 0 ? "Content-Length: 0\r\n" : "");
    connection->request_sent = 0;
    connection->due_ns = due_ns;
    connection->sent_ns = now_ns(self);
    http_reply_reset(&connection->reply);
    self->busy_count++;
    report_sent(&self->report);
    if (connection->state == IDLE)
        send_more(self, connection);
    else
        connect_now(self, connection);
}

/* Whether the plan has requests that were not sent yet. */
static bool has_arrivals(const worker_t *self)
{
    return arrivals_due(&self->arrivals) < self->end_ns;
}

static void give_up_arrivals(worker_t *self)
{
    for (; has_arrivals(self); arrivals_advance(&self->arrivals))
        self->unsent++;
}

static bool is_due(const worker_t *self, int64_t now)
{
    return has_arrivals(self) && arrivals_due(&self->arrivals) <= now + SLACK_NS;
}

static void dispatch_due(worker_t *self)
{
    int64_t now = now_ns(self);
    while (self->free && is_due(self, now)) {
        connection_t *connection = self->free;
        self->free = connection->next_free;
        int64_t due_ns = arrivals_due(&self->arrivals);
        arrivals_advance(&self->arrivals);
        dispatch(self, connection, due_ns);
    }
}

/* Ends the requests that were sent before that time and are not answered yet. */
static void end_sent_before(worker_t *self, int64_t then_ns)
{
    for (int i = 0; i < self->config->connection_count; i++) {
        connection_t *connection = &self->connections[i];
        bool is_busy = connection->state != IDLE && connection->state != CLOSED;
        if (is_busy && connection->sent_ns < then_ns)
            finish(self, connection, OUTCOME_TIMEOUT);
    }
}

static void do_periodic(worker_t *self)
{
    int64_t now = now_ns(self);
    if (self->stop_ns < 0 && now >= self->end_ns)
        self->stop_ns = self->end_ns;
    while (now >= self->tick_ns && self->tick_ns <= self->end_ns) {
        report_second(&self->report, stdout);
        end_sent_before(self, now - self->config->timeout_ms * 1000000);
        self->tick_ns += second_ns;
    }
}

/* The timer fires at whatever is to be done next without being asked by a connection. */
static void set_timer(const worker_t *self)
{
    int64_t next = self->tick_ns <= self->end_ns ? self->tick_ns : self->end_ns + second_ns;
    if (self->free && has_arrivals(self) && arrivals_due(&self->arrivals) < next)
        next = arrivals_due(&self->arrivals);
    if (self->stop_ns < 0 && self->end_ns < next)
        next = self->end_ns;
    if (self->stop_ns >= 0 && self->stop_ns + DRAIN_MS * 1000000LL < next)
        next = self->stop_ns + DRAIN_MS * 1000000LL;
    int64_t at = self->start_ns + (next > 0 ? next : 0);
    struct itimerspec when = {.it_value = {at / second_ns, at % second_ns}};
    timerfd_settime(self->timer_fd, TFD_TIMER_ABSTIME, &when, NULL);
}

/* Told to stop: nothing is sent any more, what is under way may end. */
static void stop_now(worker_t *self)
{
    self->end_ns = now_ns(self);
    give_up_arrivals(self);
}

static bool is_over(const worker_t *self)
{
    if (self->stop_ns < 0)
        return false;
    bool is_done = self->busy_count == 0 && !has_arrivals(self);
    return is_done || now_ns(self) >= self->stop_ns + DRAIN_MS * 1000000LL;
}

static void on_event(worker_t *self, const struct epoll_event *event)
{
    struct signalfd_siginfo signal;
    uint64_t expirations = 0;
    if (event->data.ptr == &self->timer_fd)
        (void)!read(self->timer_fd, &expirations, sizeof(expirations)); /* only to clear it */
    else if (event->data.ptr != &self->signal_fd)
        on_connection(self, event->data.ptr);
    else if (read(self->signal_fd, &signal, sizeof(signal)) > 0 && self->stop_ns < 0)
        stop_now(self);
}

static void run(worker_t *self)
{
    while (!is_over(self)) {
        struct epoll_event events[EVENT_COUNT];
        dispatch_due(self);
        set_timer(self);
        int count = epoll_wait(self->epoll_fd, events, EVENT_COUNT, -1);
        for (int i = 0; i < count; i++)
            on_event(self, &events[i]);
        do_periodic(self);
    }
    end_sent_before(self, INT64_MAX);
    give_up_arrivals(self); /* no connection was free for them in all that time */
}

/* ---- life cycle ----------------------------------------------------------------------------- */

static int watched(int epoll_fd, int fd, void *mark)
{
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = mark};
    epoll_ctl(epoll_fd, EPOLL_CTL_ADD, fd, &event);
    return fd;
}

static int open_signals(void)
{
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGTERM);
    sigprocmask(SIG_BLOCK, &signals, NULL);
    return signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK);
}

static void open_connections(worker_t *self)
{
    self->connections = xcalloc((size_t)self->config->connection_count, sizeof(connection_t));
    for (int i = self->config->connection_count - 1; i >= 0; i--) {
        connection_t *connection = &self->connections[i];
        connection->fd = -1;
        http_reply_init(&connection->reply, 0);
        connection->next_free = self->free;
        self->free = connection;
    }
}

static void worker_destroy(worker_t **self_p)
{
    worker_t *self = *self_p;
    for (int i = 0; self->connections && i < self->config->connection_count; i++)
        disconnect(&self->connections[i]);
    free(self->connections);
    close(self->timer_fd);
    close(self->signal_fd);
    close(self->epoll_fd);
    free(self);
    *self_p = NULL;
}

int worker_run(const worker_config_t *config, err_t *err)
{
    AUTO(worker_destroy) worker_t *self = xcalloc(1, sizeof(*self));
    self->config = config;
    self->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    self->timer_fd = watched(self->epoll_fd,
        timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK), &self->timer_fd);
    self->signal_fd = watched(self->epoll_fd, open_signals(), &self->signal_fd);
    int rc = target_find(&self->target, config->url, self->signal_fd, err);
    if (rc < 0)
        return rc;
    random_init(&self->random, config->seed, 2);
    arrivals_init(&self->arrivals, config->arrivals, config->rate, config->seed);
    report_init(&self->report);
    open_connections(self);
    self->start_ns = now_ns(self);
    self->end_ns = config->duration_ms > 0 ? config->duration_ms * 1000000 : INT64_MAX;
    self->tick_ns = second_ns;
    self->stop_ns = -1;
    printf("Running %.1fs test @ %s\n  1 threads and %d connections, %g requests a second\n",
        (double)config->duration_ms / 1000, config->url, config->connection_count, config->rate);
    fflush(stdout);
    run(self);
    report_final(&self->report, (double)self->stop_ns / 1e9, self->unsent, stdout);
    return 0;
}
