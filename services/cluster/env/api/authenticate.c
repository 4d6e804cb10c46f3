/* Certificates, then tokens; who shows nothing is anonymous, who shows something wrong is refused.
 */
#include "services/cluster/env/api/authenticate.h"

#include "services/cluster/env/api/impersonate.h"
#include "services/cluster/env/api/status.h"
#include "services/cluster/env/auth/rbac.h"

#include "base/auto.h"
#include "base/mem.h"

/* ---- who --------------------------------------------------------------------------------------
 */

/* Compares in a time that does not depend on where the texts differ. */
static bool is_same_secret(const char *a, const char *b)
{
    size_t length = strlen(a);
    unsigned char difference = 0;
    if (strlen(b) != length)
        return false;
    for (size_t i = 0; i < length; i++)
        difference |= (unsigned char)(a[i] ^ b[i]);
    return !difference;
}

bool authenticate_token(api_t *self, const char *token, const json_t *audiences, user_t *user_p)
{
    for (size_t i = 0; i < self->token_count && !json_array_size(audiences); i++) {
        if (is_same_secret(self->tokens[i].token, token)) {
            user_copy(user_p, &self->tokens[i].user);
            return true;
        }
    }
    return self->account_tokens
           && tokens_check(self->account_tokens, token, audiences, time(NULL), user_p);
}

/* False if what was shown is wrong. */
static bool find_user(api_t *self, request_t *request)
{
    if (request->peer.name) {
        request->user = request->peer;
        request->peer = (user_t){0};
        user_add_group(&request->user, GROUP_AUTHENTICATED);
        return true;
    }
    if (request->token && self->token_count)
        return authenticate_token(self, request->token, NULL, &request->user);
    if (request->has_bad_certificate)
        return false;
    user_init(&request->user, USER_ANONYMOUS, "");
    user_add_group(&request->user, GROUP_UNAUTHENTICATED);
    return true;
}

bool authenticate(api_t *self, request_t *request)
{
    if (find_user(self, request))
        return impersonate(self, request);
    reply_status(request, 401, "Unauthorized", NULL, "Unauthorized");
    return false;
}

/* ---- whether ----------------------------------------------------------------------------------
 */

static json_t *details_of(const access_t *access)
{
    json_t *details = json_object();
    if (access->path)
        return details;
    if (*access->name)
        json_object_set_new(details, "name", json_string(access->name));
    if (*access->group)
        json_object_set_new(details, "group", json_string(access->group));
    json_object_set_new(details, "kind", json_string(access->resource));
    return details;
}

/* `pods "x" is `, `deployments.apps is `, or nothing for a path. */
static char *subject_of(const access_t *access)
{
    if (access->path)
        return xstrdup("");
    const char *quote = *access->name ? "\"" : "";
    return xasprintf("%s%s%s%s%s%s%s is ", access->resource, *access->group ? "." : "",
        access->group, *access->name ? " " : "", quote, access->name, quote);
}

void reply_forbidden(request_t *request, const access_t *access, const char *reason)
{
    AUTO_FREE char *subject = subject_of(access);
    AUTO_FREE char *refusal = access_refusal(access, &request->user);
    reply_status(request, 403, "Forbidden", details_of(access), "%sforbidden: %s%s%s", subject,
        refusal, *reason ? ": " : "", reason);
}

bool authorize(api_t *self, request_t *request, const access_t *access)
{
    AUTO_FREE char *reason = NULL;
    if (!self->token_count || rbac_allows(self->store, &request->user, access, &reason))
        return true;
    reply_forbidden(request, access, reason);
    return false;
}
