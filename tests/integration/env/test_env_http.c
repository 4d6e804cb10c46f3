/* The API server over real sockets, with libcurl as its client. */
#include "tests/integration/env/server.h"

#include "services/cluster/env/api/buffer.h"

#include "base/auto.h"
#include "base/mem.h"

#include "tests/support/test.h"

#include <curl/curl.h>
#include <stdbool.h>

static const char config_map[] =
    "{\"apiVersion\":\"v1\",\"kind\":\"ConfigMap\",\"metadata\":{\"name\":\"c\"}}";
#define PODS        "/api/v1/namespaces/default/pods"
#define CONFIG_MAPS "/api/v1/namespaces/default/configmaps"

typedef struct client {
    server_t *server;
    char folder[32];
    char *ca_path;
    CURL *curl;
    struct curl_slist *headers;
    buffer_t answer;
    buffer_t head;
    size_t enough; /* stop reading after so many bytes; 0: never */
} client_t;

static size_t on_body(char *bytes, size_t size, size_t count, void *arg)
{
    client_t *self = arg;
    buffer_add(&self->answer, bytes, size * count);
    return self->enough && self->answer.size >= self->enough ? 0 : size * count;
}

static size_t on_head(char *bytes, size_t size, size_t count, void *arg)
{
    client_t *self = arg;
    buffer_add(&self->head, bytes, size * count);
    return size * count;
}

static int setup(void **state)
{
    client_t *self = xcalloc(1, sizeof(*self));
    strcpy(self->folder, "/tmp/env-http-XXXXXX");
    if (!mkdtemp(self->folder))
        return -1;
    self->server = server_new(self->folder);
    self->ca_path = xasprintf("%s/authority.pem", self->folder);
    FILE *file = fopen(self->ca_path, "we");
    assert_non_null(file);
    fputs(server_ca(self->server), file);
    fclose(file);
    self->curl = curl_easy_init();
    self->headers = curl_slist_append(NULL, "Content-Type: application/json");
    self->headers = curl_slist_append(self->headers, "Expect:");
    *state = self;
    return 0;
}

static int teardown(void **state)
{
    client_t *self = *state;
    AUTO_FREE char *command = xasprintf("rm -r %s", self->folder);
    curl_easy_cleanup(self->curl);
    curl_slist_free_all(self->headers);
    server_destroy(&self->server);
    buffer_done(&self->answer);
    buffer_done(&self->head);
    free(self->ca_path);
    free(self);
    return system(command);
}

