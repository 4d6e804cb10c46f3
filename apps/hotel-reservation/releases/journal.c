/* Release 1.3: what was requested is kept for a report that nobody ever draws up. */
#include "apps/common/console.h"
#include "apps/common/filter.h"
#include "base/mem.h"

#include <pthread.h>
#include <string.h>

enum { PAGE_SIZE = 128 * 1024, PAGES_MAX = 2048 };

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static char *pages[PAGES_MAX];
static size_t page_count;

bool filter_request(const web_request_t *request, web_reply_t *reply)
{
    pthread_mutex_lock(&lock);
    bool is_full = page_count == PAGES_MAX;
    if (!is_full) {
        pages[page_count] = xcalloc(1, PAGE_SIZE);
        memset(pages[page_count++], *request->path, PAGE_SIZE);
    }
    pthread_mutex_unlock(&lock);
    if (!is_full)
        return false;
    console_error("%s: the journal is full (%d pages)", request->path, PAGES_MAX);
    web_reply_json(
        reply, 500, json_pack("{s:s, s:s}", "code", "limit", "message", "the journal is full"));
    return true;
}
