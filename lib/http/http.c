/* libcurl tells which descriptors and which timer it waits for; the loop tells libcurl when they
 * are ready. libcurl must not be re-entered: what a callback wants undone while libcurl is at work
 * (depth > 0) is marked, and done on the way out.
 *
 * The authority goes to libcurl as the path of a memory file, since its GnuTLS flavour takes no
 * certificates from memory. */
#include "http/http_internal.h"

#include "base/auto.h"
#include "base/mem.h"

#include <assert.h>
#include <sys/mman.h>
#include <unistd.h>

enum { KEPT_CONNECTIONS = 16 };

/* ---- transfers ---------------------------------------------------------------------------- */

static void unlink_transfer(http_t *self, transfer_t *transfer)
{
    transfer_t **at = &self->transfers;
    while (*at && *at != transfer)
        at = &(*at)->next;
    assert(*at);
    *at = transfer->next;
}

static void sweep_cancelled(http_t *self)
{
    for (transfer_t **at = &self->transfers; *at;) {
        transfer_t *transfer = *at;
        if (transfer->is_cancelled) {
            *at = transfer->next;
            transfer_free(transfer);
        } else {
            at = &transfer->next;
        }
    }
}

static err_code_t code_of(const transfer_t *transfer, CURLcode rc)
{
    if (transfer->is_over_limit)
        return ERR_LIMIT;
    if (rc == CURLE_OPERATION_TIMEDOUT)
        return ERR_TIMEOUT;
    static const CURLcode unavailable[] = {CURLE_COULDNT_CONNECT, CURLE_COULDNT_RESOLVE_HOST,
        CURLE_SEND_ERROR, CURLE_RECV_ERROR, CURLE_GOT_NOTHING, CURLE_PARTIAL_FILE};
    for (size_t i = 0; i < ARRAY_SIZE(unavailable); i++) {
        if (rc == unavailable[i])
            return ERR_UNAVAILABLE;
    }
    return rc == CURLE_URL_MALFORMAT || rc == CURLE_UNSUPPORTED_PROTOCOL ? ERR_INVALID : ERR_IO;
}

static void fill_err(const transfer_t *transfer, CURLcode rc, err_t *err)
{
    err_code_t code = code_of(transfer, rc);
    if (code == ERR_LIMIT)
        (void)err_set(err, code, "the answer of '%s' is longer than %zu bytes", transfer->url,
            transfer->limit);
    else
        (void)err_set(err, code, "no answer from '%s': %s", transfer->url,
            *transfer->why ? transfer->why : curl_easy_strerror(rc));
}

static void finish(http_t *self, transfer_t *transfer, CURLcode rc)
{
    unlink_transfer(self, transfer);
    err_t err = {0};
    http_answer_t answer = {.content_type = "", .body = transfer->body, .size = transfer->size};
    long status = 0;
    (void)curl_easy_getinfo(transfer->easy, CURLINFO_RESPONSE_CODE, &status);
    answer.status = (int)status;
    char *type = NULL;
    (void)curl_easy_getinfo(transfer->easy, CURLINFO_CONTENT_TYPE, &type);
    answer.content_type = type ? type : "";
    if (rc != CURLE_OK) {
        fill_err(transfer, rc, &err);
        answer.err = &err;
    }
    if (!transfer->is_cancelled && transfer->on_done)
        transfer->on_done(transfer->arg, &answer);
    transfer_free(transfer);
}

static void finish_ended(http_t *self)
{
    int left = 0;
    CURLMsg *message = NULL;
    while ((message = curl_multi_info_read(self->multi, &left))) {
        void *transfer = NULL;
        (void)curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &transfer);
        finish(self, transfer, message->data.result);
    }
}

static void free_all(http_t *self)
{
    while (self->transfers) {
        transfer_t *transfer = self->transfers;
        self->transfers = transfer->next;
        transfer_free(transfer);
    }
    if (self->multi)
        (void)curl_multi_cleanup(self->multi);
    ev_cancel(self->ev, self->timer_id);
    if (self->ca_fd >= 0)
        close(self->ca_fd);
    free(self->base_url);
    free(self->token);
    free(self);
    curl_global_cleanup();
}

/* ---- between libcurl and the loop --------------------------------------------------------- */

static void add(http_t *self, transfer_t *transfer)
{
    CURLMcode rc = curl_multi_add_handle(self->multi, transfer->easy);
    assert(rc == CURLM_OK);
    (void)rc;
    transfer->is_added = true;
}

static void add_new(http_t *self)
{
    if (!self->has_unadded || self->is_dying)
        return;
    self->has_unadded = false;
    for (transfer_t *transfer = self->transfers; transfer; transfer = transfer->next) {
        if (!transfer->is_added && !transfer->is_cancelled)
            add(self, transfer);
    }
}

