#include "apps/common/trace.h"

#include "apps/common/console.h"
#include "apps/common/peer.h"
#include "base/auto.h"
#include "base/mem.h"

#include <pthread.h>
#include <stdatomic.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

enum {
    BATCH_WAIT_MS = 200,       /* spans of one request should travel together */
    BATCH_ENOUGH = 128 * 1024, /* bytes that are sent without waiting longer */
    EXPORT_TIMEOUT_MS = 2000,
    BACKOFF_FIRST_MS = 250,
    BACKOFF_LAST_MS = 5000,
    FAILURES_BEFORE_WORD = 4, /* the collector may start later than we do */
};

struct tracer {
    char *head;     /* what stands before the spans of a batch */
    stats_t *stats; /* borrowed */
    peer_t *peer;
    atomic_uint_fast64_t random; /* splitmix64's counter */
    pthread_t thread;
    int failures; /* in a row; the thread's */

    pthread_mutex_t lock; /* guards what follows */
    pthread_cond_t changed;
    char *buffer; /* encoded spans with a comma after each */
    size_t used;
    size_t capacity;
    bool is_ending;
};

static int64_t realtime_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return now.tv_sec * 1000000000LL + now.tv_nsec;
}

/* Steele, Lea, Flood: Fast splittable pseudorandom number generators, 2014. */
static uint64_t next_random(tracer_t *self)
{
    uint64_t z = atomic_fetch_add(&self->random, 0x9e3779b97f4a7c15ULL) + 0x9e3779b97f4a7c15ULL;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
    return z ^ (z >> 31);
}

void span_begin(span_t *self, tracer_t *tracer, span_kind_t kind, const char *name,
    const span_context_t *parent)
{
    self->tracer = tracer;
    self->kind = kind;
    self->name = name;
    self->attributes_length = 0;
    self->attributes[0] = self->error[0] = self->parent_id[0] = '\0';
    if (parent) {
        self->context = *parent;
        memcpy(self->parent_id, parent->span_id, sizeof(self->parent_id));
    } else {
        snprintf(self->context.trace_id, sizeof(self->context.trace_id), "%016llx%016llx",
            (unsigned long long)next_random(tracer), (unsigned long long)next_random(tracer) | 1);
        self->context.is_sampled = true;
    }
    snprintf(self->context.span_id, sizeof(self->context.span_id), "%016llx",
        (unsigned long long)next_random(tracer) | 1);
    self->start_ns = realtime_ns();
}

static void append(tracer_t *self, const char *text, size_t length)
{
    if (self->used + length + 1 > self->capacity) {
        self->capacity = (self->used + length + 1) * 2;
        self->buffer = mem_check(realloc(self->buffer, self->capacity));
    }
    memcpy(self->buffer + self->used, text, length);
    self->used += length;
    self->buffer[self->used++] = ',';
}

void span_end(span_t *self)
{
    tracer_t *tracer = self->tracer;
    if (!tracer->peer || !self->context.is_sampled)
        return;
    char text[2048];
    size_t length = span_encode(self, realtime_ns(), text, sizeof(text));
    if (length == 0)
        return;
    pthread_mutex_lock(&tracer->lock);
    bool is_first = tracer->used == 0;
    bool has_room = tracer->used + length + 1 <= TRACE_BUFFER_LIMIT;
    if (has_room)
        append(tracer, text, length);
    if (is_first || tracer->used > BATCH_ENOUGH)
        pthread_cond_signal(&tracer->changed);
    pthread_mutex_unlock(&tracer->lock);
    if (!has_room)
        stats_count(tracer->stats, "otel_spans_dropped_total",
            "Spans dropped because the collector did not take them", NULL);
}

/* ---- the sending thread -------------------------------------------------------------------- */

static struct timespec after_ms(int64_t delay_ms)
{
    struct timespec when;
    clock_gettime(CLOCK_MONOTONIC, &when);
    int64_t ns = when.tv_nsec + delay_ms * 1000000;
    when.tv_sec += ns / 1000000000;
    when.tv_nsec = ns % 1000000000;
    return when;
}

/* Waits for delay_ms, or less when the tracer ends or, if enough, that much has gathered. */
static void wait_while(tracer_t *self, int64_t delay_ms, size_t enough)
{
    struct timespec until = after_ms(delay_ms);
    int rc = 0;
    while (rc == 0 && !self->is_ending && self->used < enough)
        rc = pthread_cond_timedwait(&self->changed, &self->lock, &until);
}

static int post_batch(tracer_t *self, const char *spans, size_t size, err_t *err)
{
    AUTO_FREE char *body = xasprintf("%s%.*s]}]}]}", self->head, (int)(size ? size - 1 : 0), spans);
    peer_message_t message = {
        .path = "/v1/traces", .headers = "", .body = body, .body_size = strlen(body)};
    http_reply_t reply;
    http_reply_init(&reply, 0);
    int rc = peer_post(self->peer, &message, &reply, err);
    if (rc == 0 && reply.status / 100 != 2)
        rc = err_set(err, ERR_IO, "status %d", reply.status);
    http_reply_done(&reply);
    return rc;
}

