/* cidr - ranges of addresses as texts have them: 10.9.8.0/24 or 2001:db8::/64. */
#ifndef CLUSTER_ENV_KINDS_CIDR_H
#define CLUSTER_ENV_KINDS_CIDR_H

#include <stdbool.h>

typedef struct cidr {
    int family; /* AF_INET or AF_INET6 */
    unsigned char bytes[16];
    int prefix;
} cidr_t;

bool cidr_parse(const char *text, cidr_t *cidr);

/* Whether inner is a part of outer, and not all of it. */
bool cidr_contains(const cidr_t *outer, const cidr_t *inner);

#endif
