#include "base/auto.h"
#include "metrics/metrics_http.h"
#include "tests/support/test.h"

#include <arpa/inet.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

typedef struct fixture {
    ev_t *ev;
    metrics_t *metrics;
    metrics_http_t *http;
    char reply[4096];
} fixture_t;

static int set_up(void **state)
{
    fixture_t *fixture = calloc(1, sizeof(*fixture));
    fixture->ev = ev_sim_new();
    fixture->metrics = metrics_new();
    metrics_counter(fixture->metrics, "steps_total", "Steps taken", NULL);
    fixture->http = metrics_http_new(fixture->ev, fixture->metrics, "0", NULL);
    *state = fixture;
    return fixture->http ? 0 : -1;
}

static int tear_down(void **state)
{
    fixture_t *fixture = *state;
    metrics_http_destroy(&fixture->http);
    metrics_destroy(&fixture->metrics);
    ev_destroy(&fixture->ev);
    free(fixture);
    return 0;
}

static int dial(const fixture_t *fixture)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
        .sin_port = htons((uint16_t)metrics_http_port(fixture->http)),
        .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
    return fd;
}

/* What the server says to these bytes until it closes; the loop runs for one virtual second. */
static const char *ask(fixture_t *fixture, const char *bytes, size_t size)
{
    int fd = dial(fixture);
    assert_int_equal(send(fd, bytes, size, MSG_NOSIGNAL), size);
    ev_sim_run_for(fixture->ev, 1000);
    ssize_t got = recv(fd, fixture->reply, sizeof(fixture->reply) - 1, MSG_DONTWAIT);
    fixture->reply[got > 0 ? got : 0] = '\0';
    close(fd);
    return fixture->reply;
}

static void a_scrape_gets_the_text(void **state)
{
    static const char request[] = "GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n";
    const char *reply = ask(*state, request, sizeof(request) - 1);
    assert_non_null(strstr(reply, "HTTP/1.1 200 OK"));
    assert_non_null(strstr(reply, "\nsteps_total 0\n"));
}

static void anything_else_is_not_found(void **state)
{
    static const char request[] = "GET / HTTP/1.1\r\n\r\n";
    assert_non_null(strstr(ask(*state, request, sizeof(request) - 1), "404"));
}

static void a_request_without_end_is_cut_off(void **state)
{
    char flood[8192];
    memset(flood, 'x', sizeof(flood));
    assert_string_equal(ask(*state, flood, sizeof(flood)), "");
}

static void a_peer_that_says_nothing_is_let_go(void **state)
{
    fixture_t *fixture = *state;
    int fd = dial(fixture);
    ev_sim_run_for(fixture->ev, 6000);
    char byte;
    assert_int_equal(recv(fd, &byte, 1, MSG_DONTWAIT), 0);
    close(fd);
}

static void a_bad_address_is_told(void **state)
{
    fixture_t *fixture = *state;
    err_t err;
    assert_null(metrics_http_new(fixture->ev, fixture->metrics, "70000", &err));
    assert_string_equal(err.text, "metrics address '70000' is not PORT or HOST:PORT");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_scrape_gets_the_text, set_up, tear_down),
        cmocka_unit_test_setup_teardown(anything_else_is_not_found, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_request_without_end_is_cut_off, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_peer_that_says_nothing_is_let_go, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_bad_address_is_told, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
