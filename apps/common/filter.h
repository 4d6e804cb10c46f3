/* filter - what stands between a request and its handler: nothing. A release of an application may
 * be built with one of its own, which then takes this one's place. */
#ifndef APPS_COMMON_FILTER_H
#define APPS_COMMON_FILTER_H

#include "apps/common/web.h"

/* Whether it has answered, so that the handler is not asked. On a thread of the connection. */
bool filter_request(const web_request_t *request, web_reply_t *reply);

#endif
