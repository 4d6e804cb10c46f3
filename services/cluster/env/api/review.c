/* The reviews of authentication.k8s.io and authorization.k8s.io. */
#include "services/cluster/env/api/review.h"

#include "services/cluster/env/api/authenticate.h"
#include "services/cluster/env/api/body.h"
#include "services/cluster/env/api/status.h"
#include "services/cluster/env/auth/rbac.h"
#include "services/cluster/env/object.h"
#include "services/cluster/env/schema/fields.h"

#include "base/auto.h"

#include <string.h>

/* ---- who --------------------------------------------------------------------------------------
 */

static json_t *answer_self(api_t *api, request_t *request, json_t *body, const access_t *access)
{
    (void)api;
    (void)body;
    (void)access;
    return json_pack("{s:o}", "userInfo", user_info(&request->user));
}

static json_t *answer_token(api_t *api, request_t *request, json_t *body, const access_t *access)
{
    AUTO(user_done) user_t user = {0};
    json_t *audiences = object_at(body, "spec.audiences");
    (void)request;
    (void)access;
    if (!authenticate_token(api, object_string(body, "spec.token"), audiences, &user))
        return json_pack("{s:{}, s:s}", "user", "error", "[invalid bearer token]");
    json_t *status =
        json_pack("{s:b, s:o, s:o}", "authenticated", 1, "user", user_info(&user), "audiences",
            json_array_size(audiences) ? json_incref(audiences) : json_pack("[s]", TOKEN_ISSUER));
    return status;
}

/* ---- whether ----------------------------------------------------------------------------------
 */

/* Reads what is asked about; false if the request was answered. */
static bool read_access(request_t *request, const json_t *spec, access_t *access)
{
    const json_t *resource = json_object_get(spec, "resourceAttributes");
    const json_t *path = json_object_get(spec, "nonResourceAttributes");
    const json_t *from = resource ? resource : path;
    if (!resource == !path) {
        reply_status(request, 422, "Invalid", NULL,
            "spec.resourceAttributes: Invalid value: \"null\": exactly one of "
            "nonResourceAttributes or resourceAttributes must be specified");
        return false;
    }
    *access = (access_t){.verb = object_string(from, "verb"),
        .path = path ? object_string(from, "path") : NULL,
        .group = object_string(from, "group"),
        .resource = object_string(from, "resource"),
        .subresource = object_string(from, "subresource"),
        .namespace = object_string(from, "namespace"),
        .name = object_string(from, "name")};
    return true;
}

static json_t *decide(api_t *api, const user_t *user, const access_t *access)
{
    AUTO_FREE char *reason = NULL;
    bool is_allowed = rbac_allows(api->store, user, access, &reason);
    json_t *status = json_pack("{s:b}", "allowed", is_allowed);
    if (*reason)
        json_object_set_new(status, "reason", json_string(reason));
    return status;
}

static json_t *answer_self_access(
    api_t *api, request_t *request, json_t *body, const access_t *access)
{
    access_t wanted;
    (void)access;
    return read_access(request, json_object_get(body, "spec"), &wanted)
               ? decide(api, &request->user, &wanted)
               : NULL;
}

static json_t *answer_access(api_t *api, request_t *request, json_t *body, const access_t *access)
{
    access_t wanted;
    AUTO(user_done) user_t user = {0};
    const json_t *spec = json_object_get(body, "spec");
    size_t i;
    json_t *group;
    (void)access;
    if (!read_access(request, spec, &wanted))
        return NULL;
    if (!*object_string(spec, "user") && !json_array_size(json_object_get(spec, "groups"))) {
        reply_status(request, 422, "Invalid", NULL,
            "spec.user: Invalid value: \"\": at least one of user or group must be specified");
        return NULL;
    }
    user_init(&user, object_string(spec, "user"), object_string(spec, "uid"));
    json_array_foreach(json_object_get(spec, "groups"), i, group)
        user_add_group(&user, json_string_value(group));
    return decide(api, &user, &wanted);
}

static json_t *answer_local_access(
    api_t *api, request_t *request, json_t *body, const access_t *access)
{
    const char *namespace = object_string(body, "spec.resourceAttributes.namespace");
    if (!strcmp(namespace, access->namespace))
        return answer_access(api, request, body, access);
    reply_status(request, 422, "Invalid", NULL,
        "spec.resourceAttributes.namespace: Invalid value: \"%s\": must match metadata.namespace",
        namespace);
    return NULL;
}

/* The parts of a rule that the answer has. */
static json_t *shown_rule(const json_t *rule, const char *const *keys)
{
    json_t *shown = json_object();
    for (size_t i = 0; keys[i]; i++) {
        json_t *list = json_object_get(rule, keys[i]);
        if (json_array_size(list))
            json_object_set(shown, keys[i], list);
    }
    return shown;
}

