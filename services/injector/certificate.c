#include "services/injector/certificate.h"

#include "base/auto.h"
#include "base/base64.h"

#include <gnutls/x509.h>
#include <string.h>
#include <time.h>

enum { LIFE_S = 10 * 365 * 86400 };

static int set_fields(gnutls_x509_crt_t certificate, gnutls_x509_privkey_t key, const char *host)
{
    static const unsigned char serial[] = {1};
    time_t now = time(NULL);
    int rc = gnutls_x509_crt_set_version(certificate, 3);
    rc = rc < 0 ? rc : gnutls_x509_crt_set_serial(certificate, serial, sizeof(serial));
    rc = rc < 0 ? rc : gnutls_x509_crt_set_activation_time(certificate, now - 60);
    rc = rc < 0 ? rc : gnutls_x509_crt_set_expiration_time(certificate, now + LIFE_S);
    rc = rc < 0 ? rc
                : gnutls_x509_crt_set_dn_by_oid(
                    certificate, GNUTLS_OID_X520_COMMON_NAME, 0, host, (unsigned)strlen(host));
    rc = rc < 0 ? rc
                : gnutls_x509_crt_set_subject_alt_name(
                    certificate, GNUTLS_SAN_DNSNAME, host, (unsigned)strlen(host), GNUTLS_FSAN_SET);
    rc = rc < 0 ? rc : gnutls_x509_crt_set_key(certificate, key);
    return rc < 0 ? rc : gnutls_x509_crt_sign2(certificate, certificate, key, GNUTLS_DIG_SHA256, 0);
}

static int export(gnutls_x509_crt_t certificate, gnutls_x509_privkey_t key, json_t **data_p)
{
    gnutls_datum_t crt = {NULL, 0};
    gnutls_datum_t secret = {NULL, 0};
    int rc = gnutls_x509_crt_export2(certificate, GNUTLS_X509_FMT_PEM, &crt);
    if (rc >= 0)
        rc = gnutls_x509_privkey_export2(key, GNUTLS_X509_FMT_PEM, &secret);
    if (rc >= 0) {
        AUTO_FREE char *crt_text = base64_encode(crt.data, crt.size);
        AUTO_FREE char *key_text = base64_encode(secret.data, secret.size);
        *data_p = json_pack("{s:s, s:s}", "tls.crt", crt_text, "tls.key", key_text);
    }
    gnutls_free(crt.data);
    gnutls_free(secret.data);
    return rc;
}

int certificate_make(const char *host, json_t **data_p, err_t *err)
{
    gnutls_x509_privkey_t key = NULL;
    gnutls_x509_crt_t certificate = NULL;
    int rc = gnutls_x509_privkey_init(&key);
    if (rc >= 0)
        rc = gnutls_x509_privkey_generate(
            key, GNUTLS_PK_ECDSA, GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1), 0);
    if (rc >= 0)
        rc = gnutls_x509_crt_init(&certificate);
    if (rc >= 0)
        rc = set_fields(certificate, key, host);
    if (rc >= 0)
        rc = export(certificate, key, data_p);
    if (certificate)
        gnutls_x509_crt_deinit(certificate);
    if (key)
        gnutls_x509_privkey_deinit(key);
    return rc < 0 ? err_set(err, ERR_IO, "no certificate: %s", gnutls_strerror(rc)) : 0;
}
