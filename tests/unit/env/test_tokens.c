/* The tokens of ServiceAccounts. */
#include "services/cluster/env/auth/account_secrets.h"
#include "services/cluster/env/auth/jwt.h"
#include "services/cluster/env/auth/tokens.h"
#include "services/cluster/env/object.h"

#include "base/auto.h"
#include "base/base64.h"
#include "base/mem.h"
#include "tests/support/test.h"

typedef struct town {
    ev_t *ev;
    store_t *store;
    tokens_t *tokens;
    json_t *account;
    user_t user;
} town_t;

static json_t *make(town_t *self, const char *kind, const char *name)
{
    json_t *object = NULL;
    store_create(self->store, kind_find(kind),
        json_pack("{s:{s:s, s:s}, s:{s:s}}", "metadata", "name", name, "namespace", "default",
            "spec", "nodeName", "n1"),
        &object, NULL);
    assert_non_null(object);
    return object;
}

static int setup(void **state)
{
    town_t *self = xcalloc(1, sizeof(*self));
    self->ev = ev_sim_new();
    self->store = store_new(self->ev, 1);
    make(self, "Namespace", "default");
    self->account = make(self, "ServiceAccount", "bot");
    self->tokens = tokens_new(self->store);
    *state = self;
    return 0;
}

static int teardown(void **state)
{
    town_t *self = *state;
    user_done(&self->user);
    tokens_destroy(&self->tokens);
    store_destroy(&self->store);
    ev_destroy(&self->ev);
    free(self);
    return 0;
}

static char *issue(town_t *self, const json_t *bound, const json_t *audiences)
{
    const token_wish_t wish = {
        .account = self->account, .bound = bound, .audiences = audiences, .seconds = 600};
    return tokens_issue(self->tokens, &wish, NULL);
}

static bool check(town_t *self, const char *token, const json_t *audiences)
{
    user_done(&self->user);
    return tokens_check(self->tokens, token, audiences, time(NULL), &self->user);
}

static void a_token_names_its_account(void **state)
{
    town_t *town = *state;
    AUTO_FREE char *token = issue(town, make(town, "Pod", "p"), NULL);
    assert_true(check(town, token, NULL));
    assert_string_equal(town->user.name, "system:serviceaccount:default:bot");
    assert_string_equal(town->user.uid, object_uid(town->account));
    assert_true(user_is_in(&town->user, "system:serviceaccounts"));
    assert_true(user_is_in(&town->user, "system:serviceaccounts:default"));
    assert_true(user_is_in(&town->user, "system:authenticated"));
    const json_t *extra = town->user.extra;
    assert_string_equal(json_string_value(json_array_get(
                            json_object_get(extra, "authentication.kubernetes.io/pod-name"), 0)),
        "p");
    assert_string_equal(json_string_value(json_array_get(
                            json_object_get(extra, "authentication.kubernetes.io/node-name"), 0)),
        "n1");
}

static void a_token_is_good_for_its_audience_only(void **state)
{
    json_auto_t *vault = json_pack("[s]", "vault");
    AUTO_FREE char *token = issue(*state, NULL, vault);
    assert_false(check(*state, token, NULL));
    assert_true(check(*state, token, vault));
}

static void a_token_expires(void **state)
{
    town_t *town = *state;
    AUTO_FREE char *token = issue(town, NULL, NULL);
    assert_true(tokens_check(town->tokens, token, NULL, time(NULL) + 590, &town->user));
    user_done(&town->user);
    assert_false(tokens_check(town->tokens, token, NULL, time(NULL) + 610, &town->user));
}

