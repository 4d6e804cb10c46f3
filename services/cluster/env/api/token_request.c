/* TokenRequest: …/serviceaccounts/NAME/token. */
#include "services/cluster/env/api/api_internal.h"

#include "services/cluster/env/api/body.h"
#include "services/cluster/env/api/status.h"
#include "services/cluster/env/auth/tokens.h"
#include "services/cluster/env/causes.h"
#include "services/cluster/env/object.h"
#include "services/cluster/env/schema/fields.h"

#include "base/auto.h"

#include <string.h>

#define SECONDS_MAX ((json_int_t)1 << 32)

enum { SECONDS_MIN = 600, SECONDS_DEFAULT = 3600 };

/* The body, or NULL if the request was answered. */
static json_t *read_body(request_t *request)
{
    err_t err = {0};
    json_auto_t *body = body_decode(request, &err);
    json_auto_t *unknown = json_array(); /* is let pass */
    if (body && !json_is_object(body))
        err_set(&err, ERR_INVALID, "the body is not an object");
    else if (body)
        (void)fields_check(body, "authentication/v1.TokenRequest", unknown, &err);
    if (!err.code)
        return TAKE(body);
    reply_bad_request(request, "%s", err.text);
    return NULL;
}

static bool check_seconds(request_t *request, const char *name, const json_t *seconds)
{
    static const kind_t kind = {
        .name = "TokenRequest", .group = "authentication.k8s.io", .plural = "tokenrequests"};
    json_int_t value = json_is_integer(seconds) ? json_integer_value(seconds) : SECONDS_DEFAULT;
    causes_t causes;
    causes_init(&causes);
    if (value < SECONDS_MIN)
        causes_invalid(&causes, "spec.expirationSeconds", seconds,
            "may not specify a duration less than 10 minutes");
    if (value > SECONDS_MAX)
        causes_invalid(&causes, "spec.expirationSeconds", seconds,
            "may not specify a duration larger than 2^32 seconds");
    bool is_valid = causes_is_empty(&causes);
    if (!is_valid)
        reply_invalid(request, &kind, name, &causes);
    causes_done(&causes);
    return is_valid;
}

/* What the token is bound to, NULL for nothing; false if the request was answered. */
static bool find_bound(api_t *self, request_t *request, const target_t *target,
    const json_t *reference, const json_t **bound_p)
{
    const char *kind_name = object_string(reference, "kind");
    const char *name = object_string(reference, "name");
    const char *uid = object_string(reference, "uid");
    const kind_t *kind = kind_find(kind_name);
    *bound_p = NULL;
    if (!json_is_object(reference))
        return true;
    if (strcmp(kind_name, "Pod") != 0 && strcmp(kind_name, "Secret") != 0) {
        reply_bad_request(
            request, "cannot bind token for serviceaccount to type \"%s\"", kind_name);
        return false;
    }
    const json_t *bound = store_get(self->store, kind, target->namespace, name);
    if (!bound) {
        reply_not_found(request, kind, name);
        return false;
    }
    if (*uid && strcmp(uid, object_uid(bound)) != 0) {
        reply_status(request, 409, "Conflict", status_details(kind, name),
            "Operation cannot be fulfilled on %s \"%s\": the UID in the bound object reference "
            "(%s) does not match the UID in record. The object might have been deleted and then "
            "recreated",
            kind->plural, name, uid);
        return false;
    }
    *bound_p = bound;
    return true;
}

static bool is_pod_of(const json_t *pod, const char *account)
{
    return !pod || strcmp(object_string(pod, "kind"), "Pod") != 0
           || !strcmp(object_string(pod, "spec.serviceAccountName"), account);
}

static void issue(api_t *self, request_t *request, const json_t *spec, const token_wish_t *wish)
{
    time_t expires;
    AUTO_FREE char *text = tokens_issue(self->account_tokens, wish, &expires);
    json_auto_t *shown = json_copy((json_t *)spec);
    json_object_set_new(shown, "expirationSeconds", json_integer((json_int_t)wish->seconds));
    if (!json_array_size(json_object_get(shown, "audiences")))
        json_object_set_new(shown, "audiences", json_pack("[s]", TOKEN_ISSUER));
    reply_json(request, 201,
        json_pack("{s:s, s:s, s:{s:s, s:s, s:o}, s:O, s:{s:s, s:o}}", "kind", "TokenRequest",
            "apiVersion", "authentication.k8s.io/v1", "metadata", "name",
            object_name(wish->account), "namespace", object_namespace(wish->account),
            "creationTimestamp", object_time_now(), "spec", shown, "status", "token", text,
            "expirationTimestamp", object_time(expires)));
}

void token_request_handle(api_t *self, request_t *request, const target_t *target)
{
    const json_t *bound;
    const json_t *account = store_get(self->store, target->kind, target->namespace, target->name);
    if (strcmp(request->method, "POST") != 0) {
        reply_not_allowed(request);
        return;
    }
    json_auto_t *body = read_body(request);
    const json_t *spec = json_object_get(body, "spec");
    const json_t *seconds = json_object_get(spec, "expirationSeconds");
    if (!body || !check_seconds(request, target->name, seconds))
        return;
    if (!account) {
        reply_not_found(request, target->kind, target->name);
        return;
    }
    if (!find_bound(self, request, target, json_object_get(spec, "boundObjectRef"), &bound))
        return;
    if (!is_pod_of(bound, target->name)) {
        reply_bad_request(request,
            "cannot bind token for serviceaccount \"%s\" to pod running with different "
            "serviceaccount name.",
            target->name);
        return;
    }
    const token_wish_t wish = {.account = account,
        .bound = bound,
        .audiences = json_object_get(spec, "audiences"),
        .seconds = json_is_integer(seconds) ? json_integer_value(seconds) : SECONDS_DEFAULT};
    issue(self, request, spec, &wish);
}
