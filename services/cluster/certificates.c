#include "services/cluster/certificates.h"

#include "base/auto.h"
#include "base/mem.h"

#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <gnutls/crypto.h>
#include <gnutls/gnutls.h>
#include <gnutls/x509.h>
#include <stdbool.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { YEARS = 10, YEAR_S = 365 * 24 * 3600, PEM_LIMIT = 8192, SERIAL_SIZE = 16 };

static const char *const server_names[] = {"localhost", "kubernetes", "kubernetes.default",
    "kubernetes.default.svc", "kubernetes.default.svc.cluster.local"};
static const char *const server_addresses[] = {"127.0.0.1", "10.96.0.1", "172.18.0.2"};

/* ---- files -------------------------------------------------------------------------------------
 */

static char *read_text(const char *folder, const char *name)
{
    AUTO_FREE char *path = xasprintf("%s/%s", folder, name);
    char text[PEM_LIMIT];
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return NULL;
    ssize_t size = read(fd, text, sizeof(text));
    close(fd);
    return size > 0 ? xstrndup(text, (size_t)size) : NULL;
}

static int write_text(const char *folder, const char *name, const char *text, err_t *err)
{
    AUTO_FREE char *path = xasprintf("%s/%s", folder, name);
    AUTO_FREE char *temporary = xasprintf("%s.new", path);
    int fd = open(temporary, O_CREAT | O_WRONLY | O_TRUNC | O_CLOEXEC, 0600);
    ssize_t size = (ssize_t)strlen(text);
    bool is_written = fd >= 0 && write(fd, text, (size_t)size) == size && fsync(fd) == 0;
    if (fd >= 0)
        close(fd);
    if (!is_written || rename(temporary, path) < 0)
        return err_set(err, ERR_IO, "cannot write '%s': %s", path, strerror(errno));
    return 0;
}

/* ---- making ------------------------------------------------------------------------------------
 */

typedef struct pair {
    gnutls_x509_privkey_t key;
    gnutls_x509_crt_t cert;
} pair_t;

static void pair_done(pair_t *self)
{
    gnutls_x509_crt_deinit(self->cert);
    gnutls_x509_privkey_deinit(self->key);
}

/* gnutls fails here only for want of memory or randomness: neither can be mended by the caller. */
static void must(int rc)
{
    if (rc < 0)
        abort();
}

static void pair_init(pair_t *self, const char *name)
{
    unsigned char serial[SERIAL_SIZE];
    must(gnutls_rnd(GNUTLS_RND_NONCE, serial, sizeof(serial)));
    serial[0] &= 0x7f; /* a positive number, RFC 5280 4.1.2.2 */
    must(gnutls_x509_privkey_init(&self->key));
    must(gnutls_x509_privkey_generate(
        self->key, GNUTLS_PK_ECDSA, GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1), 0));
    must(gnutls_x509_crt_init(&self->cert));
    must(gnutls_x509_crt_set_version(self->cert, 3));
    must(gnutls_x509_crt_set_serial(self->cert, serial, sizeof(serial)));
    /* Long ago, since the clock may be set back while it is in use. */
    must(gnutls_x509_crt_set_activation_time(self->cert, time(NULL) - (time_t)YEAR_S));
    must(gnutls_x509_crt_set_expiration_time(self->cert, time(NULL) + (time_t)YEARS * YEAR_S));
    must(gnutls_x509_crt_set_dn_by_oid(
        self->cert, GNUTLS_OID_X520_COMMON_NAME, 0, name, (unsigned)strlen(name)));
    must(gnutls_x509_crt_set_key(self->cert, self->key));
}

static void make_authority(pair_t *self)
{
    pair_init(self, "aiopslab-ca");
    must(gnutls_x509_crt_set_basic_constraints(self->cert, 1, -1));
    must(gnutls_x509_crt_set_key_usage(self->cert, GNUTLS_KEY_KEY_CERT_SIGN | GNUTLS_KEY_CRL_SIGN));
    must(gnutls_x509_crt_sign2(self->cert, self->cert, self->key, GNUTLS_DIG_SHA256, 0));
}

static void make_server(pair_t *self, const pair_t *authority)
{
    pair_init(self, "kube-apiserver");
    must(gnutls_x509_crt_set_key_usage(self->cert, GNUTLS_KEY_DIGITAL_SIGNATURE));
    must(gnutls_x509_crt_set_key_purpose_oid(self->cert, GNUTLS_KP_TLS_WWW_SERVER, 0));
    for (size_t i = 0; i < ARRAY_SIZE(server_names); i++)
        must(gnutls_x509_crt_set_subject_alt_name(self->cert, GNUTLS_SAN_DNSNAME, server_names[i],
            (unsigned)strlen(server_names[i]), GNUTLS_FSAN_APPEND));
    for (size_t i = 0; i < ARRAY_SIZE(server_addresses); i++) {
        in_addr_t address = inet_addr(server_addresses[i]);
        must(gnutls_x509_crt_set_subject_alt_name(
            self->cert, GNUTLS_SAN_IPADDRESS, &address, sizeof(address), GNUTLS_FSAN_APPEND));
    }
    must(gnutls_x509_crt_sign2(self->cert, authority->cert, authority->key, GNUTLS_DIG_SHA256, 0));
}

static char *take_datum(gnutls_datum_t *datum)
{
    char *text = xstrndup((const char *)datum->data, datum->size);
    gnutls_free(datum->data);
    return text;
}

static char *export_cert(gnutls_x509_crt_t cert)
{
    gnutls_datum_t datum;
    must(gnutls_x509_crt_export2(cert, GNUTLS_X509_FMT_PEM, &datum));
    return take_datum(&datum);
}

static char *export_key(gnutls_x509_privkey_t key)
{
    gnutls_datum_t datum;
    must(gnutls_x509_privkey_export2(key, GNUTLS_X509_FMT_PEM, &datum));
    return take_datum(&datum);
}

/* The authority's key is not kept: it has signed all it ever will. */
static void make_all(certificates_t *self)
{
    AUTO(pair_done) pair_t authority;
    AUTO(pair_done) pair_t server;
    make_authority(&authority);
    make_server(&server, &authority);
    *self = (certificates_t){.ca = export_cert(authority.cert),
        .cert = export_cert(server.cert),
        .key = export_key(server.key)};
    assert(self->ca && self->cert && self->key);
}

int certificates_init(certificates_t *self, const char *folder, err_t *err)
{
    *self = (certificates_t){.ca = read_text(folder, "cluster-ca.pem"),
        .cert = read_text(folder, "cluster-server.pem"),
        .key = read_text(folder, "cluster-server-key.pem")};
    if (self->ca && self->cert && self->key)
        return 0;
    certificates_done(self);
    make_all(self);
    int rc = write_text(folder, "cluster-server-key.pem", self->key, err);
    if (rc == 0)
        rc = write_text(folder, "cluster-server.pem", self->cert, err);
    if (rc == 0)
        rc = write_text(folder, "cluster-ca.pem", self->ca, err);
    return rc;
}

void certificates_done(certificates_t *self)
{
    free(self->ca);
    free(self->cert);
    free(self->key);
    *self = (certificates_t){0};
}
