/* One transfer: what libcurl is told about it, and its body as it comes in. */
#include "http/http_internal.h"

#include "base/auto.h"
#include "base/mem.h"

static bool collect(transfer_t *self, const char *bytes, size_t size)
{
    if (self->size + size > self->limit) {
        self->is_over_limit = true;
        return false;
    }
    if (self->size + size + 1 > self->capacity) {
        self->capacity = 2 * (self->size + size) + 1;
        self->body = mem_check(realloc(self->body, self->capacity));
    }
    memcpy(self->body + self->size, bytes, size);
    self->size += size;
    self->body[self->size] = '\0';
    return true;
}

static size_t on_body(char *bytes, size_t unit, size_t count, void *arg)
{
    transfer_t *self = arg;
    size_t size = unit * count;
    if (self->is_cancelled)
        return 0;
    if (!self->on_data)
        return collect(self, bytes, size) ? size : 0;
    long status = 0;
    (void)curl_easy_getinfo(self->easy, CURLINFO_RESPONSE_CODE, &status);
    self->on_data(self->arg, (int)status, bytes, size);
    return self->is_cancelled ? 0 : size;
}

static void add_header(transfer_t *self, const char *format, const char *value)
{
    AUTO_FREE char *header = xasprintf("%s%s", format, value);
    self->headers = mem_check(curl_slist_append(self->headers, header));
}

static void set_headers(transfer_t *self, const http_request_t *request, bool is_ours)
{
    add_header(self, "Expect:", "");
    if (request->accept)
        add_header(self, "Accept: ", request->accept);
    if (request->body)
        add_header(self,
            "Content-Type: ", request->content_type ? request->content_type : "application/json");
    if (is_ours && self->http->token)
        add_header(self, "Authorization: Bearer ", self->http->token);
    for (size_t i = 0; request->headers && request->headers[i]; i++)
        add_header(self, request->headers[i], "");
    curl_easy_setopt(self->easy, CURLOPT_HTTPHEADER, self->headers);
}

static void set_body(transfer_t *self, const http_request_t *request)
{
    const char *method = request->method ? request->method : request->body ? "POST" : "GET";
    if (request->body) {
        curl_easy_setopt(self->easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)request->body_size);
        curl_easy_setopt(self->easy, CURLOPT_COPYPOSTFIELDS, request->body);
    } else if (strcmp(method, "POST") == 0 || strcmp(method, "PUT") == 0
               || strcmp(method, "PATCH") == 0) {
        curl_easy_setopt(self->easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)0);
        curl_easy_setopt(self->easy, CURLOPT_COPYPOSTFIELDS, "");
    }
    if (strcmp(method, "HEAD") == 0)
        curl_easy_setopt(self->easy, CURLOPT_NOBODY, 1L);
    curl_easy_setopt(self->easy, CURLOPT_CUSTOMREQUEST, method);
}

static void set_options(transfer_t *self, const http_request_t *request)
{
    int64_t timeout_ms = request->timeout_ms ? request->timeout_ms : HTTP_TIMEOUT_MS;
    curl_easy_setopt(self->easy, CURLOPT_PRIVATE, self);
    curl_easy_setopt(self->easy, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(self->easy, CURLOPT_WRITEDATA, self);
    curl_easy_setopt(self->easy, CURLOPT_ERRORBUFFER, self->why);
    curl_easy_setopt(self->easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(self->easy, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(self->easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    curl_easy_setopt(self->easy, CURLOPT_NOPROXY, "localhost,127.0.0.1");
    curl_easy_setopt(self->easy, CURLOPT_TCP_KEEPALIVE, 1L);
    curl_easy_setopt(self->easy, CURLOPT_CONNECTTIMEOUT_MS, (long)HTTP_CONNECT_TIMEOUT_MS);
    curl_easy_setopt(self->easy, CURLOPT_TIMEOUT_MS, timeout_ms < 0 ? 0L : (long)timeout_ms);
    if (self->http->ca_fd >= 0) {
        curl_easy_setopt(self->easy, CURLOPT_CAINFO, self->http->ca_path);
        curl_easy_setopt(self->easy, CURLOPT_CAPATH, NULL);
    }
    if (self->http->is_trusting) {
        curl_easy_setopt(self->easy, CURLOPT_SSL_VERIFYPEER, 0L);
        curl_easy_setopt(self->easy, CURLOPT_SSL_VERIFYHOST, 0L);
    }
}

transfer_t *transfer_new(http_t *self, const http_request_t *request)
{
    bool is_ours = self->base_url && request->url[0] == '/';
    AUTO_FREE char *url = xasprintf("%s%s", is_ours ? self->base_url : "", request->url);
    transfer_t *transfer = xcalloc(1, sizeof(*transfer));
    transfer->http = self;
    transfer->easy = mem_check(curl_easy_init());
    transfer->limit = request->limit ? request->limit : HTTP_BODY_LIMIT;
    transfer->body = xcalloc(1, 1);
    transfer->capacity = 1;
    (void)snprintf(transfer->url, sizeof(transfer->url), "%s", url);
    set_options(transfer, request);
    curl_easy_setopt(transfer->easy, CURLOPT_URL, url);
    set_headers(transfer, request, is_ours);
    set_body(transfer, request);
    return transfer;
}

void transfer_free(transfer_t *self)
{
    if (self->is_added)
        (void)curl_multi_remove_handle(self->http->multi, self->easy);
    curl_easy_cleanup(self->easy);
    curl_slist_free_all(self->headers);
    free(self->body);
    free(self);
}
