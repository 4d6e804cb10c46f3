#include "apps/hotel-reservation/password.h"

#include <gnutls/crypto.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void password_hash(const char *password, char hash_p[PASSWORD_HASH_SIZE])
{
    unsigned char digest[32];
    if (gnutls_hash_fast(GNUTLS_DIG_SHA256, password, strlen(password), digest) < 0)
        abort(); /* out of memory */
    for (size_t i = 0; i < sizeof(digest); i++)
        snprintf(hash_p + 2 * i, 3, "%02x", digest[i]);
}

void password_of(int number, char password_p[PASSWORD_SIZE])
{
    size_t length = 0;
    for (int i = 0; i < 10; i++)
        length += (size_t)snprintf(password_p + length, PASSWORD_SIZE - length, "%d", number);
}
