/* Kubernetes' tokens controller. */
#include "services/cluster/env/auth/account_secrets.h"

#include "services/cluster/env/object.h"

#include "base/auto.h"
#include "base/base64.h"
#include "base/mem.h"

#define ACCOUNT_NAME "kubernetes.io/service-account.name"
#define ACCOUNT_UID  "kubernetes.io/service-account.uid"

enum { TOKEN_SECONDS = 10 * 365 * 86400 /* longer than any environment */ };

struct account_secrets {
    store_t *store;
    tokens_t *tokens;
    char *ca_pem;
    const kind_t *kind;
    const kind_t *account_kind;
    store_watch_t *watch;
    store_watch_t *account_watch;
};

static bool is_token(const json_t *secret)
{
    return !strcmp(object_string(secret, "type"), "kubernetes.io/service-account-token");
}

/* The account that a Secret is for, or NULL when that is gone. */
static const json_t *account_of(const account_secrets_t *self, const json_t *secret)
{
    const char *name = object_annotation(secret, ACCOUNT_NAME);
    const char *uid = object_annotation(secret, ACCOUNT_UID);
    const json_t *account =
        name ? store_get(self->store, self->account_kind, object_namespace(secret), name) : NULL;
    return account && (!uid || !strcmp(uid, object_uid(account))) ? account : NULL;
}

static void set_data(json_t *data, const char *key, const char *text)
{
    AUTO_FREE char *encoded = base64_encode(text, strlen(text));
    if (!json_object_get(data, key))
        json_object_set_new(data, key, json_string(encoded));
}

static void fill_in(account_secrets_t *self, const json_t *secret, const json_t *account)
{
    const token_wish_t wish = {.account = account, .bound = secret, .seconds = TOKEN_SECONDS};
    AUTO_FREE char *token = tokens_issue(self->tokens, &wish, NULL);
    json_t *copy = json_deep_copy(secret);
    if (!json_is_object(json_object_get(copy, "data")))
        json_object_set_new(copy, "data", json_object());
    json_t *data = json_object_get(copy, "data");
    set_data(data, "ca.crt", self->ca_pem);
    set_data(data, "namespace", object_namespace(secret));
    set_data(data, "token", token);
    json_object_set_new(
        object_at(copy, "metadata.annotations"), ACCOUNT_UID, json_string(object_uid(account)));
    (void)store_update(self->store, self->kind, copy, STORE_ALL, NULL); /* else its change comes */
}

static void on_secret(
    void *arg, store_change_t change, const kind_t *kind, json_t *secret, json_t *old)
{
    account_secrets_t *self = arg;
    (void)old;
    if (change == STORE_DELETED || !is_token(secret))
        return;
    const json_t *account = account_of(self, secret);
    if (!account)
        (void)store_delete(
            self->store, kind, object_namespace(secret), object_name(secret), NULL, NULL);
    else if (!*object_string(secret, "data.token"))
        fill_in(self, secret, account);
}

static void let_go(void *arg, json_t *secret)
{
    account_secrets_t *self = arg;
    if (is_token(secret) && !account_of(self, secret))
        (void)store_delete(
            self->store, self->kind, object_namespace(secret), object_name(secret), NULL, NULL);
}

static void on_account(
    void *arg, store_change_t change, const kind_t *kind, json_t *account, json_t *old)
{
    account_secrets_t *self = arg;
    (void)kind;
    (void)old;
    if (change == STORE_DELETED)
        store_each(self->store, self->kind, object_namespace(account), let_go, self);
}

account_secrets_t *account_secrets_new(store_t *store, tokens_t *tokens, const char *ca_pem)
{
    account_secrets_t *self = xcalloc(1, sizeof(*self));
    self->store = store;
    self->tokens = tokens;
    self->ca_pem = xstrdup(ca_pem);
    self->kind = kind_find("Secret");
    self->account_kind = kind_find("ServiceAccount");
    self->watch = store_watch(store, self->kind, on_secret, self);
    self->account_watch = store_watch(store, self->account_kind, on_account, self);
    return self;
}

void account_secrets_destroy(account_secrets_t **self_p)
{
    account_secrets_t *self = *self_p;
    *self_p = NULL;
    if (!self)
        return;
    store_watch_end(&self->watch);
    store_watch_end(&self->account_watch);
    free(self->ca_pem);
    free(self);
}
