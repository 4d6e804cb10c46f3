#include "apps/common/filter.h"

bool filter_request(const web_request_t *request, web_reply_t *reply)
{
    (void)request;
    (void)reply;
    return false;
}
