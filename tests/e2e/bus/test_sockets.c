/* The broker's sockets as the world sees them: files, hostile bytes, subscribers that do not read.
 */
#include "base/auto.h"
#include "base/mem.h"
#include "tests/support/bus_stack.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#define TEST(rule) cmocka_unit_test_setup_teardown(rule, bus_stack_set_up, bus_stack_tear_down)

static mode_t mode_of(const bus_stack_t *stack, const char *name)
{
    AUTO_FREE char *path = xasprintf("%s/%s", stack->folder, name);
    struct stat status = {0};
    assert_int_equal(stat(path, &status), 0);
    return status.st_mode & 0777;
}

static void expect_alive(bus_stack_t *stack)
{
    assert_true(bus_stack_metric(stack, "aiopslab_broker_peers") >= 1);
}

/* ---- files ---------------------------------------------------------------------------------- */

static void only_the_owner_reaches_the_sockets(void **state)
{
    bus_stack_t *stack = *state;
    assert_int_equal(mode_of(stack, "run"), 0700);
    assert_int_equal(mode_of(stack, "run/requests"), 0600);
    assert_int_equal(mode_of(stack, "run/publish"), 0600);
    assert_int_equal(mode_of(stack, "run/events"), 0600);
    assert_int_equal(mode_of(stack, "state/keys"), 0700);
}

static int run_to_end(const char *program, const char *option, const char *value)
{
    pid_t pid = fork();
    if (pid == 0) {
        int null = open("/dev/null", O_WRONLY);
        dup2(null, STDERR_FILENO);
        dup2(null, STDOUT_FILENO);
        execl(program, program, option, value, NULL);
        _exit(127);
    }
    return bus_stack_end(pid, 0);
}

static void a_second_broker_on_the_same_folder_is_refused(void **state)
{
    bus_stack_t *stack = *state;
    AUTO_FREE char *program = xasprintf("%s/aiopslab-broker", getenv("AIOPSLAB_BIN"));
    assert_int_equal(run_to_end(program, NULL, NULL), EXIT_FAILURE);
    expect_alive(stack);
}

static void a_port_that_is_taken_is_told(void **state)
{
    bus_stack_t *stack = *state;
    AUTO_FREE char *program = xasprintf("%s/aiopslab-broker", getenv("AIOPSLAB_BIN"));
    AUTO_FREE char *listen = xasprintf("tcp://127.0.0.1:%d", stack->port);
    AUTO_FREE char *run = xasprintf("%s/other", stack->folder);
    setenv("AIOPSLAB_RUN", run, 1);
    assert_int_equal(run_to_end(program, "--listen", listen), EXIT_FAILURE);
}

static void a_wrong_option_is_a_wrong_call(void **state)
{
    (void)state;
    AUTO_FREE char *program = xasprintf("%s/aiopslab-broker", getenv("AIOPSLAB_BIN"));
    assert_int_equal(run_to_end(program, "--nonsense", NULL), 2);
    assert_int_equal(run_to_end(program, "--help", NULL), 0);
    assert_int_equal(run_to_end(program, "--version", NULL), 0);
}

/* ---- hostile bytes -------------------------------------------------------------------------- */

static int dial_file(const bus_stack_t *stack, const char *name)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    snprintf(address.sun_path, sizeof(address.sun_path), "%s/run/%s", stack->folder, name);
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
    return fd;
}

static int dial_port(int port)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
        .sin_port = htons((uint16_t)port),
        .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
    return fd;
}

/* Seeded, so that a failure can be repeated. */
static void send_noise(int fd, uint32_t seed)
{
    uint8_t bytes[4096];
    for (size_t i = 0; i < sizeof(bytes); i++) {
        seed = seed * 1664525 + 1013904223;
        bytes[i] = (uint8_t)(seed >> 24);
    }
    (void)send(fd, bytes, sizeof(bytes), MSG_NOSIGNAL); /* it may have hung up */
    close(fd);
}

/* A ZMTP 3.1 greeting and handshake without security, as a DEALER; then noise as a frame. */
static void send_noise_behind_a_handshake(int fd, uint32_t seed)
{
    uint8_t greeting[64] = {0xff, 0, 0, 0, 0, 0, 0, 0, 0, 0x7f, 3, 0, 'N', 'U', 'L', 'L'};
    static const char ready[] = "\4\31\5READY\13Socket-Type\0\0\0\6DEALER";
    (void)send(fd, greeting, sizeof(greeting), MSG_NOSIGNAL);
    (void)send(fd, ready, sizeof(ready) - 1, MSG_NOSIGNAL);
    static const char frames[] = "\1\5token\0\4junk\0\0\1\xff";
    (void)send(fd, frames, sizeof(frames) - 1, MSG_NOSIGNAL);
    send_noise(fd, seed);
}

static void noise_on_any_socket_hurts_nobody(void **state)
{
    bus_stack_t *stack = *state;
    static const char *const names[] = {"requests", "publish", "events"};
    for (uint32_t seed = 1; seed <= 20; seed++) {
        for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
            send_noise(dial_file(stack, names[i]), seed);
            send_noise_behind_a_handshake(dial_file(stack, names[i]), seed);
        }
        send_noise(dial_port(stack->port), seed);
        send_noise_behind_a_handshake(dial_port(stack->port), seed);
    }
    expect_alive(stack);
}

