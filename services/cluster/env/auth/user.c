#include "services/cluster/env/auth/user.h"

#include "base/auto.h"
#include "base/mem.h"

static const char account_prefix[] = "system:serviceaccount:";

void user_init(user_t *self, const char *name, const char *uid)
{
    *self = (user_t){
        .name = xstrdup(name), .uid = xstrdup(uid), .groups = json_array(), .extra = json_object()};
}

void user_copy(user_t *self, const user_t *other)
{
    *self = (user_t){.name = xstrdup(other->name),
        .uid = xstrdup(other->uid),
        .groups = json_copy(other->groups),
        .extra = json_copy(other->extra)};
}

void user_done(user_t *self)
{
    free(self->name);
    free(self->uid);
    json_decref(self->groups);
    json_decref(self->extra);
    *self = (user_t){0};
}

bool user_is_in(const user_t *self, const char *group)
{
    size_t i;
    json_t *each;
    json_array_foreach(self->groups, i, each)
    {
        if (!strcmp(json_string_value(each), group))
            return true;
    }
    return false;
}

void user_add_group(user_t *self, const char *group)
{
    if (!user_is_in(self, group))
        json_array_append_new(self->groups, json_string(group));
}

void user_add_extra(user_t *self, const char *key, const char *value)
{
    if (!json_object_get(self->extra, key))
        json_object_set_new(self->extra, key, json_array());
    json_array_append_new(json_object_get(self->extra, key), json_string(value));
}

void user_add_account_groups(user_t *self, const char *namespace)
{
    AUTO_FREE char *group = xasprintf("system:serviceaccounts:%s", namespace);
    user_add_group(self, "system:serviceaccounts");
    user_add_group(self, group);
}

char *user_account_name(const char *namespace, const char *account)
{
    return xasprintf("%s%s:%s", account_prefix, namespace, account);
}

bool user_split_account_name(const char *name, char **namespace_p, char **account_p)
{
    size_t prefix = sizeof(account_prefix) - 1;
    const char *colon = strncmp(name, account_prefix, prefix) ? NULL : strchr(name + prefix, ':');
    if (!colon || colon == name + prefix || !colon[1] || strchr(colon + 1, ':'))
        return false;
    *namespace_p = xstrndup(name + prefix, (size_t)(colon - name) - prefix);
    *account_p = xstrdup(colon + 1);
    return true;
}

json_t *user_info(const user_t *self)
{
    json_t *info = json_pack("{s:s}", "username", self->name);
    if (*self->uid)
        json_object_set_new(info, "uid", json_string(self->uid));
    if (json_array_size(self->groups))
        json_object_set(info, "groups", self->groups);
    if (json_object_size(self->extra))
        json_object_set(info, "extra", self->extra);
    return info;
}