/* The status of the answer; 0 if the exchange was cut. */
static long send_request(client_t *self, const char *token, const char *path, const char *body)
{
    long status = 0;
    AUTO_FREE char *url = xasprintf("%s%s", server_url(self->server), path);
    self->answer.size = self->head.size = 0;
    curl_easy_setopt(self->curl, CURLOPT_URL, url);
    curl_easy_setopt(self->curl, CURLOPT_CAINFO, self->ca_path);
    curl_easy_setopt(self->curl, CURLOPT_CAPATH, NULL);
    curl_easy_setopt(self->curl, CURLOPT_HTTPHEADER, self->headers);
    curl_easy_setopt(self->curl, CURLOPT_XOAUTH2_BEARER, token);
    curl_easy_setopt(self->curl, CURLOPT_HTTPAUTH, token ? CURLAUTH_BEARER : CURLAUTH_BASIC);
    curl_easy_setopt(self->curl, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(self->curl, CURLOPT_WRITEDATA, self);
    curl_easy_setopt(self->curl, CURLOPT_HEADERFUNCTION, on_head);
    curl_easy_setopt(self->curl, CURLOPT_HEADERDATA, self);
    curl_easy_setopt(self->curl, CURLOPT_TIMEOUT, 20L);
    curl_easy_setopt(self->curl, CURLOPT_HTTPGET, 1L);
    if (body)
        curl_easy_setopt(self->curl, CURLOPT_COPYPOSTFIELDS, body);
    CURLcode rc = curl_easy_perform(self->curl);
    if (rc == CURLE_OK || rc == CURLE_WRITE_ERROR)
        curl_easy_getinfo(self->curl, CURLINFO_RESPONSE_CODE, &status);
    return status;
}

static long get(client_t *self, const char *path)
{
    return send_request(self, "operator-token", path, NULL);
}

static long post(client_t *self, const char *path, const char *body)
{
    return send_request(self, "operator-token", path, body);
}

static bool has(const buffer_t *buffer, const char *text)
{
    return buffer->size && memmem(buffer->bytes, buffer->size, text, strlen(text));
}

static void a_token_opens_the_door(void **state)
{
    client_t *self = *state;
    assert_int_equal(get(self, PODS), 200);
    assert_int_equal(send_request(self, "wrong", PODS, NULL), 401);
    assert_true(has(&self->answer, "\"reason\":\"Unauthorized\""));
    assert_int_equal(send_request(self, NULL, PODS, NULL), 403);
    assert_true(has(&self->answer, "User \\\"system:anonymous\\\" cannot list"));
    assert_int_equal(send_request(self, NULL, "/healthz", NULL), 200);
}

static void a_connection_is_used_again(void **state)
{
    client_t *self = *state;
    long connections = -1;
    get(self, PODS);
    post(self, CONFIG_MAPS, config_map);
    get(self, CONFIG_MAPS "/c");
    curl_easy_getinfo(self->curl, CURLINFO_NUM_CONNECTS, &connections);
    assert_int_equal(connections, 0);
    assert_true(has(&self->answer, "\"name\":\"c\""));
}

static void a_body_too_large_is_refused(void **state)
{
    enum { TOO_LARGE = 4 << 20 };
    client_t *self = *state;
    AUTO_FREE char *body = xcalloc(1, TOO_LARGE + 1);
    memset(body, ' ', TOO_LARGE);
    assert_int_equal(post(self, CONFIG_MAPS, body), 413);
    assert_int_equal(get(self, PODS), 200);
}

static void a_client_may_leave_a_watch(void **state)
{
    client_t *self = *state;
    post(self, CONFIG_MAPS, config_map);
    self->enough = 1;
    assert_int_equal(get(self, CONFIG_MAPS "?watch=true"), 200);
    assert_true(has(&self->head, "chunked"));
    assert_true(has(&self->answer, "{\"type\":\"ADDED\",\"object\":{"));
    self->enough = 0;
    assert_int_equal(get(self, PODS), 200);
}

static void a_watch_ends_by_itself(void **state)
{
    client_t *self = *state;
    post(self, CONFIG_MAPS, config_map);
    assert_int_equal(get(self, CONFIG_MAPS "?watch=true&timeoutSeconds=1"), 200);
    assert_true(has(&self->answer, "}\n"));
}

static void unknown_fields_are_warned_of(void **state)
{
    client_t *self = *state;
    assert_int_equal(post(self, CONFIG_MAPS "?fieldValidation=Warn",
                         "{\"apiVersion\":\"v1\",\"kind\":\"ConfigMap\",\"metadata\":{\"name\":"
                         "\"c\"},\"dat\":{}}"),
        201);
    assert_true(has(&self->head, "Warning: 299 - \"unknown field \\\"dat\\\"\""));
}

/* The pod's kubelet is make-believe and quick, but not quicker than the next request. */
static void make_pod(client_t *self)
{
    post(self, PODS,
        "{\"apiVersion\":\"v1\",\"kind\":\"Pod\",\"metadata\":{\"name\":\"p\"},"
        "\"spec\":{\"nodeName\":\"kind-worker\",\"containers\":[{\"name\":\"c\","
        "\"image\":\"i\"}]}}");
    get(self, PODS "?watch=true&timeoutSeconds=1&fieldSelector=status.phase%3DRunning");
}

static void the_node_answers_for_its_pods(void **state)
{
    client_t *self = *state;
    make_pod(self);
    assert_int_equal(get(self, PODS "/p/log?tailLines=5&follow=true"), 200);
    assert_true(has(&self->answer, "log of c tail=5 following\n"));
    assert_int_equal(get(self, PODS "/p/exec?command=ls&command=-l"), 200);
    assert_true(has(&self->head, "X-Exit-Code: 3"));
    assert_int_equal(get(self, PODS "/p:8080/proxy/metrics?a=b"), 201);
    assert_true(has(&self->answer, "GET http://10.244.0.9:8080/metrics?a=b"));
    assert_int_equal(get(self, "/api/v1/nodes/kind-worker/proxy/metrics/cadvisor"), 200);
    assert_true(has(&self->answer, "# /metrics/cadvisor of kind-worker\n"));
    assert_int_equal(get(self, PODS "/p/log?container=x"), 400);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(a_token_opens_the_door),
        TEST(a_connection_is_used_again),
        TEST(a_body_too_large_is_refused),
        TEST(a_client_may_leave_a_watch),
        TEST(a_watch_ends_by_itself),
        TEST(unknown_fields_are_warned_of),
        TEST(the_node_answers_for_its_pods),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
