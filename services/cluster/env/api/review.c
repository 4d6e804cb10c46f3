/* Reviews of one's own access: whoever is in may do everything. */
#include "services/cluster/env/api/api_internal.h"

#include "services/cluster/env/api/body.h"
#include "services/cluster/env/api/status.h"

#include "base/auto.h"

#include <string.h>

bool review_handle(api_t *self, request_t *request)
{
    err_t err = {0};
    (void)self;
    if (strcmp(request->path, "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews") != 0)
        return false;
    if (strcmp(request->method, "POST") != 0) {
        reply_not_allowed(request);
        return true;
    }
    json_t *review = body_decode(request, &err);
    if (!json_is_object(review)) {
        json_decref(review);
        reply_bad_request(request, "%s", *err.text ? err.text : "the body is not an object");
        return true;
    }
    json_object_set_new(review, "status", json_pack("{s:b}", "allowed", 1));
    reply_json(request, 201, review);
    return true;
}
