/* Release 1.2: too many requests are to be turned away, but the counter is never set back. */
#include "apps/common/console.h"
#include "apps/common/filter.h"

#include <stdatomic.h>

enum { ADMITTED = 2, OF = 3 };

bool filter_request(const web_request_t *request, web_reply_t *reply)
{
    static atomic_uint count;
    if (atomic_fetch_add(&count, 1) % OF < ADMITTED)
        return false;
    console_error("%s: turned away by admission control", request->path);
    web_reply_json(reply, 503,
        json_pack(
            "{s:s, s:s}", "code", "overloaded", "message", "turned away by admission control"));
    return true;
}
