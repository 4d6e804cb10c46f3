#include "services/cluster/env/auth/authority.h"

#include "base/auto.h"
#include "base/mem.h"

#include <gnutls/crypto.h>
#include <gnutls/x509.h>
#include <time.h>

enum { SERIAL_SIZE = 16, HOUR_S = 3600, YEARS = 10, YEAR_S = 365 * 24 * HOUR_S };

struct authority {
    gnutls_x509_privkey_t key;
    gnutls_x509_crt_t cert;
    char *pem;
};

/* gnutls fails here only for want of memory or randomness: neither can be mended by the caller. */
static void must(int rc)
{
    if (rc < 0)
        abort();
}

/* Serial number, version and time of a new certificate; it begins a little early for clocks that
 * are late. */
static void cert_init(gnutls_x509_crt_t *cert_p, int64_t seconds)
{
    unsigned char serial[SERIAL_SIZE];
    must(gnutls_rnd(GNUTLS_RND_NONCE, serial, sizeof(serial)));
    serial[0] = (unsigned char)((serial[0] & 0x7f) | 1); /* positive, RFC 5280 4.1.2.2 */
    must(gnutls_x509_crt_init(cert_p));
    must(gnutls_x509_crt_set_version(*cert_p, 3));
    must(gnutls_x509_crt_set_serial(*cert_p, serial, sizeof(serial)));
    must(gnutls_x509_crt_set_activation_time(*cert_p, time(NULL) - HOUR_S));
    must(gnutls_x509_crt_set_expiration_time(*cert_p, time(NULL) + (time_t)seconds));
}

static char *export_pem(gnutls_x509_crt_t cert)
{
    gnutls_datum_t datum;
    must(gnutls_x509_crt_export2(cert, GNUTLS_X509_FMT_PEM, &datum));
    char *text = xstrndup((const char *)datum.data, datum.size);
    gnutls_free(datum.data);
    return text;
}

authority_t *authority_new(void)
{
    static const char name[] = "kubernetes";
    authority_t *self = xcalloc(1, sizeof(*self));
    must(gnutls_x509_privkey_init(&self->key));
    must(gnutls_x509_privkey_generate(
        self->key, GNUTLS_PK_ECDSA, GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1), 0));
    cert_init(&self->cert, (int64_t)YEARS * YEAR_S);
    must(gnutls_x509_crt_set_dn_by_oid(
        self->cert, GNUTLS_OID_X520_COMMON_NAME, 0, name, sizeof(name) - 1));
    must(gnutls_x509_crt_set_key(self->cert, self->key));
    must(gnutls_x509_crt_set_basic_constraints(self->cert, 1, -1));
    must(gnutls_x509_crt_set_key_usage(self->cert, GNUTLS_KEY_KEY_CERT_SIGN));
    must(gnutls_x509_crt_sign2(self->cert, self->cert, self->key, GNUTLS_DIG_SHA256, 0));
    self->pem = export_pem(self->cert);
    return self;
}

void authority_destroy(authority_t **self_p)
{
    authority_t *self = *self_p;
    *self_p = NULL;
    if (!self)
        return;
    gnutls_x509_crt_deinit(self->cert);
    gnutls_x509_privkey_deinit(self->key);
    free(self->pem);
    free(self);
}

const char *authority_pem(const authority_t *self)
{
    return self->pem;
}

/* A certificate with the request's name and key, not signed yet. */
static int take_request(gnutls_x509_crt_t cert, const char *request, err_t *err)
{
    gnutls_x509_crq_t parsed;
    const gnutls_datum_t bytes = {(unsigned char *)request, (unsigned)strlen(request)};
    must(gnutls_x509_crq_init(&parsed));
    int rc = gnutls_x509_crq_import(parsed, &bytes, GNUTLS_X509_FMT_PEM);
    if (rc >= 0)
        rc = gnutls_x509_crq_verify(parsed, 0);
    if (rc >= 0)
        rc = gnutls_x509_crt_set_crq(cert, parsed);
    gnutls_x509_crq_deinit(parsed);
    return rc < 0 ? err_set(err, ERR_INVALID, "unable to parse csr: %s", gnutls_strerror(rc)) : 0;
}

char *authority_sign(const authority_t *self, const char *request, int64_t seconds, err_t *err)
{
    gnutls_x509_crt_t cert;
    char *pem = NULL;
    cert_init(&cert, seconds);
    if (take_request(cert, request, err) == 0) {
        must(gnutls_x509_crt_set_basic_constraints(cert, 0, -1));
        must(gnutls_x509_crt_set_key_usage(
            cert, GNUTLS_KEY_DIGITAL_SIGNATURE | GNUTLS_KEY_KEY_ENCIPHERMENT));
        must(gnutls_x509_crt_set_key_purpose_oid(cert, GNUTLS_KP_TLS_WWW_CLIENT, 0));
        must(gnutls_x509_crt_sign2(cert, self->cert, self->key, GNUTLS_DIG_SHA256, 0));
        pem = export_pem(cert);
    }
    gnutls_x509_crt_deinit(cert);
    return pem;
}
