/* service_main() as a process: options, configuration, start in any order, end by signal. */
#include "base/auto.h"
#include "base/mem.h"
#include "bus/service.h"
#include "tests/support/bus_stack.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#define TEST(rule) cmocka_unit_test_setup_teardown(rule, bus_stack_set_up, bus_stack_tear_down)

/* ---- the service: this program as another process ------------------------------------------- */

static const char *wanted_greeting = "hello";

static const struct argp_option option_table[] = {
    {"greeting", 'g', "TEXT", 0, "What it says", 0},
    {0},
};

static bool parse_option(void *option_values, int key, const char *value, err_t *err)
{
    (void)option_values, (void)key;
    wanted_greeting = value;
    if (*value)
        return true;
    err_set(err, ERR_INVALID, "it must say something");
    return false;
}

typedef struct greeter {
    const service_t *service;
    bus_request_t *held;
    char greeting[64];
} greeter_t;

/* Answered on the way out, so that a drain has something to wait for. */
static void answer_late(void *arg)
{
    greeter_t *self = arg;
    bus_reply(&self->held, &broker_last_type, &(broker_last_t){self->greeting});
}

static void on_last(void *arg, bus_request_t *request, const void *message)
{
    greeter_t *self = arg;
    const char *what = ((const broker_last_t *)message)->prefix;
    if (strcmp(what, "late") != 0) {
        bus_reply(&request, &broker_last_type, &(broker_last_t){self->greeting});
        return;
    }
    self->held = request;
    ev_after(self->service->ev, 600, answer_late, self);
    raise(SIGTERM);
}

static void *greeter_open(const service_t *service, err_t *err)
{
    static const bus_handler_t handlers[] = {{&broker_last_type, on_last}};
    greeter_t *self = xcalloc(1, sizeof(*self));
    self->service = service;
    snprintf(self->greeting, sizeof(self->greeting), "%s", wanted_greeting);
    if (strcmp(self->greeting, "refuse") == 0) {
        free(self);
        err_set(err, ERR_STATE, "this greeting is refused");
        return NULL;
    }
    bus_serve(service->bus, "greeter", handlers, ARRAY_SIZE(handlers), self);
    return self;
}

static void greeter_close(void **self_p)
{
    free(*self_p);
    *self_p = NULL;
}

static const service_spec_t spec = {
    .name = "greeter",
    .summary = "Says hello",
    .open = greeter_open,
    .close = greeter_close,
    .options = option_table,
    .parse_option = parse_option,
};

/* ---- the test's side ------------------------------------------------------------------------ */

/* Starts the service with up to two arguments; its stderr goes to a file of the stack. */
static pid_t start(const bus_stack_t *stack, const char *first, const char *second)
{
    AUTO_FREE char *log = xasprintf("%s/service.log", stack->folder);
    pid_t pid = fork();
    if (pid == 0) {
        sigset_t none;
        sigemptyset(&none);
        sigprocmask(SIG_SETMASK, &none, NULL);
        setenv("TEST_IS_SERVICE", "1", 1);
        dup2(open(log, O_WRONLY | O_CREAT | O_TRUNC, 0600), STDERR_FILENO);
        dup2(STDERR_FILENO, STDOUT_FILENO);
        execl("/proc/self/exe", "greeter", first, second, NULL);
        _exit(127);
    }
    return pid;
}

static void expect_log(const bus_stack_t *stack, const char *text)
{
    AUTO_FREE char *path = xasprintf("%s/service.log", stack->folder);
    char log[8192] = "";
    int fd = open(path, O_RDONLY);
    ssize_t size = read(fd, log, sizeof(log) - 1);
    close(fd);
    assert_true(size >= 0);
    if (!strstr(log, text))
        fail_msg("'%s' is not in the log:\n%s", text, log);
}

static const char *write_config(const bus_stack_t *stack, const char *text)
{
    static char path[128];
    snprintf(path, sizeof(path), "%s/greeter.yaml", stack->folder);
    FILE *file = fopen(path, "w");
    fputs(text, file);
    fclose(file);
    return path;
}

static void expect_greeting(bus_stack_t *stack, const char *ask, const char *greeting)
{
    AUTO(bus_destroy) bus_t *bus = bus_stack_program(stack, "client");
    bus_call_t call = {
        .target = "greeter", .type = &broker_last_type, .message = &(broker_last_t){ask}};
    void *reply = NULL;
    err_t err = {0};
    int rc = bus_call(bus, &call, &broker_last_type, &reply, &err);
    assert_string_equal(err.text, "");
    assert_int_equal(rc, 0);
    assert_string_equal(((broker_last_t *)reply)->prefix, greeting);
    codec_free(&broker_last_type, reply);
}