static json_t *answer_rules(api_t *api, request_t *request, json_t *body, const access_t *access)
{
    static const char *const of_resources[] = {
        "verbs", "apiGroups", "resources", "resourceNames", NULL};
    static const char *const of_urls[] = {"verbs", "nonResourceURLs", NULL};
    const char *namespace = object_string(body, "spec.namespace");
    size_t i;
    json_t *rule;
    (void)access;
    if (!*namespace) {
        reply_bad_request(request, "no namespace on request");
        return NULL;
    }
    json_auto_t *rules = rbac_rules(api->store, &request->user, namespace);
    json_t *resources = json_array();
    json_t *urls = json_array();
    json_array_foreach(rules, i, rule)
    {
        bool is_url = json_array_size(json_object_get(rule, "nonResourceURLs"));
        json_array_append_new(
            is_url ? urls : resources, shown_rule(rule, is_url ? of_urls : of_resources));
    }
    return json_pack(
        "{s:o, s:o, s:b}", "resourceRules", resources, "nonResourceRules", urls, "incomplete", 0);
}

/* ---- the table --------------------------------------------------------------------------------
 */

#define AUTHENTICATION "authentication.k8s.io"
#define AUTHORIZATION  "authorization.k8s.io"

static const review_t reviews[] = {
    {AUTHENTICATION, "selfsubjectreviews", "selfsubjectreview", "SelfSubjectReview",
        "authentication/v1.SelfSubjectReview", false, answer_self},
    {AUTHENTICATION, "tokenreviews", "tokenreview", "TokenReview", "authentication/v1.TokenReview",
        false, answer_token},
    {AUTHORIZATION, "localsubjectaccessreviews", "localsubjectaccessreview",
        "LocalSubjectAccessReview", "authorization/v1.LocalSubjectAccessReview", true,
        answer_local_access},
    {AUTHORIZATION, "selfsubjectaccessreviews", "selfsubjectaccessreview",
        "SelfSubjectAccessReview", "authorization/v1.SelfSubjectAccessReview", false,
        answer_self_access},
    {AUTHORIZATION, "selfsubjectrulesreviews", "selfsubjectrulesreview", "SelfSubjectRulesReview",
        "authorization/v1.SelfSubjectRulesReview", false, answer_rules},
    {AUTHORIZATION, "subjectaccessreviews", "subjectaccessreview", "SubjectAccessReview",
        "authorization/v1.SubjectAccessReview", false, answer_access},
};

const review_t *review_at(size_t i)
{
    return i < ARRAY_SIZE(reviews) ? &reviews[i] : NULL;
}

const review_t *review_find(const char *kind)
{
    for (size_t i = 0; i < ARRAY_SIZE(reviews); i++) {
        if (!strcmp(reviews[i].kind, kind))
            return &reviews[i];
    }
    return NULL;
}

/* ---- requests ---------------------------------------------------------------------------------
 */

static const review_t *find_asked(const access_t *access)
{
    for (size_t i = 0; !access->path && i < ARRAY_SIZE(reviews); i++) {
        if (!strcmp(reviews[i].group, access->group) && !strcmp(reviews[i].plural, access->resource)
            && reviews[i].is_namespaced == !!*access->namespace && !*access->name)
            return &reviews[i];
    }
    return NULL;
}

/* The body, or NULL if the request was answered. */
static json_t *read_body(request_t *request, const review_t *review)
{
    err_t err = {0};
    json_auto_t *body = body_decode(request, &err);
    json_auto_t *unknown = json_array(); /* is let pass */
    if (body && !json_is_object(body))
        err_set(&err, ERR_INVALID, "the body is not an object");
    else if (body)
        (void)fields_check(body, review->type, unknown, &err);
    if (!err.code)
        return TAKE(body);
    reply_bad_request(request, "%s", err.text);
    return NULL;
}

bool review_handle(api_t *self, request_t *request, const access_t *access)
{
    const review_t *review = find_asked(access);
    if (!review)
        return false;
    if (strcmp(request->method, "POST") != 0) {
        reply_not_allowed(request);
        return true;
    }
    json_auto_t *body = read_body(request, review);
    json_t *status = body ? review->answer(self, request, body, access) : NULL;
    if (!status)
        return true;
    if (!json_object_get(body, "metadata"))
        json_object_set_new(body, "metadata", json_pack("{s:n}", "creationTimestamp"));
    json_object_set_new(body, "status", status);
    reply_json(request, 201, json_incref(body));
    return true;
}
