/* Rules, role references and subjects (pkg/apis/rbac: defaults, validation; printers). */
#include "services/cluster/env/kinds/rbac_parts.h"

#include "services/cluster/env/kinds/cells.h"
#include "services/cluster/env/kinds/checks.h"
#include "services/cluster/env/kinds/defaults.h"
#include "services/cluster/env/object.h"

#include "base/auto.h"
#include "base/mem.h"

/* ---- roles ------------------------------------------------------------------------------------
 */

const kind_column_t role_columns[] = {COLUMN_NAME, {"Created At", "date", "", 0}, {0}};

void role_row(const json_t *object, time_t now, json_t *cells)
{
    (void)now;
    cells_string(cells, object_name(object));
    cells_at(cells, object, "metadata.creationTimestamp", "<unknown>");
}

static bool has(const json_t *rule, const char *key)
{
    return json_array_size(json_object_get(rule, key)) > 0;
}

static void require(
    causes_t *causes, const json_t *rule, size_t i, const char *key, const char *why)
{
    AUTO_FREE char *field = xasprintf("rules[%zu].%s", i, key);
    if (!has(rule, key))
        causes_required(causes, field, why);
}

static void check_urls(causes_t *causes, const json_t *rule, size_t i, bool is_namespaced)
{
    AUTO_FREE char *field = xasprintf("rules[%zu].nonResourceURLs", i);
    const json_t *urls = json_object_get(rule, "nonResourceURLs");
    if (is_namespaced)
        causes_invalid(causes, field, urls, "namespaced rules cannot apply to non-resource URLs");
    if (has(rule, "apiGroups") || has(rule, "resources") || has(rule, "resourceNames"))
        causes_invalid(causes, field, urls,
            "rules cannot apply to both regular resources and non-resource URLs");
}

static void check_rule(causes_t *causes, const json_t *rule, size_t i, bool is_namespaced)
{
    require(causes, rule, i, "verbs", "verbs must contain at least one value");
    if (has(rule, "nonResourceURLs")) {
        check_urls(causes, rule, i, is_namespaced);
        return;
    }
    require(causes, rule, i, "apiGroups", "resource rules must supply at least one api group");
    require(causes, rule, i, "resources", "resource rules must supply at least one resource");
}

void role_check(causes_t *causes, const json_t *object, bool is_namespaced)
{
    size_t i;
    json_t *rule;
    check_metadata(causes, object, NAME_PATH);
    json_array_foreach(json_object_get(object, "rules"), i, rule)
        check_rule(causes, rule, i, is_namespaced);
}

/* ---- bindings ---------------------------------------------------------------------------------
 */

void binding_fill(store_t *store, json_t *object, const json_t *old)
{
    size_t i;
    json_t *subject;
    json_t *role = json_object_get(object, "roleRef");
    (void)store;
    (void)old;
    if (json_is_object(role))
        default_string(role, "apiGroup", RBAC_GROUP);
    json_array_foreach(json_object_get(object, "subjects"), i, subject)
    {
        const char *kind = object_string(subject, "kind");
        if (!strcmp(kind, "User") || !strcmp(kind, "Group"))
            default_string(subject, "apiGroup", RBAC_GROUP);
    }
}

static void check_role_ref(causes_t *causes, const json_t *role, bool is_namespaced)
{
    static const char *const groups[] = {RBAC_GROUP, NULL};
    static const char *const both[] = {"Role", "ClusterRole", NULL};
    const char *kind = object_string(role, "kind");
    if (strcmp(object_string(role, "apiGroup"), RBAC_GROUP) != 0)
        causes_unsupported(causes, "roleRef.apiGroup", object_at(role, "apiGroup"), groups);
    if (strcmp(kind, "ClusterRole") != 0 && (!is_namespaced || strcmp(kind, "Role") != 0))
        causes_unsupported(
            causes, "roleRef.kind", object_at(role, "kind"), is_namespaced ? both : both + 1);
    if (!*object_string(role, "name"))
        causes_required(causes, "roleRef.name", NULL);
}

