#include "services/cluster/env/kubelet/container_log.h"

#include "base/auto.h"
#include "base/mem.h"

#include <string.h>
#include <sys/queue.h>
#include <time.h>

enum {
    LINE_LIMIT = 16384,         /* longer ones are cut, as the CRI cuts them */
    FOLLOWER_BACKLOG = 4 << 20, /* who reads slower than that loses the connection */
};

typedef struct line {
    struct timespec at;
    size_t size;
    STAILQ_ENTRY(line) in_lines;
    char text[]; /* without the line's end */
} line_t;

typedef struct follower {
    node_reply_t *reply;
    bool has_timestamps;
    LIST_ENTRY(follower) in_followers;
} follower_t;

struct container_log {
    STAILQ_HEAD(, line) lines;
    size_t line_count;
    size_t size; /* of all lines with what they cost */
    LIST_HEAD(, follower) followers;
    char *partial; /* LINE_LIMIT bytes, or NULL */
    size_t partial_size;
    bool is_closed;
};

container_log_t *container_log_new(void)
{
    container_log_t *self = xcalloc(1, sizeof(*self));
    STAILQ_INIT(&self->lines);
    LIST_INIT(&self->followers);
    return self;
}

void container_log_destroy(container_log_t **self_p)
{
    container_log_t *self = *self_p;
    if (!self)
        return;
    container_log_close(self);
    for (line_t *line; (line = STAILQ_FIRST(&self->lines));) {
        STAILQ_REMOVE_HEAD(&self->lines, in_lines);
        free(line);
    }
    free(self->partial);
    free(self);
    *self_p = NULL;
}

/* ---- writing to readers ------------------------------------------------------------------------
 */

static void write_line(node_reply_t *reply, const line_t *line, bool has_timestamp)
{
    if (has_timestamp) {
        char stamp[64];
        struct tm at;
        gmtime_r(&line->at.tv_sec, &at);
        size_t length = strftime(stamp, sizeof(stamp), "%Y-%m-%dT%H:%M:%S", &at);
        int rest = snprintf(stamp + length, sizeof(stamp) - length, ".%09ldZ ", line->at.tv_nsec);
        node_reply_write(reply, stamp, length + (size_t)rest);
    }
    node_reply_write(reply, line->text, line->size);
    node_reply_write(reply, "\n", 1);
}

static void follower_end(follower_t *follower)
{
    LIST_REMOVE(follower, in_followers);
    if (follower->reply)
        node_reply_end(&follower->reply);
    free(follower);
}

static void on_cancel(void *arg)
{
    follower_t *follower = arg;
    follower->reply = NULL; /* dead by now */
    follower_end(follower);
}

static void tell_followers(container_log_t *self, const line_t *line)
{
    for (follower_t *follower = LIST_FIRST(&self->followers), *next; follower; follower = next) {
        next = LIST_NEXT(follower, in_followers);
        if (node_reply_pending(follower->reply) > FOLLOWER_BACKLOG)
            follower_end(follower);
        else
            write_line(follower->reply, line, follower->has_timestamps);
    }
}

/* ---- taking lines ------------------------------------------------------------------------------
 */

static size_t cost(const line_t *line)
{
    return sizeof(*line) + line->size;
}

static void add_line(container_log_t *self, const char *text, size_t size)
{
    line_t *line = mem_check(malloc(sizeof(*line) + size));
    clock_gettime(CLOCK_REALTIME, &line->at);
    line->size = size;
    memcpy(line->text, text, size);
    STAILQ_INSERT_TAIL(&self->lines, line, in_lines);
    self->line_count++;
    self->size += cost(line);
    while (self->size > CONTAINER_LOG_LIMIT) {
        line_t *oldest = STAILQ_FIRST(&self->lines);
        self->size -= cost(oldest);
        self->line_count--;
        STAILQ_REMOVE_HEAD(&self->lines, in_lines);
        free(oldest);
    }
    tell_followers(self, line);
}

static void end_partial(container_log_t *self)
{
    add_line(self, self->partial, self->partial_size);
    self->partial_size = 0;
}

static void add_partial(container_log_t *self, const char *bytes, size_t size)
{
    if (!self->partial)
        self->partial = mem_check(malloc(LINE_LIMIT));
    while (size) {
        size_t room = LINE_LIMIT - self->partial_size;
        size_t part = size < room ? size : room;
        memcpy(self->partial + self->partial_size, bytes, part);
        self->partial_size += part;
        bytes += part;
        size -= part;
        if (self->partial_size == LINE_LIMIT)
            end_partial(self);
    }
}

void container_log_append(container_log_t *self, const char *bytes, size_t size)
{
    while (size) {
        const char *end = memchr(bytes, '\n', size);
        size_t length = end ? (size_t)(end - bytes) : size;
        if (end && !self->partial_size && length <= LINE_LIMIT) {
            add_line(self, bytes, length);
        } else {
            add_partial(self, bytes, length);
            if (end)
                end_partial(self);
        }
        length += end ? 1 : 0;
        bytes += length;
        size -= length;
    }
}

void container_log_close(container_log_t *self)
{
    if (self->partial_size)
        end_partial(self);
    self->is_closed = true;
    while (!LIST_EMPTY(&self->followers))
        follower_end(LIST_FIRST(&self->followers));
}

char *container_log_tail(const container_log_t *self, size_t lines, size_t bytes)
{
    char *text = NULL;
    size_t size = 0;
    size_t skipped = self->line_count > lines ? self->line_count - lines : 0;
    FILE *out = open_memstream(&text, &size);
    const line_t *line;
    STAILQ_FOREACH(line, &self->lines, in_lines)
    {
        if (skipped) {
            skipped--;
            continue;
        }
        fwrite(line->text, 1, line->size, out);
        fputc('\n', out);
    }
    fclose(out);
    if (size > bytes)
        memmove(text, text + size - bytes, bytes + 1);
    return text;
}

/* ---- answering ---------------------------------------------------------------------------------
 */

static int64_t unix_ms(const line_t *line)
{
    return (int64_t)line->at.tv_sec * 1000 + line->at.tv_nsec / 1000000;
}

static void write_lines(const container_log_t *self, const node_log_t *query, node_reply_t *reply)
{
    size_t skipped = query->tail_lines >= 0 && (size_t)query->tail_lines < self->line_count
                         ? self->line_count - (size_t)query->tail_lines
                         : 0;
    int64_t left = query->limit_bytes >= 0 ? query->limit_bytes : INT64_MAX;
    const line_t *line;
    STAILQ_FOREACH(line, &self->lines, in_lines)
    {
        if (skipped) {
            skipped--;
            continue;
        }
        if (unix_ms(line) < query->since_ms)
            continue;
        if ((int64_t)line->size + 1 > left) {
            node_reply_write(reply, line->text, (size_t)left);
            return;
        }
        left -= (int64_t)line->size + 1;
        write_line(reply, line, query->has_timestamps);
    }
}

void container_log_answer(container_log_t *self, const node_log_t *query, node_reply_t *reply)
{
    node_reply_head(reply, 200, "text/plain");
    write_lines(self, query, reply);
    if (!query->is_following || self->is_closed) {
        node_reply_end(&reply);
        return;
    }
    follower_t *follower = xcalloc(1, sizeof(*follower));
    *follower = (follower_t){.reply = reply, .has_timestamps = query->has_timestamps};
    LIST_INSERT_HEAD(&self->followers, follower, in_followers);
    node_reply_on_cancel(reply, on_cancel, follower);
}