static void a_service_ends_cleanly_on_sigterm(void **state)
{
    bus_stack_t *stack = *state;
    pid_t pid = start(stack, NULL, NULL);
    expect_greeting(stack, "now", "hello");
    assert_int_equal(bus_stack_end(pid, SIGTERM), 0);
    expect_log(stack, "event=service.stopped");
    assert_true(bus_stack_metric(stack, "aiopslab_broker_peers_lost_total") == 0);
}

static void it_answers_what_it_has_before_it_goes(void **state)
{
    bus_stack_t *stack = *state;
    pid_t pid = start(stack, NULL, NULL);
    expect_greeting(stack, "late", "hello");
    assert_int_equal(bus_stack_end(pid, 0), 0);
}

static void it_may_start_before_the_broker(void **state)
{
    bus_stack_t *stack = *state;
    assert_int_equal(bus_stack_end(stack->broker, SIGTERM), 0);
    pid_t pid = start(stack, NULL, NULL);
    bus_stack_run_for(stack, 300);
    bus_stack_start_broker(stack, "tcp://127.0.0.1:0");
    expect_greeting(stack, "now", "hello");
    assert_int_equal(bus_stack_end(pid, SIGTERM), 0);
}

static void it_ends_on_sigterm_without_a_broker_too(void **state)
{
    bus_stack_t *stack = *state;
    assert_int_equal(bus_stack_end(stack->broker, SIGTERM), 0);
    stack->broker = 0;
    pid_t pid = start(stack, NULL, NULL);
    bus_stack_run_for(stack, 300);
    assert_int_equal(bus_stack_end(pid, SIGTERM), 0);
}

static void it_reads_its_configuration(void **state)
{
    bus_stack_t *stack = *state;
    pid_t pid = start(stack, "--config", write_config(stack, "greeter:\n  greeting: good day\n"));
    expect_greeting(stack, "now", "good day");
    assert_int_equal(bus_stack_end(pid, SIGTERM), 0);
}

static void a_broken_configuration_is_told_with_its_place(void **state)
{
    bus_stack_t *stack = *state;
    pid_t pid = start(
        stack, "--config", write_config(stack, "greeter:\n  greeting: hi\n  greating: typo\n"));
    assert_int_equal(bus_stack_end(pid, 0), 2);
    expect_log(stack, "greeter.yaml:3:3: there is no setting 'greating'; did you mean 'greeting'?");
}

static void wrong_options_are_a_wrong_call(void **state)
{
    bus_stack_t *stack = *state;
    assert_int_equal(bus_stack_end(start(stack, "--nonsense", NULL), 0), 2);
    assert_int_equal(bus_stack_end(start(stack, "argument", NULL), 0), 2);
    assert_int_equal(bus_stack_end(start(stack, "--config", "/nonexistent.yaml"), 0), 2);
}

static void help_and_version_are_there(void **state)
{
    bus_stack_t *stack = *state;
    assert_int_equal(bus_stack_end(start(stack, "--help", NULL), 0), 0);
    expect_log(stack, "Says hello");
    expect_log(stack, "--metrics-port");
    assert_int_equal(bus_stack_end(start(stack, "--version", NULL), 0), 0);
    expect_log(stack, "aiopslab-greeter");
}

static void a_service_that_cannot_start_says_why(void **state)
{
    bus_stack_t *stack = *state;
    pid_t pid = start(stack, "--config", write_config(stack, "greeter: {greeting: refuse}\n"));
    assert_int_equal(bus_stack_end(pid, 0), EXIT_FAILURE);
    expect_log(stack, "this greeting is refused");
}

int main(int argc, char **argv)
{
    if (getenv("TEST_IS_SERVICE"))
        return service_main(argc, argv, &spec);
    const struct CMUnitTest tests[] = {
        TEST(a_service_ends_cleanly_on_sigterm),
        TEST(it_answers_what_it_has_before_it_goes),
        TEST(it_may_start_before_the_broker),
        TEST(it_ends_on_sigterm_without_a_broker_too),
        TEST(it_reads_its_configuration),
        TEST(a_broken_configuration_is_told_with_its_place),
        TEST(wrong_options_are_a_wrong_call),
        TEST(help_and_version_are_there),
        TEST(a_service_that_cannot_start_says_why),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