static void a_routing_id_chosen_by_the_program_is_not_accepted(void **state)
{
    bus_stack_t *stack = *state;
    AUTO(zsock_destroy) zsock_t *sock = zsock_new(ZMQ_DEALER);
    int one = 1;
    zmq_setsockopt(zsock_resolve(sock), ZMQ_PROBE_ROUTER, &one, sizeof(one));
    zmq_setsockopt(zsock_resolve(sock), ZMQ_ROUTING_ID, "chosen", 6);
    zsock_set_rcvtimeo(sock, 500);
    zsock_connect(sock, "%s", stack->requests);
    AUTO(zmsg_destroy) zmsg_t *welcome = zmsg_recv(sock);
    assert_null(welcome);
    assert_true(bus_stack_metric(stack, "aiopslab_broker_malformed_total") >= 1);
}

/* ---- subscribers that do not read ----------------------------------------------------------- */

typedef struct seen {
    int count;
    uint64_t lost;
    uint64_t number;
    bool is_marker; /* the last was the one that ends the test */
} seen_t;

static void on_event(void *arg, const bus_event_t *event)
{
    seen_t *seen = arg;
    seen->count++;
    seen->lost += event->lost;
    seen->number = event->number;
    seen->is_marker = event->type == &ok_type;
}

static void on_nothing(void *arg, const bus_event_t *event)
{
    (void)arg, (void)event;
}

/* Publishes so much from a process of its own that no queue can hold it. */
enum { FLOOD_COUNT = 100000, FLOOD_SIZE = 2000 };

static int run_flood(const char *endpoint)
{
    AUTO(ev_destroy) ev_t *ev = ev_new();
    AUTO(bus_destroy)
    bus_t *bus = bus_new(ev, &(bus_config_t){.name = "flood", .endpoint = endpoint}, NULL);
    char text[FLOOD_SIZE + 1];
    memset(text, 'x', FLOOD_SIZE);
    text[FLOOD_SIZE] = '\0';
    bus_call_t call = {
        .target = "broker", .type = &broker_status_type, .message = &(broker_status_t){}};
    bus_call(bus, &call, &broker_report_type, NULL, NULL);
    for (int i = 0; i < FLOOD_COUNT; i++) {
        while (bus_publish(bus, "env/1/load", &broker_last_type, &(broker_last_t){text}) < 0)
            bus_call(bus, &call, &broker_report_type, NULL, NULL);
        if (i % 100 == 0)
            bus_call(bus, &call, &broker_report_type, NULL, NULL);
    }
    return bus_counts(bus)->events_dropped ? 1 : 0;
}

/* A state is told to whoever subscribed before, and by the last value to whoever subscribed after;
 * either way the subscription holds then. */
static void await_subscribed(bus_stack_t *stack, bus_t *publisher, seen_t *seen)
{
    bus_publish(publisher, "env/1/state", &ok_type, &(ok_t){});
    bus_stack_await(stack, &seen->count, 1);
    *seen = (seen_t){0};
}

static void a_slow_subscriber_is_told_how_much_it_lost(void **state)
{
    bus_stack_t *stack = *state;
    AUTO(bus_destroy) bus_t *slow = bus_stack_program(stack, "slow");
    seen_t seen = {0};
    AUTO(bus_destroy) bus_t *last = bus_stack_program(stack, "last");
    bus_subscribe(slow, "env/", on_event, &seen);
    await_subscribed(stack, last, &seen);
    pid_t flood = bus_stack_spawn("flood", stack->requests, NULL);
    assert_int_equal(bus_stack_end(flood, 0), 0); /* meanwhile we read nothing */
    while (!seen.is_marker) {                     /* a loss at the end shows with the next event */
        bus_publish(last, "env/1/load", &ok_type, &(ok_t){});
        bus_stack_run_for(stack, 200);
    }
    assert_true(seen.lost > 0);
    assert_int_equal(seen.count + (int)seen.lost, (int)seen.number);
    assert_int_equal(bus_counts(slow)->events_lost, seen.lost);
}

static void a_stopped_subscriber_does_not_stop_the_others(void **state)
{
    bus_stack_t *stack = *state;
    pid_t stopped = bus_stack_spawn("listener", stack->requests, NULL);
    bus_stack_run_for(stack, 300);
    kill(stopped, SIGSTOP);
    AUTO(bus_destroy) bus_t *publisher = bus_stack_program(stack, "publisher");
    AUTO(bus_destroy) bus_t *good = bus_stack_program(stack, "good");
    seen_t seen = {0};
    bus_subscribe(good, "env/", on_event, &seen);
    await_subscribed(stack, publisher, &seen);
    for (int i = 1; i <= 40000; i++) {
        bus_publish(publisher, "env/1/load", &ok_type, &(ok_t){});
        if (i % 1000 == 0)
            bus_stack_await(stack, &seen.count, i);
    }
    assert_int_equal(seen.count, 40000);
    assert_int_equal(seen.lost, 0);
}

static int run_listener(const char *endpoint)
{
    AUTO(ev_destroy) ev_t *ev = ev_new();
    AUTO(bus_destroy)
    bus_t *bus = bus_new(ev, &(bus_config_t){.name = "listener", .endpoint = endpoint}, NULL);
    bus_subscribe(bus, "env/", on_nothing, NULL);
    ev_run(ev);
    return 0;
}

int main(int argc, char **argv)
{
    if (argc == 3 && strcmp(argv[1], "flood") == 0)
        return run_flood(argv[2]);
    if (argc == 3 && strcmp(argv[1], "listener") == 0)
        return run_listener(argv[2]);
    const struct CMUnitTest tests[] = {
        TEST(only_the_owner_reaches_the_sockets),
        TEST(a_second_broker_on_the_same_folder_is_refused),
        TEST(a_port_that_is_taken_is_told),
        TEST(a_wrong_option_is_a_wrong_call),
        TEST(noise_on_any_socket_hurts_nobody),
        TEST(a_routing_id_chosen_by_the_program_is_not_accepted),
        TEST(a_slow_subscriber_is_told_how_much_it_lost),
        TEST(a_stopped_subscriber_does_not_stop_the_others),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
