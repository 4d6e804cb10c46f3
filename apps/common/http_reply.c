#include "apps/common/http_reply.h"

#include "base/mem.h"

#include <ctype.h>
#include <strings.h>

void http_reply_init(http_reply_t *self, size_t body_limit)
{
    self->body = NULL;
    self->body_capacity = 0;
    self->body_limit = body_limit;
    http_reply_reset(self);
}

void http_reply_done(http_reply_t *self)
{
    free(self->body);
    self->body = NULL;
}

void http_reply_reset(http_reply_t *self)
{
    self->status = 0;
    self->is_kept_alive = true;
    self->body_size = 0;
    if (self->body)
        self->body[0] = '\0';
    self->state = HTTP_REPLY_STATUS;
    self->is_chunked = false;
    self->has_length = false;
    self->left = 0;
    self->head_size = 0;
    self->line_length = 0;
}

bool http_reply_is_complete(const http_reply_t *self)
{
    return self->state == HTTP_REPLY_COMPLETE;
}

bool http_reply_is_unbegun(const http_reply_t *self)
{
    return self->state == HTTP_REPLY_STATUS && self->head_size == 0;
}

bool http_reply_close(http_reply_t *self)
{
    if (self->state != HTTP_REPLY_UNTIL_CLOSE)
        return false;
    self->is_kept_alive = false;
    self->state = HTTP_REPLY_COMPLETE;
    return true;
}

static int keep_body(http_reply_t *self, const char *data, size_t size)
{
    size_t needed = self->body_size + size;
    if (self->body_limit == 0) {
        self->body_size = needed;
        return 0;
    }
    if (needed > self->body_limit)
        return -1;
    if (needed + 1 > self->body_capacity) {
        self->body_capacity = needed * 2 + 64;
        self->body = mem_check(realloc(self->body, self->body_capacity));
    }
    memcpy(self->body + self->body_size, data, size);
    self->body_size = needed;
    self->body[needed] = '\0';
    return 0;
}

/* "HTTP/1.1 200 OK"; 1.0 closes unless it says otherwise, which none of ours does. */
static int read_status(http_reply_t *self)
{
    const char *line = self->line;
    if (strncmp(line, "HTTP/1.", 7) != 0 || !isdigit((unsigned char)line[7]) || line[8] != ' ')
        return -1;
    for (int i = 9; i < 12; i++) {
        if (!isdigit((unsigned char)line[i]))
            return -1;
    }
    if (line[12] != ' ' && line[12] != '\0')
        return -1;
    self->status = (line[9] - '0') * 100 + (line[10] - '0') * 10 + (line[11] - '0');
    self->is_kept_alive = line[7] != '0';
    self->state = HTTP_REPLY_HEADER;
    return self->status < 100 ? -1 : 0;
}

static int read_number(const char *text, int base, uint64_t *number_p)
{
    if (!isxdigit((unsigned char)text[0]) || (base == 10 && !isdigit((unsigned char)text[0])))
        return -1;
    char *end = NULL;
    unsigned long long number = strtoull(text, &end, base);
    end += strspn(end, " \t");
    if ((*end && *end != ';') || number > INT64_MAX)
        return -1;
    *number_p = number;
    return 0;
}

static int read_header(http_reply_t *self, const char *name, const char *value)
{
    if (strcasecmp(name, "Content-Length") == 0) {
        self->has_length = true;
        return read_number(value, 10, &self->left);
    }
    if (strcasecmp(name, "Transfer-Encoding") == 0)
        self->is_chunked = strcasestr(value, "chunked") != NULL;
    else if (strcasecmp(name, "Connection") == 0)
        self->is_kept_alive = self->is_kept_alive && !strcasestr(value, "close");
    return 0;
}

