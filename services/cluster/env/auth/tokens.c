/* Claims as the API server's issuer makes them (pkg/serviceaccount/claims.go). */
#include "services/cluster/env/auth/tokens.h"

#include "services/cluster/env/auth/jwt.h"
#include "services/cluster/env/object.h"
#include "services/cluster/env/random.h"

#include "base/auto.h"
#include "base/mem.h"

struct tokens {
    store_t *store; /* borrowed */
    jwt_key_t *key;
    random_state_t random; /* ids of tokens: they need not be secret */
};

tokens_t *tokens_new(store_t *store)
{
    tokens_t *self = xcalloc(1, sizeof(*self));
    self->store = store;
    self->key = jwt_key_new();
    random_init(&self->random, 0);
    return self;
}

void tokens_destroy(tokens_t **self_p)
{
    tokens_t *self = *self_p;
    *self_p = NULL;
    if (!self)
        return;
    jwt_key_destroy(&self->key);
    free(self);
}

/* ---- issuing ----------------------------------------------------------------------------------
 */

static json_t *reference(const json_t *object)
{
    return json_pack("{s:s, s:s}", "name", object_name(object), "uid", object_uid(object));
}

/* The claim "kubernetes.io". */
static json_t *private_claim(const token_wish_t *wish)
{
    json_t *claim = json_pack("{s:s, s:o}", "namespace", object_namespace(wish->account),
        "serviceaccount", reference(wish->account));
    const char *node = object_string(wish->bound, "spec.nodeName");
    if (*node)
        json_object_set_new(claim, "node", json_pack("{s:s}", "name", node));
    if (wish->bound)
        json_object_set_new(claim,
            strcmp(object_string(wish->bound, "kind"), "Pod") ? "secret" : "pod",
            reference(wish->bound));
    return claim;
}

char *tokens_issue(tokens_t *self, const token_wish_t *wish, time_t *expires_p)
{
    time_t now = time(NULL);
    time_t expires = now + (time_t)wish->seconds;
    char id[RANDOM_UUID_SIZE];
    random_uuid(&self->random, id);
    AUTO_FREE char *subject =
        user_account_name(object_namespace(wish->account), object_name(wish->account));
    json_t *audiences = json_array_size(wish->audiences) ? json_copy((json_t *)wish->audiences)
                                                         : json_pack("[s]", TOKEN_ISSUER);
    json_auto_t *claims = json_pack("{s:o, s:I, s:I, s:s, s:s, s:o, s:I, s:s}", "aud", audiences,
        "exp", (json_int_t)expires, "iat", (json_int_t)now, "iss", TOKEN_ISSUER, "jti", id,
        "kubernetes.io", private_claim(wish), "nbf", (json_int_t)now, "sub", subject);
    if (expires_p)
        *expires_p = expires;
    return jwt_sign(self->key, claims);
}

/* ---- checking ---------------------------------------------------------------------------------
 */

static bool has_audience(const json_t *claimed, const json_t *wanted)
{
    size_t i;
    size_t j;
    json_t *left;
    json_t *right;
    json_array_foreach((json_t *)claimed, i, left)
    {
        json_array_foreach((json_t *)wanted, j, right)
        {
            if (json_equal(left, right))
                return true;
        }
    }
    return false;
}

static bool is_for(const json_t *claims, const json_t *audiences)
{
    json_auto_t *own = json_pack("[s]", TOKEN_ISSUER);
    return has_audience(
        json_object_get(claims, "aud"), json_array_size(audiences) ? audiences : own);
}

/* Whether the object that a part of the private claim names is still the same. */
static bool is_there(tokens_t *self, const char *kind, const char *namespace, const json_t *named)
{
    const json_t *object =
        store_get(self->store, kind_find(kind), namespace, object_string(named, "name"));
    return object && !strcmp(object_uid(object), object_string(named, "uid"));
}

static bool is_all_there(tokens_t *self, const json_t *claim)
{
    const char *namespace = object_string(claim, "namespace");
    const json_t *pod = json_object_get(claim, "pod");
    const json_t *secret = json_object_get(claim, "secret");
    return is_there(self, "ServiceAccount", namespace, json_object_get(claim, "serviceaccount"))
           && (!pod || is_there(self, "Pod", namespace, pod))
           && (!secret || is_there(self, "Secret", namespace, secret));
}

static void add_extra(user_t *user, const char *key, const char *value)
{
    AUTO_FREE char *whole = xasprintf("authentication.kubernetes.io/%s", key);
    if (*value)
        user_add_extra(user, whole, value);
}

static void describe(user_t *user, const json_t *claims, const json_t *claim)
{
    AUTO_FREE char *id = xasprintf("JTI=%s", object_string(claims, "jti"));
    user_init(user, object_string(claims, "sub"), object_string(claim, "serviceaccount.uid"));
    user_add_account_groups(user, object_string(claim, "namespace"));
    user_add_group(user, GROUP_AUTHENTICATED);
    add_extra(user, "credential-id", id);
    add_extra(user, "node-name", object_string(claim, "node.name"));
    add_extra(user, "pod-name", object_string(claim, "pod.name"));
    add_extra(user, "pod-uid", object_string(claim, "pod.uid"));
}

bool tokens_check(
    tokens_t *self, const char *token, const json_t *audiences, time_t now, user_t *user_p)
{
    json_auto_t *claims = jwt_verify(self->key, token);
    const json_t *claim = json_object_get(claims, "kubernetes.io");
    if (!claims || object_integer(claims, "exp", 0) <= now || !is_for(claims, audiences)
        || !is_all_there(self, claim))
        return false;
    describe(user_p, claims, claim);
    return true;
}
