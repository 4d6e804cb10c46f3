#include "services/cluster/env/api/peer.h"

#include <gnutls/x509.h>

enum { NAME_SIZE = 256 };

/* The i-th part of that kind of the subject's name; false past the end. */
static bool read_name(gnutls_x509_crt_t cert, const char *oid, unsigned i, char text[NAME_SIZE])
{
    size_t size = NAME_SIZE;
    if (gnutls_x509_crt_get_dn_by_oid(cert, oid, i, 0, text, &size) < 0)
        return false;
    json_auto_t *probe = json_string(text); /* all that is answered must be UTF-8 */
    return probe != NULL;
}

static bool read_user(gnutls_x509_crt_t cert, user_t *user_p)
{
    char text[NAME_SIZE];
    if (!read_name(cert, GNUTLS_OID_X520_COMMON_NAME, 0, text) || !*text)
        return false;
    user_init(user_p, text, "");
    for (unsigned i = 0; read_name(cert, GNUTLS_OID_X520_ORGANIZATION_NAME, i, text); i++)
        user_add_group(user_p, text);
    return true;
}

static bool is_trusted(gnutls_session_t session)
{
    gnutls_typed_vdata_st purpose = {
        .type = GNUTLS_DT_KEY_PURPOSE_OID, .data = (unsigned char *)GNUTLS_KP_TLS_WWW_CLIENT};
    unsigned status = 0;
    return gnutls_certificate_verify_peers(session, &purpose, 1, &status) >= 0 && !status;
}

peer_t peer_read(gnutls_session_t session, user_t *user_p)
{
    unsigned count = 0;
    const gnutls_datum_t *chain = session ? gnutls_certificate_get_peers(session, &count) : NULL;
    gnutls_x509_crt_t cert;
    if (!chain || !count)
        return PEER_NONE;
    if (!is_trusted(session) || gnutls_x509_crt_init(&cert) < 0)
        return PEER_BAD;
    bool is_read =
        gnutls_x509_crt_import(cert, chain, GNUTLS_X509_FMT_DER) >= 0 && read_user(cert, user_p);
    gnutls_x509_crt_deinit(cert);
    return is_read ? PEER_KNOWN : PEER_BAD;
}
