/* The default policy, from its table. */
#include "services/cluster/env/auth/default_roles.h"

#include "services/cluster/env/auth/aggregate.h"
#include "services/cluster/env/auth/user.h"

#include "base/auto.h"
#include "base/mem.h"

#define READ  "get list watch"
#define WRITE "create delete deletecollection patch update"
#define ALL   "create delete deletecollection get list patch update watch"

/* A role, or a rule of the role before it. */
typedef struct entry {
    const char *role;      /* NULL: a rule */
    const char *to;        /* the role that it is aggregated to, or "" */
    const char *aggregate; /* of which label the roles are that it consists of, or NULL */
    const char *verbs;
    const char *groups;
    const char *resources;
    const char *names;
    const char *urls;
} entry_t;

static const entry_t entries[] = {
#define ROLE(name, label)          {.role = (name), .to = (label)},
#define AGGREGATE(name, label, of) {.role = (name), .to = (label), .aggregate = (of)},
#define RULE(v, g, r)              {.verbs = (v), .groups = (g), .resources = (r)},
#define NAMED(v, g, r, n)          {.verbs = (v), .groups = (g), .resources = (r), .names = (n)},
#define URLS(v, u)                 {.verbs = (v), .urls = (u)},
#include "services/cluster/env/auth/default_roles.def"
};

static const struct binding {
    const char *name;
    const char *role;
    const char *kind; /* of its subject */
    const char *subject;
    const char *namespace; /* of an account */
} bindings[] = {
    {"cluster-admin", "cluster-admin", "Group", GROUP_MASTERS, NULL},
    {GROUP_ADMINS, "cluster-admin", "Group", GROUP_ADMINS, NULL},
    {"system:basic-user", "system:basic-user", "Group", GROUP_AUTHENTICATED, NULL},
    {"system:discovery", "system:discovery", "Group", GROUP_AUTHENTICATED, NULL},
    {"system:kube-controller-manager", "system:kube-controller-manager", "User",
        "system:kube-controller-manager", NULL},
    {"system:kube-dns", "system:kube-dns", "ServiceAccount", "kube-dns", "kube-system"},
    {"system:kube-scheduler", "system:kube-scheduler", "User", "system:kube-scheduler", NULL},
    {"system:monitoring", "system:monitoring", "Group", "system:monitoring", NULL},
    {"system:node-proxier", "system:node-proxier", "User", "system:kube-proxy", NULL},
    {"system:public-info-viewer", "system:public-info-viewer", "Group", GROUP_AUTHENTICATED, NULL},
    {"system:service-account-issuer-discovery", "system:service-account-issuer-discovery", "Group",
        "system:serviceaccounts", NULL},
    {"system:volume-scheduler", "system:volume-scheduler", "User", "system:kube-scheduler", NULL},
};

static void set_words(json_t *object, const char *key, const char *words)
{
    if (!words)
        return;
    json_t *list = json_array();
    while (*words) {
        size_t length = strcspn(words, " ");
        bool is_core = length == 4 && !strncmp(words, "core", 4);
        json_array_append_new(list, json_stringn(words, is_core ? 0 : length));
        words += length + strspn(words + length, " ");
    }
    json_object_set_new(object, key, list);
}

static json_t *make_rules(const entry_t *entry, const entry_t *end)
{
    json_t *rules = json_array();
    for (; entry < end && !entry->role; entry++) {
        json_t *rule = json_object();
        set_words(rule, "apiGroups", entry->groups);
        set_words(rule, "nonResourceURLs", entry->urls);
        set_words(rule, "resourceNames", entry->names);
        set_words(rule, "resources", entry->resources);
        set_words(rule, "verbs", entry->verbs);
        json_array_append_new(rules, rule);
    }
    return rules;
}

/* kubeadm's own binding is none of the defaults that the server keeps up. */
static json_t *make_metadata(const char *name)
{
    if (!strcmp(name, GROUP_ADMINS))
        return json_pack("{s:s}", "name", name);
    return json_pack("{s:s, s:{s:s}, s:{s:s}}", "name", name, "annotations",
        "rbac.authorization.kubernetes.io/autoupdate", "true", "labels",
        "kubernetes.io/bootstrapping", "rbac-defaults");
}

/* By which a role is found by the one that it is aggregated to. */
static json_t *label(const char *role)
{
    AUTO_FREE char *key = xasprintf("rbac.authorization.k8s.io/aggregate-to-%s", role);
    return json_pack("{s:s}", key, "true");
}

static void create_role(store_t *store, const entry_t *entry, const entry_t *end)
{
    json_t *metadata = make_metadata(entry->role);
    json_auto_t *role = json_pack("{s:o}", "metadata", metadata);
    if (*entry->to)
        json_object_update_new(json_object_get(metadata, "labels"), label(entry->to));
    if (entry->aggregate)
        json_object_set_new(role, "aggregationRule",
            json_pack(
                "{s:[{s:o}]}", "clusterRoleSelectors", "matchLabels", label(entry->aggregate)));
    json_object_set_new(role, "rules",
        entry->aggregate ? aggregate_rules(store, role) : make_rules(entry + 1, end));
    /* a fresh store refuses none of these */
    (void)store_create(store, kind_find("ClusterRole"), json_incref(role), NULL, NULL);
}

static void create_binding(store_t *store, const struct binding *binding)
{
    json_t *subject = json_pack("{s:s, s:s}", "kind", binding->kind, "name", binding->subject);
    json_t *subjects = json_pack("[o]", subject);
    if (binding->namespace)
        json_object_set_new(subject, "namespace", json_string(binding->namespace));
    if (!strcmp(binding->name, "system:public-info-viewer"))
        json_array_append_new(
            subjects, json_pack("{s:s, s:s}", "kind", "Group", "name", GROUP_UNAUTHENTICATED));
    json_t *object = json_pack("{s:o, s:{s:s, s:s}, s:o}", "metadata", make_metadata(binding->name),
        "roleRef", "kind", "ClusterRole", "name", binding->role, "subjects", subjects);
    (void)store_create(store, kind_find("ClusterRoleBinding"), object, NULL, NULL);
}

void default_roles_create(store_t *store)
{
    const entry_t *end = entries + ARRAY_SIZE(entries);
    for (const entry_t *entry = entries; entry < end; entry++) {
        if (entry->role)
            create_role(store, entry, end);
    }
    for (size_t i = 0; i < ARRAY_SIZE(bindings); i++)
        create_binding(store, &bindings[i]);
}
