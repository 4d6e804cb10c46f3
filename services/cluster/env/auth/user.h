/* user - who asks: what authentication finds out. */
#ifndef CLUSTER_ENV_AUTH_USER_H
#define CLUSTER_ENV_AUTH_USER_H

#include <jansson.h>
#include <stdbool.h>

#define GROUP_MASTERS         "system:masters" /* may do everything, whatever roles say */
#define GROUP_AUTHENTICATED   "system:authenticated"
#define GROUP_UNAUTHENTICATED "system:unauthenticated"
#define USER_ANONYMOUS        "system:anonymous"

typedef struct user {
    char *name;
    char *uid;      /* "" for most */
    json_t *groups; /* strings */
    json_t *extra;  /* lists of strings by key */
} user_t;

void user_init(user_t *self, const char *name, const char *uid);
void user_copy(user_t *self, const user_t *other);
void user_done(user_t *self);

/* Each group once. */
void user_add_group(user_t *self, const char *group);
bool user_is_in(const user_t *self, const char *group);

void user_add_extra(user_t *self, const char *key, const char *value);

/* The groups of a ServiceAccount, and the name it has as a user; for free(). */
void user_add_account_groups(user_t *self, const char *namespace);
char *user_account_name(const char *namespace, const char *account);
/* Whether a name is that of a ServiceAccount; then its parts, for free(). */
bool user_split_account_name(const char *name, char **namespace_p, char **account_p);

/* The UserInfo of reviews. */
json_t *user_info(const user_t *self);

#endif
