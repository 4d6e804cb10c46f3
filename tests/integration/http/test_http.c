/* The HTTP client against a server in the same loop. */
#include "http/http.h"

#include "base/auto.h"
#include "base/mem.h"
#include "tests/support/http_stub.h"
#include "tests/support/test.h"

#include <arpa/inet.h>
#include <gnutls/x509.h>
#include <time.h>

typedef struct world {
    ev_t *ev;
    http_stub_t *stub;
    http_t *http;
    char token[32];
    char method[8];
    char body[32];
    int status; /* of the last answer */
    err_t err;
    size_t answers;
    char heard[64];
} world_t;

static void serve(void *arg, const http_stub_request_t *request, http_stub_answer_t *answer)
{
    world_t *world = arg;
    (void)snprintf(world->token, sizeof(world->token), "%s", request->token);
    (void)snprintf(world->method, sizeof(world->method), "%s", request->method);
    (void)snprintf(world->body, sizeof(world->body), "%s", request->body);
    if (strcmp(request->path, "/missing") == 0)
        answer->status = 404;
    answer->is_silent = strcmp(request->path, "/silent") == 0;
    answer->is_unending = strcmp(request->path, "/stream") == 0;
    answer->body = strcmp(request->path, "/long") == 0 ? xasprintf("%01000d", 1) : xstrdup("hello");
}

static world_t *world_new(const char *cert, const char *key, const char *ca)
{
    world_t *world = xcalloc(1, sizeof(*world));
    world->ev = ev_new();
    world->stub = http_stub_new(world->ev, cert, key, serve, world);
    world->http = http_new(world->ev,
        &(http_config_t){.base_url = http_stub_url(world->stub), .token = "secret", .ca_pem = ca},
        NULL);
    assert_non_null(world->http);
    return world;
}

static void world_destroy(world_t **world_p)
{
    world_t *world = *world_p;
    http_destroy(&world->http);
    http_stub_destroy(&world->stub);
    ev_destroy(&world->ev);
    free(world);
}

static void on_done(void *arg, const http_answer_t *answer)
{
    world_t *world = arg;
    world->answers++;
    world->status = answer->status;
    if (answer->err)
        world->err = *answer->err;
    ev_stop(world->ev);
}

static void an_answer_comes_whole(void **state)
{
    (void)state;
    AUTO(world_destroy) world_t *world = world_new(NULL, NULL, NULL);
    http_result_t result = {0};

    assert_int_equal(http_call(world->http, &(http_request_t){.url = "/x"}, &result, NULL), 0);

    assert_int_equal(result.status, 200);
    assert_string_equal(result.body, "hello");
    assert_string_equal(world->token, "secret");
    assert_string_equal(world->method, "GET");
    free(result.body);
}

static void a_body_is_sent_by_any_method(void **state)
{
    (void)state;
    AUTO(world_destroy) world_t *world = world_new(NULL, NULL, NULL);
    http_result_t result = {0};
    http_request_t request = {.method = "PATCH", .url = "/x", .body = "{}", .body_size = 2};

    assert_int_equal(http_call(world->http, &request, &result, NULL), 0);

    assert_string_equal(world->method, "PATCH");
    assert_string_equal(world->body, "{}");
    free(result.body);
}

static void a_refusal_is_an_answer(void **state)
{
    (void)state;
    AUTO(world_destroy) world_t *world = world_new(NULL, NULL, NULL);
    http_result_t result = {0};

    assert_int_equal(
        http_call(world->http, &(http_request_t){.url = "/missing"}, &result, NULL), 0);

    assert_int_equal(result.status, 404);
    free(result.body);
}

static void the_token_goes_to_no_one_else(void **state)
{
    (void)state;
    AUTO(world_destroy) world_t *world = world_new(NULL, NULL, NULL);
    AUTO_FREE char *url = xasprintf("%s/x", http_stub_url(world->stub));
    http_result_t result = {0};

    assert_int_equal(http_call(world->http, &(http_request_t){.url = url}, &result, NULL), 0);

    assert_string_equal(world->token, "");
    free(result.body);
}

