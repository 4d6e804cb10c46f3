/* Client certificates: asked for, approved, issued and shown, by the real kubectl. */
#include "tests/integration/env/shell.h"

#include "services/cluster/env/auth/authority.h"

#include "base/auto.h"
#include "base/base64.h"
#include "base/mem.h"

#include <gnutls/x509.h>

static char *text_of(gnutls_datum_t *datum)
{
    char *text = xstrndup((const char *)datum->data, datum->size);
    gnutls_free(datum->data);
    return text;
}

/* GnuTLS writes the older heading, which Kubernetes does not take. */
static char *with_new_heading(char *old)
{
    static const char *const ends[] = {"BEGIN", "END"};
    for (size_t i = 0; i < ARRAY_SIZE(ends); i++) {
        char *found = strstr(old, ends[i]) + strlen(ends[i]);
        assert_memory_equal(found, " NEW ", 5);
        memmove(found, found + 4, strlen(found + 4) + 1);
    }
    return old;
}

/* Makes a key, which is written to ada-key.pem, and a request for ada of the group crew. */
static char *make_request(const shell_t *self)
{
    gnutls_x509_privkey_t key;
    gnutls_x509_crq_t request;
    gnutls_datum_t datum;
    gnutls_x509_privkey_init(&key);
    gnutls_x509_privkey_generate(
        key, GNUTLS_PK_ECDSA, GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1), 0);
    gnutls_x509_crq_init(&request);
    gnutls_x509_crq_set_version(request, 1);
    gnutls_x509_crq_set_dn(request, "CN=ada,O=crew", NULL);
    gnutls_x509_crq_set_key(request, key);
    assert_true(gnutls_x509_crq_sign2(request, key, GNUTLS_DIG_SHA256, 0) >= 0);
    assert_true(gnutls_x509_privkey_export2(key, GNUTLS_X509_FMT_PEM, &datum) >= 0);
    AUTO_FREE char *key_pem = text_of(&datum);
    shell_write(self, "ada-key.pem", key_pem);
    assert_true(gnutls_x509_crq_export2(request, GNUTLS_X509_FMT_PEM, &datum) >= 0);
    gnutls_x509_crq_deinit(request);
    gnutls_x509_privkey_deinit(key);
    return with_new_heading(text_of(&datum));
}

static void ask_for_certificate(shell_t *self, const char *request)
{
    AUTO_FREE char *encoded = base64_encode(request, strlen(request));
    AUTO_FREE char *manifest =
        xasprintf("apiVersion: certificates.k8s.io/v1\nkind: CertificateSigningRequest\n"
                  "metadata: {name: ada}\nspec: {signerName: kubernetes.io/kube-apiserver-client, "
                  "usages: [client auth], request: %s}\n",
            encoded);
    shell_write(self, "csr.yaml", manifest);
    shell_expect(self, "create -f csr.yaml", "certificatesigningrequest.certificates.k8s.io/ada");
}

static void use_certificate(shell_t *self)
{
    shell_expect(self,
        "config set-credentials ada --client-key=ada-key.pem "
        "--client-certificate=ada.pem",
        "set");
}

static void an_approved_request_makes_a_user(void **state)
{
    AUTO_FREE char *request = make_request(*state);
    ask_for_certificate(*state, request);
    shell_expect(
        *state, "get csr", "kubernetes.io/kube-apiserver-client operator <none> Pending\n");
    shell_expect(*state, "certificate approve ada", "ada approved");
    shell_expect(*state, "get csr", "<none> Approved,Issued\n");
    shell_expect(*state, "describe csr ada", "Common Name: ada");
    shell_kubectl(*state, "get csr ada -o jsonpath={.status.certificate} | base64 -d > ada.pem");
    use_certificate(*state);
    shell_expect(*state, "--user=ada auth whoami", "ada\nGroups [crew system:authenticated]\n");
    shell_expect(*state, "--user=ada get pods", "pods is forbidden: User \"ada\" cannot list");
    shell_expect(*state, "create rolebinding crew --clusterrole=view --group=crew", "created");
    shell_expect(*state, "--user=ada get pods", "No resources found");
}

static void a_certificate_of_another_authority_is_refused(void **state)
{
    AUTO(authority_destroy) authority_t *other = authority_new();
    AUTO_FREE char *request = make_request(*state);
    AUTO_FREE char *pem = authority_sign(other, request, 3600, NULL);
    assert_non_null(pem);
    shell_write(*state, "ada.pem", pem);
    use_certificate(*state);
    shell_expect(*state, "--user=ada get pods", "error: You must be logged in to the server (");
}

static void a_request_that_is_none_fails(void **state)
{
    ask_for_certificate(
        *state, "-----BEGIN CERTIFICATE REQUEST-----\nAAAA\n-----END CERTIFICATE REQUEST-----\n");
    shell_expect(*state, "certificate approve ada", "ada approved");
    shell_expect(*state, "get csr", "Approved,Failed\n");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, shell_setup, shell_teardown)
    const struct CMUnitTest tests[] = {
        TEST(an_approved_request_makes_a_user),
        TEST(a_certificate_of_another_authority_is_refused),
        TEST(a_request_that_is_none_fails),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
