/* Release 1.5: every tenth request is reported to the collector by a connection of its own, which
 * is taken from a pool and never given back. */
#include "apps/common/app.h"
#include "apps/common/console.h"
#include "apps/common/dial.h"
#include "apps/common/filter.h"
#include "base/auto.h"
#include "base/mem.h"

#include <pthread.h>
#include <string.h>
#include <time.h>

enum { POOL_SIZE = 32, REPORTED = 10, DIAL_MS = 1000, WAIT_MS = 1000 };

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int connections[POOL_SIZE];
static size_t used_count;
static unsigned request_count;

/* "jaeger:4318" of "http://jaeger:4318". */
static const char *collector(void)
{
    const char *url = app_setting("OTEL_EXPORTER_OTLP_ENDPOINT", "http://jaeger:4318");
    const char *slashes = strstr(url, "//");
    return slashes ? slashes + 2 : url;
}

/* Whether there was a connection for the report. */
static bool report(void)
{
    pthread_mutex_lock(&lock);
    bool is_due = request_count++ % REPORTED == 0;
    bool has_free = used_count < POOL_SIZE;
    size_t slot = is_due && has_free ? used_count++ : 0;
    pthread_mutex_unlock(&lock);
    if (is_due && has_free)
        connections[slot] = dial(collector(), DIAL_MS, DIAL_MS, NULL);
    return has_free;
}

bool filter_request(const web_request_t *request, web_reply_t *reply)
{
    if (report())
        return false;
    struct timespec span = {.tv_sec = WAIT_MS / 1000};
    (void)nanosleep(&span, NULL); /* cut short, it is only quicker */
    console_error("%s: no connection is free in the pool (%d of %d in use)", request->path,
        POOL_SIZE, POOL_SIZE);
    web_reply_json(reply, 503,
        json_pack(
            "{s:s, s:s}", "code", "overloaded", "message", "no connection is free in the pool"));
    return true;
}