static void a_silent_server_is_a_timeout(void **state)
{
    (void)state;
    AUTO(world_destroy) world_t *world = world_new(NULL, NULL, NULL);

    http_request_t request = {.url = "/silent", .timeout_ms = 50};
    assert_int_equal(http_call(world->http, &request, &(http_result_t){0}, NULL), -ERR_TIMEOUT);
}

static void nobody_there_is_unavailable(void **state)
{
    (void)state;
    AUTO(world_destroy) world_t *world = world_new(NULL, NULL, NULL);
    http_stub_destroy(&world->stub);

    err_t err = {0};
    assert_int_equal(
        http_call(world->http, &(http_request_t){.url = "/x"}, &(http_result_t){0}, &err),
        -ERR_UNAVAILABLE);
    assert_non_null(strstr(err.text, "no answer from 'http://127.0.0.1:"));
}

static void an_answer_past_the_limit_is_refused(void **state)
{
    (void)state;
    AUTO(world_destroy) world_t *world = world_new(NULL, NULL, NULL);

    http_request_t request = {.url = "/long", .limit = 999};
    assert_int_equal(http_call(world->http, &request, &(http_result_t){0}, NULL), -ERR_LIMIT);
}

static void a_connection_is_used_again(void **state)
{
    (void)state;
    AUTO(world_destroy) world_t *world = world_new(NULL, NULL, NULL);
    http_result_t first = {0};
    http_result_t second = {0};

    assert_int_equal(http_call(world->http, &(http_request_t){.url = "/x"}, &first, NULL), 0);
    assert_int_equal(http_call(world->http, &(http_request_t){.url = "/y"}, &second, NULL), 0);

    assert_int_equal(http_stub_connections(world->stub), 1);
    free(first.body);
    free(second.body);
}

static void hear(void *arg, int status, const char *bytes, size_t size)
{
    (void)status;
    world_t *world = arg;
    (void)strncat(world->heard, bytes, size);
    ev_stop(world->ev);
}

static void a_stream_comes_piece_by_piece(void **state)
{
    (void)state;
    AUTO(world_destroy) world_t *world = world_new(NULL, NULL, NULL);
    http_stream(
        world->http, &(http_request_t){.url = "/stream", .timeout_ms = -1}, hear, on_done, world);

    ev_run(world->ev);
    assert_string_equal(world->heard, "hello");
    http_stub_push(world->stub, ", world");
    ev_run(world->ev);
    assert_string_equal(world->heard, "hello, world");
    http_stub_hang_up(world->stub);
    ev_run(world->ev);
    assert_int_equal(world->answers, 1);
    assert_int_equal(world->status, 200);
}

static void on_silence(void *arg)
{
    ev_stop(((world_t *)arg)->ev);
}

static void a_cancelled_request_is_never_answered(void **state)
{
    (void)state;
    AUTO(world_destroy) world_t *world = world_new(NULL, NULL, NULL);

    http_cancel(
        world->http, http_send(world->http, &(http_request_t){.url = "/x"}, on_done, world));
    ev_after(world->ev, 30, on_silence, world);
    ev_run(world->ev);

    assert_int_equal(world->answers, 0);
}

static void send_and_destroy(void *arg, int status, const char *bytes, size_t size)
{
    world_t *world = arg;
    hear(arg, status, bytes, size);
    http_send(world->http, &(http_request_t){.url = "/x"}, on_done, world);
    http_destroy(&world->http);
}

static void the_client_may_go_within_its_callback(void **state)
{
    (void)state;
    AUTO(world_destroy) world_t *world = world_new(NULL, NULL, NULL);
    http_stream(world->http, &(http_request_t){.url = "/stream", .timeout_ms = -1},
        send_and_destroy, on_done, world);

    ev_run(world->ev);

    assert_null(world->http);
    assert_int_equal(world->answers, 0);
}

static void send_more(void *arg, int status, const char *bytes, size_t size)
{
    (void)status;
    (void)bytes;
    (void)size;
    world_t *world = arg;
    http_send(world->http, &(http_request_t){.url = "/missing"}, on_done, world);
}

