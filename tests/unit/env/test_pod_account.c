/* What a new pod gets from its ServiceAccount. */
#include "tests/unit/env/world.h"

#include "services/cluster/env/object.h"

#include "base/auto.h"

#define ACCOUNTS "/api/v1/namespaces/default/serviceaccounts"

static void make_account(world_t *self, const char *body)
{
    tell(self, "POST", ACCOUNTS, body);
    assert_int_equal(self->status, 201);
}

static json_t *make_pod(world_t *self, const char *spec)
{
    AUTO_FREE char *body = NULL;
    assert_true(asprintf(&body,
                    "{\"apiVersion\":\"v1\",\"kind\":\"Pod\",\"metadata\":{\"name\":\"p\"},"
                    "\"spec\":{%s\"containers\":[{\"name\":\"c\",\"image\":\"i\"}]}}",
                    spec)
                > 0);
    return ask(self, "POST", PODS, "application/json", body);
}

static const char bot[] = "{\"apiVersion\":\"v1\",\"kind\":\"ServiceAccount\",\"metadata\":{"
                          "\"name\":\"bot\"},\"imagePullSecrets\":[{\"name\":\"s\"}]}";

static void a_pod_gets_a_token_and_pull_secrets(void **state)
{
    make_account(*state, bot);
    json_auto_t *pod = make_pod(*state, "\"serviceAccountName\":\"bot\",");
    const json_t *volume = json_array_get(object_at(pod, "spec.volumes"), 0);
    const json_t *container = json_array_get(object_at(pod, "spec.containers"), 0);
    const json_t *mount = json_array_get(json_object_get(container, "volumeMounts"), 0);
    expect_at(pod, "spec.imagePullSecrets", "[{\"name\":\"s\"}]");
    expect_at(mount, "mountPath", "\"/var/run/secrets/kubernetes.io/serviceaccount\"");
    expect_at(mount, "readOnly", "true");
    assert_string_equal(object_string(mount, "name"), object_string(volume, "name"));
    assert_memory_equal(object_string(volume, "name"), "kube-api-access-", 16);
    expect_at(json_array_get(object_at(volume, "projected.sources"), 0), "serviceAccountToken",
        "{\"expirationSeconds\":3607,\"path\":\"token\"}");
}

static void pod_and_account_may_want_none(void **state)
{
    make_account(*state, bot);
    json_auto_t *pod =
        make_pod(*state, "\"serviceAccountName\":\"bot\",\"automountServiceAccountToken\":false,");
    assert_null(object_at(pod, "spec.volumes"));
    tell(*state, "DELETE", PODS "/p?gracePeriodSeconds=0", NULL);
    json_auto_t *patched = ask(*state, "PATCH", ACCOUNTS "/bot", "application/merge-patch+json",
        "{\"automountServiceAccountToken\":false}");
    json_auto_t *other = make_pod(*state, "\"serviceAccountName\":\"bot\",");
    expect_at(other, "spec.serviceAccountName", "\"bot\"");
    assert_null(object_at(other, "spec.volumes"));
}

static void without_its_account_no_pod_is_made(void **state)
{
    json_auto_t *answer = make_pod(*state, "\"serviceAccountName\":\"no\",");
    expect_refusal(*state, answer, 403,
        "pods \"p\" is forbidden: error looking up service account default/no: serviceaccount "
        "\"no\" not found");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WORLD_TEST(a_pod_gets_a_token_and_pull_secrets),
        WORLD_TEST(pod_and_account_may_want_none),
        WORLD_TEST(without_its_account_no_pod_is_made),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