static void a_token_goes_with_what_it_is_bound_to(void **state)
{
    town_t *town = *state;
    AUTO_FREE char *bound = issue(town, make(town, "Pod", "p"), NULL);
    AUTO_FREE char *plain = issue(town, NULL, NULL);
    store_remove(town->store, kind_find("Pod"), "default", "p", NULL);
    assert_false(check(town, bound, NULL));
    assert_true(check(town, plain, NULL));
    store_delete(town->store, kind_find("ServiceAccount"), "default", "bot", NULL, NULL);
    assert_false(check(town, plain, NULL));
    make(town, "ServiceAccount", "bot");
    assert_false(check(town, plain, NULL)); /* another one of that name */
}

static void a_changed_token_is_none(void **state)
{
    town_t *town = *state;
    AUTO_FREE char *token = issue(town, NULL, NULL);
    const char *claims = strchr(token, '.') + 1;
    const char *signature = strchr(claims, '.') + 1;
    AUTO_FREE char *cut = xstrndup(token, strlen(token) - 1);
    AUTO_FREE char *bare = xstrndup(token, (size_t)(signature - token));
    AUTO_FREE char *other_header = xasprintf("eyJhbGciOiJub25lIn0.%s", claims);
    AUTO_FREE char *changed = xstrdup(token);
    changed[claims - token + 5] ^= 1;
    assert_false(check(town, cut, NULL));
    assert_false(check(town, bare, NULL));
    assert_false(check(town, other_header, NULL));
    assert_false(check(town, changed, NULL));
    assert_false(check(town, "", NULL));
    assert_false(check(town, "..", NULL));
    assert_true(check(town, token, NULL));
}

static void a_token_of_another_key_is_none(void **state)
{
    town_t *town = *state;
    AUTO(tokens_destroy) tokens_t *others = tokens_new(town->store);
    const token_wish_t wish = {.account = town->account, .seconds = 600};
    AUTO_FREE char *token = tokens_issue(others, &wish, NULL);
    assert_false(check(town, token, NULL));
}

/* r and s are now and then shorter than 32 bytes. */
static void every_signature_holds(void **state)
{
    AUTO(jwt_key_destroy) jwt_key_t *key = jwt_key_new();
    (void)state;
    for (int i = 0; i < 600; i++) {
        json_auto_t *claims = json_pack("{s:i}", "i", i);
        AUTO_FREE char *token = jwt_sign(key, claims);
        json_auto_t *back = jwt_verify(key, token);
        assert_true(back && json_equal(back, claims));
    }
}

/* Made by hand, for a token that does not expire. */
static void a_token_secret_is_filled_in_and_goes_with_its_account(void **state)
{
    town_t *self = *state;
    const kind_t *secrets = kind_find("Secret");
    account_secrets_t *keeper = account_secrets_new(self->store, self->tokens, "CA");
    store_create(self->store, secrets,
        json_pack("{s:{s:s, s:s, s:{s:s}}, s:s}", "metadata", "name", "t", "namespace", "default",
            "annotations", "kubernetes.io/service-account.name", "bot", "type",
            "kubernetes.io/service-account-token"),
        NULL, NULL);
    ev_sim_run_for(self->ev, 1);
    const json_t *secret = store_get(self->store, secrets, "default", "t");
    size_t size = 0;
    AUTO_FREE char *token = base64_decode(object_string(secret, "data.token"), &size);
    assert_true(check(self, token, NULL));
    assert_string_equal(object_string(secret, "data.namespace"), "ZGVmYXVsdA==");
    store_remove(self->store, kind_find("ServiceAccount"), "default", "bot", NULL);
    ev_sim_run_for(self->ev, 1);
    assert_null(store_get(self->store, secrets, "default", "t"));
    account_secrets_destroy(&keeper);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(a_token_names_its_account),
        TEST(a_token_is_good_for_its_audience_only),
        TEST(a_token_expires),
        TEST(a_token_goes_with_what_it_is_bound_to),
        TEST(a_changed_token_is_none),
        TEST(a_token_of_another_key_is_none),
        cmocka_unit_test(every_signature_holds),
        TEST(a_token_secret_is_filled_in_and_goes_with_its_account),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
