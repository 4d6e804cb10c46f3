/* Release 1.4: a digest of all that was requested is brought up to date in the background, again
 * and again, whether or not there is anything new. */
#include "apps/common/filter.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>

enum { WORKERS = 2 };

static atomic_uint requests;
static atomic_ullong digest;

/* FNV-1a over the number of requests, for ever. */
static void *keep_up(void *arg)
{
    (void)arg;
    for (uint64_t hash = 0xcbf29ce484222325U;; hash *= 0x100000001b3U) {
        hash ^= atomic_load(&requests);
        atomic_store(&digest, hash);
    }
    return NULL;
}

static void start(void)
{
    for (int i = 0; i < WORKERS; i++) {
        pthread_t thread;
        if (pthread_create(&thread, NULL, keep_up, NULL) == 0)
            pthread_detach(thread);
    }
}

bool filter_request(const web_request_t *request, web_reply_t *reply)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    (void)request;
    (void)reply;
    atomic_fetch_add(&requests, 1);
    pthread_once(&once, start);
    return false;
}