/* A role reference is for ever: a binding that is to give another role is another binding. */
static void check_same_role(causes_t *causes, const json_t *role, const json_t *old)
{
    if (!old || json_equal(role, old))
        return;
    AUTO_FREE char *shown = xasprintf("rbac.RoleRef{APIGroup:\"%s\", Kind:\"%s\", Name:\"%s\"}",
        object_string(role, "apiGroup"), object_string(role, "kind"), object_string(role, "name"));
    causes_invalid_text(causes, "roleRef", shown, "cannot change roleRef");
}

static void check_account(causes_t *causes, const json_t *subject, size_t i)
{
    static const char *const none[] = {"", NULL};
    AUTO_FREE char *group = xasprintf("subjects[%zu].apiGroup", i);
    AUTO_FREE char *namespace = xasprintf("subjects[%zu].namespace", i);
    AUTO_FREE char *name = xasprintf("subjects[%zu].name", i);
    if (*object_string(subject, "name"))
        check_name(causes, name, object_string(subject, "name"), NAME_SUBDOMAIN);
    if (*object_string(subject, "apiGroup"))
        causes_unsupported(causes, group, object_at(subject, "apiGroup"), none);
    if (!*object_string(subject, "namespace"))
        causes_required(causes, namespace, NULL);
}

static void check_subject(causes_t *causes, const json_t *subject, size_t i)
{
    static const char *const groups[] = {RBAC_GROUP, NULL};
    static const char *const kinds[] = {"ServiceAccount", "User", "Group", NULL};
    const char *kind = object_string(subject, "kind");
    AUTO_FREE char *field = xasprintf("subjects[%zu].kind", i);
    AUTO_FREE char *group = xasprintf("subjects[%zu].apiGroup", i);
    AUTO_FREE char *name = xasprintf("subjects[%zu].name", i);
    if (!*object_string(subject, "name"))
        causes_required(causes, name, NULL);
    if (!strcmp(kind, "ServiceAccount"))
        check_account(causes, subject, i);
    else if (strcmp(kind, "User") != 0 && strcmp(kind, "Group") != 0)
        causes_unsupported(causes, field, object_at(subject, "kind"), kinds);
    else if (strcmp(object_string(subject, "apiGroup"), RBAC_GROUP) != 0)
        causes_unsupported(causes, group, object_at(subject, "apiGroup"), groups);
}

void binding_check(causes_t *causes, const json_t *object, const json_t *old, bool is_namespaced)
{
    size_t i;
    json_t *subject;
    const json_t *role = json_object_get(object, "roleRef");
    check_metadata(causes, object, NAME_PATH);
    check_role_ref(causes, role, is_namespaced);
    check_same_role(causes, role, json_object_get(old, "roleRef"));
    json_array_foreach(json_object_get(object, "subjects"), i, subject)
        check_subject(causes, subject, i);
}

/* ---- rows of bindings ------------------------------------------------------------------------ */

const kind_column_t binding_columns[] = {COLUMN_NAME, COLUMN("Role"), COLUMN_AGE,
    COLUMN_WIDE("Users"), COLUMN_WIDE("Groups"), COLUMN_WIDE("ServiceAccounts"), {0}};

/* The subjects of one kind, "a, b". */
static void cells_subjects(json_t *cells, const json_t *subjects, const char *kind)
{
    AUTO_FREE char *text = xstrdup("");
    size_t i;
    json_t *subject;
    json_array_foreach(subjects, i, subject)
    {
        const char *namespace = object_string(subject, "namespace");
        if (strcmp(object_string(subject, "kind"), kind) != 0)
            continue;
        char *longer = xasprintf("%s%s%s%s%s", text, *text ? ", " : "", namespace,
            *namespace ? "/" : "", object_string(subject, "name"));
        free(text);
        text = longer;
    }
    cells_string(cells, text);
}

void binding_row(const json_t *object, time_t now, json_t *cells)
{
    const json_t *subjects = json_object_get(object, "subjects");
    cells_string(cells, object_name(object));
    cells_format(cells, "%s/%s", object_string(object, "roleRef.kind"),
        object_string(object, "roleRef.name"));
    cells_age(cells, object, now);
    cells_subjects(cells, subjects, "User");
    cells_subjects(cells, subjects, "Group");
    cells_subjects(cells, subjects, "ServiceAccount");
}