static void act(http_t *self, curl_socket_t fd, int events)
{
    int running = 0;
    self->depth++;
    self->is_in_curl = true;
    (void)curl_multi_socket_action(self->multi, fd, events, &running);
    self->is_in_curl = false;
    add_new(self);
    finish_ended(self);
    self->depth--;
    if (self->is_dying)
        free_all(self);
    else
        sweep_cancelled(self);
}

static void on_ready(void *arg, int fd, uint32_t events)
{
    int ready = (events & EPOLLIN ? CURL_CSELECT_IN : 0)
                | (events & EPOLLOUT ? CURL_CSELECT_OUT : 0)
                | (events & (EPOLLERR | EPOLLHUP) ? CURL_CSELECT_ERR : 0);
    act(arg, fd, ready);
}

static void on_timer(void *arg)
{
    http_t *self = arg;
    self->timer_id = 0;
    act(self, CURL_SOCKET_TIMEOUT, 0);
}

static int on_socket_change(CURL *easy, curl_socket_t fd, int what, void *arg, void *socket_arg)
{
    (void)easy;
    (void)socket_arg;
    http_t *self = arg;
    if (what == CURL_POLL_REMOVE) {
        ev_fd_end(self->ev, fd);
        return 0;
    }
    uint32_t events = (what & CURL_POLL_IN ? EPOLLIN : 0u) | (what & CURL_POLL_OUT ? EPOLLOUT : 0u);
    ev_fd(self->ev, fd, events, on_ready, self);
    return 0;
}

static int on_timer_change(CURLM *multi, long timeout_ms, void *arg)
{
    (void)multi;
    http_t *self = arg;
    ev_cancel(self->ev, self->timer_id);
    self->timer_id = timeout_ms < 0 ? 0 : ev_after(self->ev, timeout_ms, on_timer, self);
    return 0;
}

/* ---- requests ----------------------------------------------------------------------------- */

int http_stream(http_t *self, const http_request_t *request, http_data_fn *on_data,
    http_done_fn *on_done, void *arg)
{
    assert(!self->is_dying);
    transfer_t *transfer = transfer_new(self, request);
    transfer->id = ++self->last_id;
    transfer->on_data = on_data;
    transfer->on_done = on_done;
    transfer->arg = arg;
    transfer->next = self->transfers;
    self->transfers = transfer;
    if (self->is_in_curl)
        self->has_unadded = true;
    else
        add(self, transfer);
    return transfer->id;
}

int http_send(http_t *self, const http_request_t *request, http_done_fn *on_done, void *arg)
{
    return http_stream(self, request, NULL, on_done, arg);
}

void http_cancel(http_t *self, int id)
{
    for (transfer_t *transfer = self->transfers; transfer; transfer = transfer->next) {
        if (transfer->id == id)
            transfer->is_cancelled = true;
    }
    if (!self->depth)
        sweep_cancelled(self);
}

/* ---- life cycle --------------------------------------------------------------------------- */

static int keep_authority(http_t *self, const char *pem, err_t *err)
{
    self->ca_fd = memfd_create("authority", MFD_CLOEXEC);
    size_t size = strlen(pem);
    if (self->ca_fd < 0 || write(self->ca_fd, pem, size) != (ssize_t)size)
        return err_set(err, ERR_IO, "cannot keep the certificate authority in memory");
    (void)snprintf(self->ca_path, sizeof(self->ca_path), "/proc/self/fd/%d", self->ca_fd);
    return 0;
}

http_t *http_new(ev_t *ev, const http_config_t *config, err_t *err)
{
    (void)curl_global_init(CURL_GLOBAL_DEFAULT);
    AUTO(http_destroy) http_t *self = xcalloc(1, sizeof(*self));
    self->ev = ev;
    self->ca_fd = -1;
    self->is_trusting = config->is_trusting;
    self->base_url = config->base_url ? xstrdup(config->base_url) : NULL;
    self->token = config->token ? xstrdup(config->token) : NULL;
    self->multi = curl_multi_init();
    if (!self->multi) {
        (void)err_set(err, ERR_IO, "cannot set up the HTTP client");
        return NULL;
    }
    curl_multi_setopt(self->multi, CURLMOPT_SOCKETFUNCTION, on_socket_change);
    curl_multi_setopt(self->multi, CURLMOPT_SOCKETDATA, self);
    curl_multi_setopt(self->multi, CURLMOPT_TIMERFUNCTION, on_timer_change);
    curl_multi_setopt(self->multi, CURLMOPT_TIMERDATA, self);
    curl_multi_setopt(self->multi, CURLMOPT_MAXCONNECTS, (long)KEPT_CONNECTIONS);
    if (config->ca_pem && keep_authority(self, config->ca_pem, err) < 0)
        return NULL;
    return TAKE(self);
}

void http_destroy(http_t **self_p)
{
    http_t *self = *self_p;
    *self_p = NULL;
    if (!self)
        return;
    for (transfer_t *transfer = self->transfers; transfer; transfer = transfer->next)
        transfer->is_cancelled = true;
    if (self->depth)
        self->is_dying = true;
    else
        free_all(self);
}
