/* Requests and their answers. */
#include "services/cluster/env/api/request.h"

#include "base/auto.h"
#include "base/mem.h"

#include <ctype.h>

/* ---- urls --------------------------------------------------------------------------------- */

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c = (char)tolower((unsigned char)c);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

char *url_decode(const char *text, size_t length, bool is_query)
{
    char *out = xcalloc(1, length + 1);
    size_t size = 0;
    for (size_t i = 0; i < length; i++) {
        int high = text[i] == '%' && i + 2 < length ? hex_digit(text[i + 1]) : -1;
        int low = high >= 0 ? hex_digit(text[i + 2]) : -1;
        if (low >= 0 && (high || low)) { /* %00 stays as it is */
            out[size++] = (char)(high << 4 | low);
            i += 2;
        } else {
            out[size++] = (char)(is_query && text[i] == '+' ? ' ' : text[i]);
        }
    }
    return out;
}

static void add_item(request_t *self, const char *text, size_t length)
{
    const char *equals = memchr(text, '=', length);
    size_t key_length = equals ? (size_t)(equals - text) : length;
    if (!length)
        return;
    self->items = mem_check(reallocarray(self->items, self->item_count + 1, sizeof(*self->items)));
    self->items[self->item_count++] = (query_item_t){
        .key = url_decode(text, key_length, true),
        .value = equals ? url_decode(equals + 1, length - key_length - 1, true) : xstrdup(""),
    };
}

static void parse_query(request_t *self)
{
    const char *at = self->query;
    while (*at) {
        size_t length = strcspn(at, "&");
        add_item(self, at, length);
        at += length + (at[length] == '&');
    }
}

const char *request_query(const request_t *self, const char *key)
{
    for (size_t i = 0; i < self->item_count; i++) {
        if (!strcmp(self->items[i].key, key))
            return self->items[i].value;
    }
    return NULL;
}

bool request_flag(const request_t *self, const char *key)
{
    const char *value = request_query(self, key);
    return value && (!strcmp(value, "true") || !strcmp(value, "1"));
}

/* ---- life cycle --------------------------------------------------------------------------- */

request_t *request_new(const char *method, const char *url)
{
    request_t *self = xcalloc(1, sizeof(*self));
    self->method = xstrdup(method);
    self->url = xstrdup(url);
    size_t length = strcspn(url, "?#");
    self->path = xstrndup(url, length);
    self->query = self->url[length] == '?' ? self->url + length + 1 : "";
    parse_query(self);
    return self;
}

static void upgrade_destroy(upgrade_t **self_p)
{
    upgrade_t *self = TAKE(*self_p);
    if (!self)
        return;
    if (self->on_dropped)
        self->on_dropped(self->arg);
    free(self->accept);
    free(self);
}

void request_destroy(request_t **self_p)
{
    request_t *self = *self_p;
    *self_p = NULL;
    if (!self)
        return;
    if (self->on_gone)
        self->on_gone(self->gone_arg);
    for (size_t i = 0; i < self->item_count; i++) {
        free(self->items[i].key);
        free(self->items[i].value);
    }
    free(self->items);
    free(self->method);
    free(self->url);
    free(self->path);
    free(self->accept);
    free(self->content_type);
    free(self->token);
    user_done(&self->peer);
    json_decref(self->impersonation);
    user_done(&self->user);
    free(self->upgrade);
    free(self->upgrade_protocols);
    free(self->websocket_key);
    buffer_done(&self->body);
    buffer_done(&self->reply.body);
    free(self->reply.owned_type);
    stream_destroy(&self->reply.stream);
    upgrade_destroy(&self->reply.upgrade);
    json_decref(self->reply.warnings);
    free(self);
}

/* ---- answers ------------------------------------------------------------------------------ */

static void answer(request_t *self, int status, const char *content_type)
{
    self->reply.status = status;
    self->reply.content_type = content_type;
    self->on_gone = NULL;
    if (self->on_answer)
        self->on_answer(self);
}

void reply_bytes(
    request_t *self, int status, const char *content_type, const void *bytes, size_t size)
{
    buffer_add(&self->reply.body, bytes, size);
    answer(self, status, content_type);
}

void reply_text(request_t *self, int status, const char *text)
{
    reply_bytes(self, status, "text/plain; charset=utf-8", text, strlen(text));
}

void reply_json(request_t *self, int status, json_t *value)
{
    AUTO_FREE char *text = mem_check(json_dumps(value, JSON_COMPACT));
    json_decref(value);
    reply_bytes(self, status, "application/json", text, strlen(text));
}

void reply_buffer(request_t *self, int status, const char *content_type, buffer_t *body)
{
    self->reply.body = *body;
    *body = (buffer_t){0};
    answer(self, status, content_type);
}

void reply_stream(request_t *self, const char *content_type, stream_t *stream)
{
    self->reply.stream = stream;
    answer(self, 200, content_type);
}

void reply_upgrade(request_t *self, upgrade_t *upgrade)
{
    self->reply.upgrade = upgrade;
    answer(self, 101, NULL);
}

void reply_warn(request_t *self, const char *text)
{
    if (!self->reply.warnings)
        self->reply.warnings = json_array();
    json_array_append_new(self->reply.warnings, json_string(text));
}
