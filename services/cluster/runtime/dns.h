/* dns - the cluster's name server: UDP, the names that its owner knows, nothing beyond.
 *
 * Source: RFC 1035; names as in the Kubernetes DNS specification 1.1.0. */
#ifndef CLUSTER_RUNTIME_DNS_H
#define CLUSTER_RUNTIME_DNS_H

#include "base/err.h"
#include "base/ev.h"

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { DNS_NAME_LIMIT = 254, DNS_ANSWER_LIMIT = 16, DNS_MESSAGE_LIMIT = 512 };

typedef enum { DNS_A = 1, DNS_SRV = 33 } dns_type_t;

/* One answer: an address, or for SRV where a port of a service is served. */
typedef struct dns_record {
    struct in_addr address;
    uint16_t port;
    char target[DNS_NAME_LIMIT + 1];
} dns_record_t;

typedef struct dns_answer {
    bool is_known; /* the name exists, whether or not it has records of the type */
    dns_record_t records[DNS_ANSWER_LIMIT];
    size_t count;
} dns_answer_t;

/* name is lower-case, without the final dot; type is what was asked, dns_type_t or another. */
typedef void(dns_lookup_fn)(void *arg, const char *name, uint16_t type, dns_answer_t *answer);

/* Writes the answer to a query into reply, which holds DNS_MESSAGE_LIMIT bytes, and returns its
 * size; 0 for what deserves no answer. */
size_t dns_reply(
    const uint8_t *query, size_t size, dns_lookup_fn *lookup, void *arg, uint8_t *reply);

typedef struct dns dns_t;

/* Serves on address:53 of the present network namespace. */
dns_t *dns_new(ev_t *ev, struct in_addr address, dns_lookup_fn *lookup, void *arg, err_t *err);
void dns_destroy(dns_t **self_p);

#endif
