/* Walks the bindings that a user has: those of the cluster, then those of the namespace. */
#include "services/cluster/env/auth/rbac.h"

#include "services/cluster/env/auth/rules.h"
#include "services/cluster/env/object.h"

#include "base/auto.h"
#include "base/mem.h"

/* ---- subjects ---------------------------------------------------------------------------------
 */

/* An account that names no namespace is one of the binding's. */
static bool is_account(const json_t *subject, const char *namespace, const user_t *user)
{
    const char *own = object_string(subject, "namespace");
    AUTO_FREE char *name =
        user_account_name(*own ? own : namespace, object_string(subject, "name"));
    return (*own || *namespace) && !strcmp(name, user->name);
}

static bool is_subject(const json_t *subject, const char *namespace, const user_t *user)
{
    const char *kind = object_string(subject, "kind");
    if (!strcmp(kind, "User"))
        return !strcmp(object_string(subject, "name"), user->name);
    if (!strcmp(kind, "Group"))
        return user_is_in(user, object_string(subject, "name"));
    return !strcmp(kind, "ServiceAccount") && is_account(subject, namespace, user);
}

static const json_t *find_subject(const json_t *binding, const user_t *user)
{
    size_t i;
    json_t *subject;
    json_array_foreach(json_object_get(binding, "subjects"), i, subject)
    {
        if (is_subject(subject, object_namespace(binding), user))
            return subject;
    }
    return NULL;
}

/* ---- roles ------------------------------------------------------------------------------------
 */

static bool is_role(const json_t *role_ref)
{
    return !strcmp(object_string(role_ref, "kind"), "Role");
}

const json_t *rbac_role(store_t *store, const json_t *role_ref, const char *namespace)
{
    const kind_t *kind = kind_find(is_role(role_ref) ? "Role" : "ClusterRole");
    return store_get(store, kind, namespace, object_string(role_ref, "name"));
}

/* ---- the walk ---------------------------------------------------------------------------------
 */

typedef struct walk {
    store_t *store;
    const user_t *user;
    const access_t *access; /* NULL: all rules are collected */
    json_t *rules;
    char *reason;    /* of what was found */
    json_t *missing; /* sentences about roles that do not exist */
} walk_t;

static void note_missing(walk_t *self, const json_t *role_ref)
{
    json_array_append_new(self->missing,
        json_sprintf("%s.rbac.authorization.k8s.io \"%s\" not found",
            is_role(role_ref) ? "role" : "clusterrole", object_string(role_ref, "name")));
}

/* `RoleBinding "b/default" of Role "r" to User "u"` */
static void note_reason(walk_t *self, const json_t *binding, const json_t *subject)
{
    const char *namespace = object_namespace(binding);
    const char *kind = object_string(subject, "kind");
    const char *own = object_string(subject, "namespace");
    bool is_account = !strcmp(kind, "ServiceAccount");
    AUTO_FREE char *suffix = is_account ? xasprintf("/%s", *own ? own : namespace) : xstrdup("");
    free(self->reason);
    self->reason = xasprintf("RBAC: allowed by %s \"%s%s%s\" of %s \"%s\" to %s \"%s%s\"",
        object_string(binding, "kind"), object_name(binding), *namespace ? "/" : "", namespace,
        object_string(binding, "roleRef.kind"), object_string(binding, "roleRef.name"), kind,
        object_string(subject, "name"), suffix);
}

static void visit(void *arg, json_t *binding)
{
    walk_t *self = arg;
    size_t i;
    json_t *rule;
    const json_t *subject = self->reason ? NULL : find_subject(binding, self->user);
    if (!subject)
        return;
    const json_t *role_ref = json_object_get(binding, "roleRef");
    const json_t *role = rbac_role(self->store, role_ref, object_namespace(binding));
    if (!role)
        note_missing(self, role_ref);
    json_array_foreach(json_object_get(role, "rules"), i, rule)
    {
        if (!self->access) {
            json_array_append(self->rules, rule);
        } else if (rule_allows(rule, self->access)) {
            note_reason(self, binding, subject);
            return;
        }
    }
}

static void walk(walk_t *self, const char *namespace)
{
    store_each(self->store, kind_find("ClusterRoleBinding"), NULL, visit, self);
    if (*namespace && !self->reason)
        store_each(self->store, kind_find("RoleBinding"), namespace, visit, self);
}

/* The errors of a refusal: `RBAC: a`, or `RBAC: [a, b]`. */
static char *refusal_reason(const json_t *missing)
{
    size_t count = json_array_size(missing);
    size_t i;
    json_t *text;
    if (!count)
        return xstrdup("");
    char *reason = NULL;
    size_t size = 0;
    FILE *out = mem_check(open_memstream(&reason, &size));
    fprintf(out, "RBAC: %s", count > 1 ? "[" : "");
    json_array_foreach((json_t *)missing, i, text)
        fprintf(out, "%s%s", i ? ", " : "", json_string_value(text));
    fputs(count > 1 ? "]" : "", out);
    fclose(out);
    return reason;
}

bool rbac_allows(store_t *store, const user_t *user, const access_t *access, char **reason_p)
{
    json_auto_t *missing = json_array();
    walk_t self = {.store = store, .user = user, .access = access, .missing = missing};
    if (user_is_in(user, GROUP_MASTERS)) {
        *reason_p = xstrdup("");
        return true;
    }
    walk(&self, access->path ? "" : access->namespace);
    *reason_p = self.reason ? self.reason : refusal_reason(missing);
    return self.reason;
}

json_t *rbac_rules(store_t *store, const user_t *user, const char *namespace)
{
    json_auto_t *missing = json_array();
    walk_t self = {.store = store, .user = user, .rules = json_array(), .missing = missing};
    walk(&self, namespace);
    return self.rules;
}
