/* Who makes a role must have all that it gives, or the verb "escalate" on roles; who binds one,
 * likewise, or the verb "bind" on that role (pkg/registry/rbac, the policy based storages). */
#include "services/cluster/env/api/escalate.h"

#include "services/cluster/env/api/status.h"
#include "services/cluster/env/auth/rbac.h"
#include "services/cluster/env/auth/rules.h"
#include "services/cluster/env/object.h"

#include "base/auto.h"
#include "base/mem.h"

static bool has_verb(api_t *self, const request_t *request, access_t access)
{
    AUTO_FREE char *reason = NULL;
    access.group = "rbac.authorization.k8s.io";
    access.subresource = "";
    return rbac_allows(self->store, &request->user, &access, &reason);
}

static int by_text(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* `\n{…}` for each rule, sorted; for free(). */
static char *text_of_rules(const json_t *rules)
{
    size_t count = json_array_size(rules);
    AUTO_FREE char **texts = xcalloc(count + 1, sizeof(char *));
    char *text = NULL;
    size_t size = 0;
    FILE *out = mem_check(open_memstream(&text, &size));
    for (size_t i = 0; i < count; i++)
        texts[i] = rule_text(json_array_get(rules, i));
    qsort(texts, count, sizeof(*texts), by_text);
    for (size_t i = 0; i < count; i++) {
        fprintf(out, "\n%s", texts[i]);
        free(texts[i]);
    }
    fclose(out);
    return text;
}

/* `["a" "b"]` of the user's groups; for free(). */
static char *text_of_groups(const user_t *user)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = mem_check(open_memstream(&text, &size));
    size_t i;
    json_t *group;
    json_array_foreach(user->groups, i, group)
        fprintf(out, "%s\"%s\"", i ? " " : "", json_string_value(group));
    fclose(out);
    return text;
}

static void refuse(request_t *request, const kind_t *kind, const char *name, const json_t *missing)
{
    AUTO_FREE char *rules = text_of_rules(missing);
    AUTO_FREE char *groups = text_of_groups(&request->user);
    reply_status(request, 403, "Forbidden", status_details(kind, name),
        "%s \"%s\" is forbidden: user \"%s\" (groups=[%s]) is attempting to grant RBAC permissions "
        "not currently held:%s",
        kind_qualified(kind), name, request->user.name, groups, rules);
}

static bool check_rules(
    api_t *self, request_t *request, const kind_t *kind, const json_t *object, const json_t *rules)
{
    json_auto_t *owned = rbac_rules(self->store, &request->user, object_namespace(object));
    json_auto_t *missing = rules_missing(owned, rules);
    if (!json_array_size(missing))
        return true;
    refuse(request, kind, object_name(object), missing);
    return false;
}

/* A role that gathers others may come to hold anything. */
static bool check_gathering(
    api_t *self, request_t *request, const kind_t *kind, const json_t *object)
{
    json_auto_t *all = json_pack("[{s:[s], s:[s], s:[s]}, {s:[s], s:[s]}]", "verbs", "*",
        "apiGroups", "*", "resources", "*", "verbs", "*", "nonResourceURLs", "*");
    json_auto_t *owned = rbac_rules(self->store, &request->user, "");
    json_auto_t *missing = rules_missing(owned, all);
    if (!json_array_size(missing))
        return true;
    reply_status(request, 403, "Forbidden", status_details(kind, object_name(object)),
        "%s \"%s\" is forbidden: must have cluster-admin privileges to use an aggregationRule",
        kind_qualified(kind), object_name(object));
    return false;
}

static bool is_same(const json_t *object, const json_t *old, const char *key)
{
    const json_t *value = json_object_get(object, key);
    const json_t *old_value = json_object_get(old, key);
    return (!value && !old_value) || (value && old_value && json_equal(value, old_value));
}

static bool check_role(
    api_t *self, request_t *request, const kind_t *kind, const json_t *object, const json_t *old)
{
    access_t escalate = {.verb = "escalate",
        .resource = kind->plural,
        .namespace = object_namespace(object),
        .name = object_name(object)};
    bool is_old = old && is_same(object, old, "rules") && is_same(object, old, "aggregationRule");
    if (is_old || has_verb(self, request, escalate))
        return true;
    if (json_is_object(json_object_get(object, "aggregationRule"))
        && !check_gathering(self, request, kind, object))
        return false;
    return check_rules(self, request, kind, object, json_object_get(object, "rules"));
}

static bool check_binding(
    api_t *self, request_t *request, const kind_t *kind, const json_t *object, const json_t *old)
{
    const json_t *role_ref = json_object_get(object, "roleRef");
    bool is_role = !strcmp(object_string(role_ref, "kind"), "Role");
    access_t bind = {.verb = "bind",
        .resource = is_role ? "roles" : "clusterroles",
        .namespace = object_namespace(object),
        .name = object_string(role_ref, "name")};
    bool is_old = old && is_same(object, old, "roleRef") && is_same(object, old, "subjects");
    if (is_old || has_verb(self, request, bind))
        return true;
    const json_t *role = rbac_role(self->store, role_ref, object_namespace(object));
    if (role)
        return check_rules(self, request, kind, object, json_object_get(role, "rules"));
    reply_not_found(request, kind_find(is_role ? "Role" : "ClusterRole"), bind.name);
    return false;
}

bool escalate_check(
    api_t *self, request_t *request, const kind_t *kind, const json_t *object, const json_t *old)
{
    if (strcmp(kind->group, "rbac.authorization.k8s.io") != 0 || !self->token_count)
        return true;
    return strstr(kind->name, "Binding") ? check_binding(self, request, kind, object, old)
                                         : check_role(self, request, kind, object, old);
}
