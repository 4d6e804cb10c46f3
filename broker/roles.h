/* roles - who a caller is, and what it may do.
 *
 *     local     came by a socket file, which only the owner of the run directory can reach:
 *               everything
 *     service   calls anything that is open to services, publishes, subscribes to anything
 *     operator  calls what is open to operators, subscribes to anything
 *     agent     calls what is open to agents at the targets granted to its key, subscribes to the
 *               topics granted to it
 *
 * What is open to whom stands in the message tables of proto/. */
#ifndef BROKER_ROLES_H
#define BROKER_ROLES_H

#include "broker/audience.h"
#include "broker/map.h"
#include "bus/bus.h"

#include <sys/queue.h>

typedef struct grant {
    uint64_t granter; /* the caller number of the service that gave it */
    char *topic;      /* prefix; or NULL */
    char *target;     /* or NULL */
    LIST_ENTRY(grant) in_principal;
} grant_t;

typedef struct principal {
    char *user_id; /* "ROLE:NAME"; "" for local */
    bus_role_t role;
    const char *name;      /* inside user_id */
    bool is_keyed_locally; /* an agent of the local socket, whose key is in no folder */
    size_t uses;           /* by connections and requests under way */
    LIST_HEAD(, grant) grants;
    LIST_HEAD(, hearing) hearings; /* of an agent */
    LIST_ENTRY(principal) in_roles;
} principal_t;

typedef struct roles {
    uint64_t seed;
    map_t by_user_id;
    principal_t *local; /* one of all */
    LIST_HEAD(, principal) all;
} roles_t;

void roles_init(roles_t *self, uint64_t seed);
void roles_done(roles_t *self);

/* Whoever has this User-Id; NULL for local callers. Never NULL: keys in the folder are few, and
 * checked before. Others are forgotten with their last use, unless they have grants. */
principal_t *roles_use(roles_t *self, const char *user_id);
void roles_use_again(principal_t *principal);
void roles_end_use(roles_t *self, principal_t *principal);

/* The letter for a role in a route, and back. */
char roles_letter(bus_role_t role);

/* Whether a request of that type is open to the role. */
bool roles_may_send(bus_role_t role, const codec_type_t *type);

/* What an agent's key may do by grace of one granter from now on; replaces its earlier grant.
 * Returns how many connections were ended since they hear too much now. */
size_t roles_grant(roles_t *self, const char *name, uint64_t granter, char *const *topics,
    size_t topic_count, char *const *targets, size_t target_count);

/* Whether the principal may subscribe to a prefix. */
bool principal_may_hear(const principal_t *self, const char *prefix, size_t size);

/* Whether it may call this target ("service" or "service@instance") at all. */
bool principal_may_reach(const principal_t *self, const char *target, size_t size);

#endif
