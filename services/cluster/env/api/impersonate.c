/* Impersonation (apiserver's impersonation filter): every part of the other identity is a resource
 * on which the user needs the verb "impersonate". */
#include "services/cluster/env/api/impersonate.h"

#include "services/cluster/env/api/authenticate.h"
#include "services/cluster/env/api/status.h"
#include "services/cluster/env/object.h"

#include "base/auto.h"
#include "base/mem.h"

#include <ctype.h>
#include <strings.h>

#define AUTHENTICATION_GROUP "authentication.k8s.io"

/* ---- headers ----------------------------------------------------------------------------------
 */

static json_t *member(json_t *object, const char *key, json_t *fresh)
{
    if (!json_object_get(object, key))
        json_object_set(object, key, fresh);
    json_decref(fresh);
    return json_object_get(object, key);
}

/* Keys of extra values come percent-encoded, and in whatever case HTTP made of them. */
static void add_extra(json_t *impersonation, const char *name, const char *value)
{
    AUTO_FREE char *key = url_decode(name, strlen(name), false);
    for (char *c = key; *c; c++)
        *c = (char)tolower((unsigned char)*c);
    json_t *extra = member(impersonation, "extra", json_object());
    json_array_append_new(member(extra, key, json_array()), json_string(value));
}

void impersonation_add(json_t **impersonation_p, const char *header, const char *value)
{
    static const char prefix[] = "Impersonate-";
    static const char extra[] = "Extra-";
    const char *rest = header + sizeof(prefix) - 1;
    if (strncasecmp(header, prefix, sizeof(prefix) - 1) != 0)
        return;
    if (!*impersonation_p)
        *impersonation_p = json_object();
    if (!strcasecmp(rest, "User"))
        json_object_set_new(*impersonation_p, "user", json_string(value));
    else if (!strcasecmp(rest, "Uid"))
        json_object_set_new(*impersonation_p, "uid", json_string(value));
    else if (!strcasecmp(rest, "Group"))
        json_array_append_new(member(*impersonation_p, "groups", json_array()), json_string(value));
    else if (!strncasecmp(rest, extra, sizeof(extra) - 1))
        add_extra(*impersonation_p, rest + sizeof(extra) - 1, value);
}

/* ---- permission -------------------------------------------------------------------------------
 */

static bool may_be(api_t *self, request_t *request, const char *resource, const char *name)
{
    access_t access = {.verb = "impersonate",
        .group = strcmp(resource, "uids") != 0 ? "" : AUTHENTICATION_GROUP,
        .resource = resource,
        .subresource = "",
        .namespace = "",
        .name = name};
    return authorize(self, request, &access);
}

static bool may_be_user(api_t *self, request_t *request, const char *name)
{
    AUTO_FREE char *namespace = NULL;
    AUTO_FREE char *account = NULL;
    if (!user_split_account_name(name, &namespace, &account))
        return may_be(self, request, "users", name);
    access_t access = {.verb = "impersonate",
        .group = "",
        .resource = "serviceaccounts",
        .subresource = "",
        .namespace = namespace,
        .name = account};
    return authorize(self, request, &access);
}

static bool may_be_in(api_t *self, request_t *request, const json_t *groups)
{
    size_t i;
    json_t *group;
    json_array_foreach((json_t *)groups, i, group)
    {
        if (!may_be(self, request, "groups", json_string_value(group)))
            return false;
    }
    return true;
}

static bool may_have(api_t *self, request_t *request, json_t *extra)
{
    const char *key;
    json_t *values;
    json_object_foreach(extra, key, values)
    {
        size_t i;
        json_t *value;
        json_array_foreach(values, i, value)
        {
            access_t access = {.verb = "impersonate",
                .group = AUTHENTICATION_GROUP,
                .resource = "userextras",
                .subresource = key,
                .namespace = "",
                .name = json_string_value(value)};
            if (!authorize(self, request, &access))
                return false;
        }
    }
    return true;
}

/* ---- the other ------------------------------------------------------------------------------- */

/* Who names no groups gets those that an account has; whoever is not anonymous counts as known. */
static void add_groups(user_t *user, const json_t *groups)
{
    AUTO_FREE char *namespace = NULL;
    AUTO_FREE char *account = NULL;
    size_t i;
    json_t *group;
    json_array_foreach((json_t *)groups, i, group) user_add_group(user, json_string_value(group));
    if (!json_array_size(groups) && user_split_account_name(user->name, &namespace, &account))
        user_add_account_groups(user, namespace);
    if (!strcmp(user->name, USER_ANONYMOUS))
        user_add_group(user, GROUP_UNAUTHENTICATED);
    else if (!user_is_in(user, GROUP_UNAUTHENTICATED))
        user_add_group(user, GROUP_AUTHENTICATED);
}

static void become(request_t *request)
{
    const json_t *wanted = request->impersonation;
    user_done(&request->user);
    user_init(&request->user, object_string(wanted, "user"), object_string(wanted, "uid"));
    add_groups(&request->user, json_object_get(wanted, "groups"));
    json_object_update(request->user.extra, json_object_get(wanted, "extra"));
}

bool impersonate(api_t *self, request_t *request)
{
    const json_t *wanted = request->impersonation;
    const char *name = object_string(wanted, "user");
    const char *uid = object_string(wanted, "uid");
    if (!json_object_size(wanted))
        return true;
    if (!*name) {
        reply_status(request, 500, "InternalError", NULL,
            "Internal error occurred: requested groups, uid or extra values without impersonating "
            "a user");
        return false;
    }
    bool is_allowed = may_be_user(self, request, name)
                      && may_be_in(self, request, json_object_get(wanted, "groups"))
                      && may_have(self, request, json_object_get(wanted, "extra"))
                      && (!*uid || may_be(self, request, "uids", uid));
    if (is_allowed)
        become(request);
    return is_allowed;
}
