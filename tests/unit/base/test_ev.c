#include "base/auto.h"
#include "base/ev.h"
#include "base/job.h"
#include "tests/support/test.h"

#include <sys/eventfd.h>
#include <unistd.h>

typedef struct seen {
    ev_t *ev;
    int count;
} seen_t;

static void on_timer(void *arg)
{
    seen_t *seen = arg;
    seen->count++;
    ev_stop(seen->ev);
}

static void on_message(void *arg, zsock_t *sock)
{
    AUTO_FREE char *text = zstr_recv(sock);
    assert_string_equal(text, "x");
    seen_t *seen = arg;
    if (++seen->count == 3)
        ev_stop(seen->ev);
}

static void on_fd(void *arg, int fd, uint32_t events)
{
    assert_true(events & EPOLLIN);
    ev_fd_end(((seen_t *)arg)->ev, fd);
    on_timer(arg);
}

static void a_cancelled_timer_does_not_fire(void **state)
{
    (void)state;
    AUTO(ev_destroy) ev_t *ev = ev_new();
    seen_t seen = {.ev = ev};
    ev_cancel(ev, ev_after(ev, 1, on_timer, &seen));
    ev_after(ev, 2, on_timer, &seen);
    ev_run(ev);
    assert_int_equal(seen.count, 1);
}

static void messages_that_wait_are_delivered_one_by_one(void **state)
{
    (void)state;
    AUTO(ev_destroy) ev_t *ev = ev_new();
    AUTO(zsock_destroy) zsock_t *pull = zsock_new_pull("inproc://test-ev");
    AUTO(zsock_destroy) zsock_t *push = zsock_new_push(">inproc://test-ev");
    seen_t seen = {.ev = ev};
    zstr_send(push, "x");
    zstr_send(push, "x");
    zstr_send(push, "x");
    ev_reader(ev, pull, on_message, &seen);
    ev_run(ev);
    ev_reader_end(ev, pull);
    assert_int_equal(seen.count, 3);
}

static void a_ready_descriptor_calls_its_handler(void **state)
{
    (void)state;
    AUTO(ev_destroy) ev_t *ev = ev_new();
    int fd = eventfd(1, EFD_CLOEXEC);
    seen_t seen = {.ev = ev};
    ev_fd(ev, fd, EPOLLIN, on_fd, &seen);
    ev_run(ev);
    close(fd);
    assert_int_equal(seen.count, 1);
}

static void work(void *task)
{
    *(int *)task = 42;
}

static void on_done(void *arg, void *task)
{
    assert_int_equal(*(int *)task, 42);
    on_timer(arg);
}

static void a_job_ends_as_an_event(void **state)
{
    (void)state;
    AUTO(ev_destroy) ev_t *ev = ev_new();
    seen_t seen = {.ev = ev};
    int task = 0;
    assert_non_null(job_start(ev, work, &task, on_done, &seen));
    ev_run(ev);
    assert_int_equal(seen.count, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_cancelled_timer_does_not_fire),
        cmocka_unit_test(messages_that_wait_are_delivered_one_by_one),
        cmocka_unit_test(a_ready_descriptor_calls_its_handler),
        cmocka_unit_test(a_job_ends_as_an_event),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