static int end_head(http_reply_t *self)
{
    if (self->status < 200) {
        http_reply_reset(self);
        return 0;
    }
    if (self->status == 204 || self->status == 304)
        self->state = HTTP_REPLY_COMPLETE;
    else if (self->is_chunked)
        self->state = HTTP_REPLY_CHUNK_SIZE;
    else if (self->has_length)
        self->state = self->left ? HTTP_REPLY_BODY : HTTP_REPLY_COMPLETE;
    else
        self->state = HTTP_REPLY_UNTIL_CLOSE;
    return 0;
}

static int read_header_line(http_reply_t *self)
{
    if (self->line_length == 0)
        return end_head(self);
    char *colon = strchr(self->line, ':');
    if (!colon)
        return -1;
    *colon = '\0';
    const char *value = colon + 1 + strspn(colon + 1, " \t");
    return read_header(self, self->line, value);
}

static int read_chunk_size(http_reply_t *self)
{
    if (read_number(self->line, 16, &self->left) < 0)
        return -1;
    self->state = self->left ? HTTP_REPLY_CHUNK : HTTP_REPLY_TRAILER;
    self->head_size = 0;
    return 0;
}

static int read_line(http_reply_t *self)
{
    switch (self->state) {
    case HTTP_REPLY_STATUS:
        return read_status(self);
    case HTTP_REPLY_HEADER:
        return read_header_line(self);
    case HTTP_REPLY_CHUNK_SIZE:
        return read_chunk_size(self);
    case HTTP_REPLY_CHUNK_END:
        self->state = HTTP_REPLY_CHUNK_SIZE;
        return self->line_length ? -1 : 0;
    case HTTP_REPLY_TRAILER:
        if (self->line_length == 0)
            self->state = HTTP_REPLY_COMPLETE;
        return 0;
    case HTTP_REPLY_BODY:
    case HTTP_REPLY_CHUNK:
    case HTTP_REPLY_UNTIL_CLOSE:
    case HTTP_REPLY_COMPLETE:
        break;
    }
    return -1;
}

/* Gathers a line, which may come in pieces; returns the bytes taken or -1. */
static ssize_t feed_line(http_reply_t *self, const char *data, size_t size)
{
    const char *end = memchr(data, '\n', size);
    size_t taken = end ? (size_t)(end - data) + 1 : size;
    size_t text = end ? taken - 1 : taken;
    self->head_size += taken;
    if (self->head_size > HTTP_REPLY_HEAD_LIMIT
        || self->line_length + text >= HTTP_REPLY_LINE_LIMIT)
        return -1;
    memcpy(self->line + self->line_length, data, text);
    self->line_length += text;
    if (!end)
        return (ssize_t)taken;
    if (self->line_length > 0 && self->line[self->line_length - 1] == '\r')
        self->line_length--;
    self->line[self->line_length] = '\0';
    int rc = read_line(self);
    self->line_length = 0;
    return rc < 0 ? -1 : (ssize_t)taken;
}

static ssize_t feed_body(http_reply_t *self, const char *data, size_t size)
{
    bool is_counted = self->state != HTTP_REPLY_UNTIL_CLOSE;
    size_t taken = is_counted && self->left < size ? (size_t)self->left : size;
    if (keep_body(self, data, taken) < 0)
        return -1;
    if (is_counted)
        self->left -= taken;
    if (is_counted && self->left == 0)
        self->state = self->state == HTTP_REPLY_CHUNK ? HTTP_REPLY_CHUNK_END : HTTP_REPLY_COMPLETE;
    return (ssize_t)taken;
}

ssize_t http_reply_feed(http_reply_t *self, const char *data, size_t size)
{
    size_t used = 0;
    while (used < size && self->state != HTTP_REPLY_COMPLETE) {
        bool is_body = self->state == HTTP_REPLY_BODY || self->state == HTTP_REPLY_CHUNK
                       || self->state == HTTP_REPLY_UNTIL_CLOSE;
        ssize_t taken = is_body ? feed_body(self, data + used, size - used)
                                : feed_line(self, data + used, size - used);
        if (taken < 0)
            return -1;
        used += (size_t)taken;
    }
    return (ssize_t)used;
}
