/* The load worker as a process against a server in the test's own loop. */
#include "base/auto.h"
#include "base/mem.h"
#include "tests/support/http_stub.h"
#include "tests/support/test.h"

#include <fcntl.h>
#include <jansson.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

typedef struct world {
    ev_t *ev;
    http_stub_t *stub;
    int status;     /* how the server answers */
    bool is_silent; /* or not at all */
    int requests;
    pid_t worker;
    int out;
    char output[16384];
    size_t size;
} world_t;

static void serve(void *arg, const http_stub_request_t *request, http_stub_answer_t *answer)
{
    world_t *world = arg;
    assert_string_equal(request->path, "/");
    world->requests++;
    answer->status = world->status;
    answer->is_silent = world->is_silent;
    answer->body = world->is_silent ? NULL : xstrdup("hello");
}

static void on_output(void *arg, int fd, uint32_t events)
{
    (void)events;
    world_t *world = arg;
    ssize_t count = read(fd, world->output + world->size, sizeof(world->output) - world->size - 1);
    if (count > 0) {
        world->size += (size_t)count;
        return;
    }
    ev_fd_end(world->ev, fd);
    ev_stop(world->ev);
}

static world_t *world_new(void)
{
    world_t *world = xcalloc(1, sizeof(*world));
    world->ev = ev_new();
    world->status = 200;
    world->stub = http_stub_new(world->ev, NULL, NULL, serve, world);
    return world;
}

static void world_destroy(world_t **world_p)
{
    http_stub_destroy(&(*world_p)->stub);
    ev_destroy(&(*world_p)->ev);
    free(*world_p);
}

static void exec_worker(const char *rate, const char *seconds, const char *url)
{
    AUTO_FREE char *path = xasprintf("%s/../bundles/loadgen/bin/loadgen", getenv("AIOPSLAB_BIN"));
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    execl(path, path, "--mix=root", "--connections=2", "--timeout=1", "--rate", rate, "--duration",
        seconds, url, NULL);
    _exit(127);
}

static void start(world_t *world, const char *rate, const char *seconds, const char *url)
{
    int ends[2];
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    world->worker = fork();
    if (world->worker == 0) {
        dup2(ends[1], STDOUT_FILENO);
        exec_worker(rate, seconds, url);
    }
    close(ends[1]);
    world->out = ends[0];
    ev_fd(world->ev, ends[0], EPOLLIN, on_output, world);
}

/* Runs until the worker has ended well; returns its last line. */
static json_t *wait_for_sum(world_t *world)
{
    int status = 0;
    ev_run(world->ev);
    close(world->out);
    waitpid(world->worker, &status, 0);
    assert_int_equal(status, 0);
    world->output[world->size - 1] = '\0'; /* the last line's end */
    return json_loads(strrchr(world->output, '\n') + 1, 0, NULL);
}

static int64_t number(const json_t *sum, const char *name)
{
    return json_integer_value(json_object_get(sum, name));
}

static void every_request_is_sent_and_counted(void **state)
{
    (void)state;
    AUTO(world_destroy) world_t *world = world_new();
    start(world, "200", "1", http_stub_url(world->stub));
    json_auto_t *sum = wait_for_sum(world);
    assert_int_equal(world->requests, 200);
    assert_int_equal(number(sum, "sent"), 200);
    assert_int_equal(number(sum, "ok"), 200);
    assert_int_equal(number(sum, "errors"), 0);
    assert_non_null(strstr(world->output, "\n{\"second\":1,\"sent\":"));
}

static void an_error_status_is_an_error(void **state)
{
    (void)state;
    AUTO(world_destroy) world_t *world = world_new();
    world->status = 500;
    start(world, "100", "0.2", http_stub_url(world->stub));
    json_auto_t *sum = wait_for_sum(world);
    assert_int_equal(number(sum, "ok"), 0);
    assert_int_equal(number(sum, "errors"), 20);
    assert_non_null(strstr(world->output, "Non-2xx or 3xx responses: 20"));
}

static void a_server_that_is_not_there_is_an_error_each(void **state)
{
    (void)state;
    AUTO(world_destroy) world_t *world = world_new();
    start(world, "100", "0.2", "http://127.0.0.1:1");
    json_auto_t *sum = wait_for_sum(world);
    assert_int_equal(number(sum, "errors"), 20);
    assert_non_null(strstr(world->output, "Socket errors: connect 20"));
}

static void what_finds_no_free_connection_is_told(void **state)
{
    (void)state;
    AUTO(world_destroy) world_t *world = world_new();
    world->is_silent = true;
    start(world, "100", "0.2", http_stub_url(world->stub));
    json_auto_t *sum = wait_for_sum(world);
    assert_int_equal(number(sum, "sent"), 2);
    assert_int_equal(number(sum, "errors"), 2);
    assert_int_equal(number(sum, "unsent"), 18);
}

static void on_enough(void *arg)
{
    world_t *world = arg;
    kill(world->worker, SIGTERM);
}

static void it_ends_with_the_sum_when_asked_to(void **state)
{
    (void)state;
    AUTO(world_destroy) world_t *world = world_new();
    start(world, "100", "0", http_stub_url(world->stub));
    ev_after(world->ev, 300, on_enough, world);
    json_auto_t *sum = wait_for_sum(world);
    assert_true(json_is_true(json_object_get(sum, "final")));
    assert_int_equal(number(sum, "sent"), world->requests);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_request_is_sent_and_counted),
        cmocka_unit_test(an_error_status_is_an_error),
        cmocka_unit_test(a_server_that_is_not_there_is_an_error_each),
        cmocka_unit_test(what_finds_no_free_connection_is_told),
        cmocka_unit_test(it_ends_with_the_sum_when_asked_to),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
