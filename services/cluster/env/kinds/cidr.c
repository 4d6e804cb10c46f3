#include "services/cluster/env/kinds/cidr.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

/* The bits below the prefix are nobody's business. */
static void mask(cidr_t *self)
{
    for (int bit = self->prefix; bit < 128; bit++)
        self->bytes[bit / 8] &= (unsigned char)~(0x80 >> bit % 8);
}

bool cidr_parse(const char *text, cidr_t *cidr)
{
    char address[INET6_ADDRSTRLEN];
    const char *slash = strchr(text, '/');
    if (!slash || slash - text >= (long)sizeof(address))
        return false;
    memcpy(address, text, (size_t)(slash - text));
    address[slash - text] = '\0';
    char *end = NULL;
    long prefix = strtol(slash + 1, &end, 10);
    cidr_t parsed = {.family = strchr(address, ':') ? AF_INET6 : AF_INET, .prefix = (int)prefix};
    bool is_number = strspn(slash + 1, "0123456789") == strlen(slash + 1) && slash[1];
    if (!is_number || prefix > (parsed.family == AF_INET ? 32 : 128)
        || inet_pton(parsed.family, address, parsed.bytes) != 1)
        return false;
    mask(&parsed);
    *cidr = parsed;
    return true;
}

bool cidr_contains(const cidr_t *outer, const cidr_t *inner)
{
    cidr_t shortened = *inner;
    shortened.prefix = outer->prefix;
    mask(&shortened);
    return outer->family == inner->family && inner->prefix > outer->prefix
           && memcmp(shortened.bytes, outer->bytes, sizeof(outer->bytes)) == 0;
}
