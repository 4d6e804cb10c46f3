/* HEADER.CLAIMS.SIGNATURE, each in base64url without padding. */
#include "services/cluster/env/auth/jwt.h"

#include "base/auto.h"
#include "base/mem.h"

#include <gnutls/abstract.h>
#include <gnutls/crypto.h>
#include <stdbool.h>

enum { HALF_SIZE = 32, SIGNATURE_SIZE = 2 * HALF_SIZE, KEY_ID_SIZE = 32 };

struct jwt_key {
    gnutls_privkey_t private;
    gnutls_pubkey_t public;
    char *header; /* of all tokens, encoded */
};

/* gnutls fails here only for want of memory or randomness: neither can be mended by the caller. */
static void must(int rc)
{
    if (rc < 0)
        abort();
}

/* ---- base64url --------------------------------------------------------------------------------
 */

static char *encode(const void *bytes, size_t size)
{
    gnutls_datum_t in = {(unsigned char *)bytes, (unsigned)size};
    gnutls_datum_t out;
    must(gnutls_base64_encode2(&in, &out));
    char *text = xstrndup((const char *)out.data, out.size);
    gnutls_free(out.data);
    for (char *c = text; *c; c++) {
        if (*c == '+' || *c == '/')
            *c = *c == '+' ? '-' : '_';
        else if (*c == '=')
            *c = '\0';
    }
    return text;
}

/* False if it is none; out is for gnutls_free(). */
static bool decode(const char *text, size_t length, gnutls_datum_t *out)
{
    *out = (gnutls_datum_t){0};
    AUTO_FREE char *padded = xasprintf("%.*s%.*s", (int)length, text, (int)(-length & 3), "===");
    for (char *c = padded; *c; c++) {
        if (*c == '+' || *c == '/')
            return false;
        if (*c == '-' || *c == '_')
            *c = *c == '-' ? '+' : '/';
    }
    gnutls_datum_t in = {(unsigned char *)padded, (unsigned)strlen(padded)};
    return length && gnutls_base64_decode2(&in, out) >= 0;
}

static json_t *decode_json(const char *text, size_t length)
{
    gnutls_datum_t bytes;
    if (!decode(text, length, &bytes))
        return NULL;
    json_t *value = json_loadb((const char *)bytes.data, bytes.size, 0, NULL);
    gnutls_free(bytes.data);
    return value;
}

/* ---- keys -------------------------------------------------------------------------------------
 */

static char *make_header(gnutls_pubkey_t public)
{
    unsigned char id[KEY_ID_SIZE];
    size_t size = sizeof(id);
    must(gnutls_pubkey_get_key_id(public, GNUTLS_KEYID_USE_SHA256, id, &size));
    AUTO_FREE char *kid = encode(id, size);
    json_auto_t *header = json_pack("{s:s, s:s}", "alg", "ES256", "kid", kid);
    AUTO_FREE char *text = mem_check(json_dumps(header, JSON_COMPACT));
    return encode(text, strlen(text));
}

jwt_key_t *jwt_key_new(void)
{
    jwt_key_t *self = xcalloc(1, sizeof(*self));
    must(gnutls_privkey_init(&self->private));
    must(gnutls_privkey_generate(
        self->private, GNUTLS_PK_ECDSA, GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1), 0));
    must(gnutls_pubkey_init(&self->public));
    must(
        gnutls_pubkey_import_privkey(self->public, self->private, GNUTLS_KEY_DIGITAL_SIGNATURE, 0));
    self->header = make_header(self->public);
    return self;
}

void jwt_key_destroy(jwt_key_t **self_p)
{
    jwt_key_t *self = *self_p;
    *self_p = NULL;
    if (!self)
        return;
    gnutls_privkey_deinit(self->private);
    gnutls_pubkey_deinit(self->public);
    free(self->header);
    free(self);
}

/* ---- signatures -------------------------------------------------------------------------------
 */

/* A number in just as many bytes as there are: DER leaves zeros out, or adds one. */
static void put_number(unsigned char *out, const gnutls_datum_t *number)
{
    size_t skipped = number->size > HALF_SIZE ? number->size - HALF_SIZE : 0;
    size_t size = number->size - skipped;
    memset(out, 0, HALF_SIZE);
    memcpy(out + HALF_SIZE - size, number->data + skipped, size);
}

static char *sign_text(const jwt_key_t *self, const char *text)
{
    unsigned char raw[SIGNATURE_SIZE];
    gnutls_datum_t data = {(unsigned char *)text, (unsigned)strlen(text)};
    gnutls_datum_t signature;
    gnutls_datum_t r;
    gnutls_datum_t s;
    must(gnutls_privkey_sign_data2(self->private, GNUTLS_SIGN_ECDSA_SHA256, 0, &data, &signature));
    must(gnutls_decode_rs_value(&signature, &r, &s));
    put_number(raw, &r);
    put_number(raw + HALF_SIZE, &s);
    gnutls_free(signature.data);
    gnutls_free(r.data);
    gnutls_free(s.data);
    return encode(raw, sizeof(raw));
}

static bool is_signed(const jwt_key_t *self, const char *text, size_t length, const char *encoded)
{
    gnutls_datum_t raw;
    gnutls_datum_t signature = {0};
    gnutls_datum_t data = {(unsigned char *)text, (unsigned)length};
    bool is_good = false;
    if (decode(encoded, strlen(encoded), &raw) && raw.size == SIGNATURE_SIZE) {
        gnutls_datum_t r = {raw.data, HALF_SIZE};
        gnutls_datum_t s = {raw.data + HALF_SIZE, HALF_SIZE};
        is_good = gnutls_encode_rs_value(&signature, &r, &s) >= 0
                  && gnutls_pubkey_verify_data2(
                         self->public, GNUTLS_SIGN_ECDSA_SHA256, 0, &data, &signature)
                         >= 0;
    }
    gnutls_free(raw.data);
    gnutls_free(signature.data);
    return is_good;
}

/* ---- tokens -----------------------------------------------------------------------------------
 */

char *jwt_sign(const jwt_key_t *self, const json_t *claims)
{
    AUTO_FREE char *json = mem_check(json_dumps(claims, JSON_COMPACT));
    AUTO_FREE char *encoded = encode(json, strlen(json));
    AUTO_FREE char *text = xasprintf("%s.%s", self->header, encoded);
    AUTO_FREE char *signature = sign_text(self, text);
    return xasprintf("%s.%s", text, signature);
}

/* Only tokens with just our header are ours: no other algorithm can be asked for. */
json_t *jwt_verify(const jwt_key_t *self, const char *token)
{
    size_t header = strcspn(token, ".");
    const char *claims = token + header + 1;
    if (header != strlen(self->header) || strncmp(token, self->header, header) != 0
        || !token[header])
        return NULL;
    size_t length = strcspn(claims, ".");
    if (!claims[length] || !is_signed(self, token, header + 1 + length, claims + length + 1))
        return NULL;
    return decode_json(claims, length);
}