/* Says so once when the collector stays away, and once when it is back. */
static void note_outcome(tracer_t *self, int rc, const err_t *err)
{
    if (rc == 0) {
        if (self->failures >= FAILURES_BEFORE_WORD)
            console_info("traces export: %s answers again", peer_address(self->peer));
        self->failures = 0;
        return;
    }
    if (++self->failures == FAILURES_BEFORE_WORD)
        console_warn(
            "traces export: Post \"http://%s/v1/traces\": %s", peer_address(self->peer), err->text);
}

static int64_t backoff_ms(const tracer_t *self)
{
    int64_t delay_ms = BACKOFF_FIRST_MS;
    for (int i = 1; i < self->failures && delay_ms < BACKOFF_LAST_MS; i++)
        delay_ms *= 2;
    return delay_ms < BACKOFF_LAST_MS ? delay_ms : BACKOFF_LAST_MS;
}

/* Takes the gathered spans out, sends them without the lock, and tries the same ones again until
 * they are delivered or the tracer ends. */
static void send_gathered(tracer_t *self)
{
    AUTO_FREE char *batch = TAKE(self->buffer);
    size_t size = self->used;
    self->used = self->capacity = 0;
    for (bool is_last = false; !is_last;) {
        is_last = self->is_ending;
        pthread_mutex_unlock(&self->lock);
        err_t err = {0};
        int rc = post_batch(self, batch, size, &err);
        note_outcome(self, rc, &err);
        pthread_mutex_lock(&self->lock);
        if (rc == 0)
            return;
        if (!is_last)
            wait_while(self, backoff_ms(self), SIZE_MAX);
    }
}

static void *run(void *arg)
{
    tracer_t *self = arg;
    pthread_mutex_lock(&self->lock);
    while (!self->is_ending || self->used > 0) {
        while (!self->is_ending && self->used == 0)
            pthread_cond_wait(&self->changed, &self->lock);
        wait_while(self, BATCH_WAIT_MS, BATCH_ENOUGH);
        if (self->used > 0)
            send_gathered(self);
    }
    pthread_mutex_unlock(&self->lock);
    return NULL;
}

/* ---- life cycle ----------------------------------------------------------------------------- */

static char *make_head(const char *service)
{
    char host[128] = "unknown";
    gethostname(host, sizeof(host) - 1);
    return xasprintf("{\"resourceSpans\":[{\"resource\":{\"attributes\":["
                     "{\"key\":\"service.name\",\"value\":{\"stringValue\":\"%s\"}},"
                     "{\"key\":\"host.name\",\"value\":{\"stringValue\":\"%s\"}},"
                     "{\"key\":\"process.pid\",\"value\":{\"intValue\":\"%d\"}}]},"
                     "\"scopeSpans\":[{\"scope\":{\"name\":\"apps/common\"},\"spans\":[",
        service, host, getpid());
}

static void start_sending(tracer_t *self, const char *endpoint)
{
    const char *host = strncmp(endpoint, "http://", 7) == 0 ? endpoint + 7 : endpoint;
    AUTO_FREE char *address = xstrndup(host, strcspn(host, "/"));
    self->peer = peer_new(address, EXPORT_TIMEOUT_MS);
    if (pthread_create(&self->thread, NULL, run, self) != 0)
        peer_destroy(&self->peer); /* without a thread there are no traces, but there is service */
}

tracer_t *tracer_new(const char *service, const char *endpoint, stats_t *stats)
{
    tracer_t *self = xcalloc(1, sizeof(*self));
    uint64_t seed = (uint64_t)realtime_ns() ^ (uint64_t)getpid() << 32;
    (void)!getrandom(&seed, sizeof(seed), 0); /* the clock and pid will do otherwise */
    atomic_init(&self->random, seed);
    self->stats = stats;
    self->head = make_head(service);
    pthread_mutex_init(&self->lock, NULL);
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&self->changed, &attributes);
    pthread_condattr_destroy(&attributes);
    if (endpoint && *endpoint)
        start_sending(self, endpoint);
    return self;
}

void tracer_destroy(tracer_t **self_p)
{
    tracer_t *self = *self_p;
    if (!self)
        return;
    if (self->peer) {
        pthread_mutex_lock(&self->lock);
        self->is_ending = true;
        pthread_cond_broadcast(&self->changed);
        pthread_mutex_unlock(&self->lock);
        pthread_join(self->thread, NULL);
    }
    peer_destroy(&self->peer);
    pthread_cond_destroy(&self->changed);
    pthread_mutex_destroy(&self->lock);
    free(self->buffer);
    free(self->head);
    free(self);
    *self_p = NULL;
}
