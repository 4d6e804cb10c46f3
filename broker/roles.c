#include "broker/roles.h"

#include "base/mem.h"
#include "bus/keys.h"
#include "bus/topic.h"

static const struct {
    const char *name;
    bus_role_t role;
    char letter;
    unsigned callers; /* as in a message's table */
} kinds[] = {
    {"agent", BUS_ROLE_AGENT, 'a', CODEC_AGENT},
    {"local", BUS_ROLE_LOCAL, 'l', CODEC_AGENT | CODEC_OPERATOR | CODEC_SERVICE},
    {"operator", BUS_ROLE_OPERATOR, 'o', CODEC_OPERATOR},
    {"service", BUS_ROLE_SERVICE, 's', CODEC_SERVICE},
};

enum { KIND_COUNT = sizeof(kinds) / sizeof(kinds[0]) };

char roles_letter(bus_role_t role)
{
    for (size_t i = 0; i < KIND_COUNT; i++) {
        if (kinds[i].role == role)
            return kinds[i].letter;
    }
    return '?';
}

bool roles_may_send(bus_role_t role, const codec_type_t *type)
{
    for (size_t i = 0; i < KIND_COUNT; i++) {
        if (kinds[i].role == role)
            return role == BUS_ROLE_LOCAL || (kinds[i].callers & type->callers);
    }
    return false;
}

static bus_role_t role_named(const char *name, size_t size)
{
    for (size_t i = 0; i < KIND_COUNT; i++) {
        if (strlen(kinds[i].name) == size && memcmp(kinds[i].name, name, size) == 0)
            return kinds[i].role;
    }
    return BUS_ROLE_NONE;
}

static principal_t *principal_add(roles_t *self, const char *user_id, bus_role_t role)
{
    principal_t *principal = xcalloc(1, sizeof(*principal));
    principal->user_id = xstrdup(user_id);
    principal->role = role;
    char *colon = strchr(principal->user_id, ':');
    principal->name = colon ? colon + 1 : "";
    principal->is_keyed_locally =
        strncmp(principal->name, KEY_LOCAL_PREFIX, strlen(KEY_LOCAL_PREFIX)) == 0;
    LIST_INSERT_HEAD(&self->all, principal, in_roles);
    map_put(&self->by_user_id, map_hash(self->seed, user_id, strlen(user_id)), principal);
    return principal;
}

void roles_init(roles_t *self, uint64_t seed)
{
    *self = (roles_t){.seed = seed};
    map_init(&self->by_user_id);
    self->local = principal_add(self, "", BUS_ROLE_LOCAL);
}

static void grant_remove(grant_t *grant)
{
    LIST_REMOVE(grant, in_principal);
    free(grant->topic);
    free(grant->target);
    free(grant);
}

static void principal_remove(roles_t *self, principal_t *principal)
{
    uint64_t key = map_hash(self->seed, principal->user_id, strlen(principal->user_id));
    while (!LIST_EMPTY(&principal->grants))
        grant_remove(LIST_FIRST(&principal->grants));
    audience_forget(principal);
    LIST_REMOVE(principal, in_roles);
    map_remove(&self->by_user_id, key);
    free(principal->user_id);
    free(principal);
}

principal_t *roles_use(roles_t *self, const char *user_id)
{
    principal_t *principal = self->local;
    if (user_id) {
        principal = map_get(&self->by_user_id, map_hash(self->seed, user_id, strlen(user_id)));
        if (!principal || strcmp(principal->user_id, user_id) != 0)
            principal = principal_add(self, user_id, role_named(user_id, strcspn(user_id, ":")));
    }
    principal->uses++;
    return principal;
}

void roles_use_again(principal_t *principal)
{
    principal->uses++;
}

void roles_end_use(roles_t *self, principal_t *principal)
{
    principal->uses--;
    if (principal->is_keyed_locally && !principal->uses && LIST_EMPTY(&principal->grants))
        principal_remove(self, principal);
}

/* ---- grants -------------------------------------------------------------------------------- */

static void revoke_all(principal_t *principal, uint64_t granter)
{
    for (grant_t *grant = LIST_FIRST(&principal->grants), *next = NULL; grant; grant = next) {
        next = LIST_NEXT(grant, in_principal);
        if (grant->granter == granter)
            grant_remove(grant);
    }
}

static void grant_add(
    principal_t *principal, uint64_t granter, const char *topic, const char *target)
{
    grant_t *grant = xcalloc(1, sizeof(*grant));
    grant->granter = granter;
    grant->topic = topic ? xstrdup(topic) : NULL;
    grant->target = target ? xstrdup(target) : NULL;
    LIST_INSERT_HEAD(&principal->grants, grant, in_principal);
}

size_t roles_grant(roles_t *self, const char *name, uint64_t granter, char *const *topics,
    size_t topic_count, char *const *targets, size_t target_count)
{
    char *user_id = xasprintf("agent:%s", name);
    principal_t *principal = roles_use(self, user_id);
    free(user_id);
    revoke_all(principal, granter);
    for (size_t i = 0; i < topic_count; i++)
        grant_add(principal, granter, topics[i], NULL);
    for (size_t i = 0; i < target_count; i++)
        grant_add(principal, granter, NULL, targets[i]);
    size_t ended = audience_judge(principal);
    roles_end_use(self, principal);
    return ended;
}

void roles_done(roles_t *self)
{
    while (!LIST_EMPTY(&self->all))
        principal_remove(self, LIST_FIRST(&self->all));
    map_done(&self->by_user_id);
}

/* ---- questions ----------------------------------------------------------------------------- */

static bool begins_with(const char *text, size_t size, const char *prefix)
{
    size_t prefix_size = strlen(prefix);
    return prefix_size && size >= prefix_size && memcmp(text, prefix, prefix_size) == 0;
}

bool principal_may_hear(const principal_t *self, const char *prefix, size_t size)
{
    if (self->role == BUS_ROLE_NONE)
        return false;
    if (self->role != BUS_ROLE_AGENT || begins_with(prefix, size, TOPIC_SYNC))
        return true;
    const grant_t *grant;
    LIST_FOREACH(grant, &self->grants, in_principal)
    {
        if (grant->topic && begins_with(prefix, size, grant->topic))
            return true;
    }
    return false;
}

bool principal_may_reach(const principal_t *self, const char *target, size_t size)
{
    if (self->role != BUS_ROLE_AGENT)
        return self->role != BUS_ROLE_NONE;
    const char *at = memchr(target, '@', size);
    size_t service_size = at ? (size_t)(at - target) : size;
    const grant_t *grant;
    LIST_FOREACH(grant, &self->grants, in_principal)
    {
        if (grant->target && strlen(grant->target) == service_size
            && memcmp(grant->target, target, service_size) == 0)
            return true;
    }
    return false;
}