static void a_request_may_be_made_within_a_stream(void **state)
{
    (void)state;
    AUTO(world_destroy) world_t *world = world_new(NULL, NULL, NULL);
    http_stream(
        world->http, &(http_request_t){.url = "/stream", .timeout_ms = -1}, send_more, NULL, world);

    ev_run(world->ev);

    assert_int_equal(world->status, 404);
}

/* ---- TLS ---------------------------------------------------------------------------------- */

typedef struct identity {
    gnutls_datum_t cert;
    gnutls_datum_t key;
} identity_t;

static void identity_done(identity_t *self)
{
    gnutls_free(self->cert.data);
    gnutls_free(self->key.data);
}

/* A certificate for 127.0.0.1, signed by its own key. */
static identity_t make_identity(void)
{
    identity_t self = {0};
    gnutls_x509_privkey_t key = NULL;
    gnutls_x509_crt_t cert = NULL;
    unsigned char loopback[] = {127, 0, 0, 1};
    gnutls_x509_privkey_init(&key);
    gnutls_x509_privkey_generate(
        key, GNUTLS_PK_ECDSA, GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1), 0);
    gnutls_x509_crt_init(&cert);
    gnutls_x509_crt_set_version(cert, 3);
    gnutls_x509_crt_set_key(cert, key);
    gnutls_x509_crt_set_serial(cert, "\1", 1);
    gnutls_x509_crt_set_activation_time(cert, time(NULL) - 60);
    gnutls_x509_crt_set_expiration_time(cert, time(NULL) + 3600);
    gnutls_x509_crt_set_subject_alt_name(
        cert, GNUTLS_SAN_IPADDRESS, loopback, sizeof(loopback), GNUTLS_FSAN_SET);
    gnutls_x509_crt_set_basic_constraints(cert, 1, 0);
    gnutls_x509_crt_sign2(cert, cert, key, GNUTLS_DIG_SHA256, 0);
    gnutls_x509_crt_export2(cert, GNUTLS_X509_FMT_PEM, &self.cert);
    gnutls_x509_privkey_export2(key, GNUTLS_X509_FMT_PEM, &self.key);
    gnutls_x509_crt_deinit(cert);
    gnutls_x509_privkey_deinit(key);
    return self;
}

static void a_server_of_our_authority_is_believed(void **state)
{
    (void)state;
    AUTO(identity_done) identity_t server = make_identity();
    AUTO(world_destroy)
    world_t *world =
        world_new((char *)server.cert.data, (char *)server.key.data, (char *)server.cert.data);
    http_result_t result = {0};
    err_t err = {0};

    int rc = http_call(world->http, &(http_request_t){.url = "/x"}, &result, &err);

    assert_string_equal(err.text, "");
    assert_int_equal(rc, 0);
    assert_string_equal(result.body, "hello");
    free(result.body);
}

static void a_server_of_another_authority_is_not(void **state)
{
    (void)state;
    AUTO(identity_done) identity_t server = make_identity();
    AUTO(identity_done) identity_t other = make_identity();
    AUTO(world_destroy)
    world_t *world =
        world_new((char *)server.cert.data, (char *)server.key.data, (char *)other.cert.data);

    assert_int_equal(
        http_call(world->http, &(http_request_t){.url = "/x"}, &(http_result_t){0}, NULL), -ERR_IO);
    assert_string_equal(world->token, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_answer_comes_whole),
        cmocka_unit_test(a_body_is_sent_by_any_method),
        cmocka_unit_test(a_refusal_is_an_answer),
        cmocka_unit_test(the_token_goes_to_no_one_else),
        cmocka_unit_test(a_silent_server_is_a_timeout),
        cmocka_unit_test(nobody_there_is_unavailable),
        cmocka_unit_test(an_answer_past_the_limit_is_refused),
        cmocka_unit_test(a_connection_is_used_again),
        cmocka_unit_test(a_stream_comes_piece_by_piece),
        cmocka_unit_test(a_cancelled_request_is_never_answered),
        cmocka_unit_test(the_client_may_go_within_its_callback),
        cmocka_unit_test(a_request_may_be_made_within_a_stream),
        cmocka_unit_test(a_server_of_our_authority_is_believed),
        cmocka_unit_test(a_server_of_another_authority_is_not),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
