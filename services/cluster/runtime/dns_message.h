/* dns_message - questions to a name server and its answers, as bytes.
 *
 * Source: RFC 1035, RFC 2308 (what is not there), RFC 2782 (SRV), RFC 6891 (EDNS). */
#ifndef CLUSTER_RUNTIME_DNS_MESSAGE_H
#define CLUSTER_RUNTIME_DNS_MESSAGE_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    DNS_NAME_LIMIT = 254,
    DNS_RECORD_LIMIT = 128,
    DNS_PLAIN_LIMIT = 512,     /* of an answer by UDP to who says nothing else */
    DNS_DATAGRAM_LIMIT = 1232, /* of an answer by UDP at all: never fragmented */
    DNS_MESSAGE_LIMIT = 65535, /* of anything, by TCP */
};

typedef enum {
    DNS_A = 1,
    DNS_NS = 2,
    DNS_CNAME = 5,
    DNS_SOA = 6,
    DNS_PTR = 12,
    DNS_AAAA = 28,
    DNS_SRV = 33,
    DNS_ANY = 255
} dns_type_t;

typedef struct dns_record {
    dns_type_t type;
    bool is_extra;                   /* not asked for, but useful: the address of an SRV's target */
    char owner[DNS_NAME_LIMIT + 1];  /* "": the name that was asked for */
    struct in_addr address;          /* of A */
    uint16_t port;                   /* of SRV */
    uint16_t weight;                 /* of SRV */
    char target[DNS_NAME_LIMIT + 1]; /* of the others */
} dns_record_t;

typedef struct dns_answer {
    bool is_known; /* the name exists, whether or not it has records of the type */
    bool is_zone;  /* it is of the zone that is served here, whose SOA goes with every no */
    dns_record_t records[DNS_RECORD_LIMIT];
    size_t count;
} dns_answer_t;

/* The next free record, with its type; NULL if there is no room. */
dns_record_t *dns_answer_add(dns_answer_t *self, dns_type_t type);

/* name is lower-case, without the final dot; type is what was asked, dns_type_t or another. */
typedef void(dns_lookup_fn)(void *arg, const char *name, uint16_t type, dns_answer_t *answer);

/* Writes the answer to a query into reply, which holds DNS_MESSAGE_LIMIT bytes, and returns its
 * size; 0 for what deserves no answer. By UDP it is as long as the asker can take, and says so when
 * that is not all. */
size_t dns_reply(const uint8_t *query, size_t size, bool is_datagram, dns_lookup_fn *lookup,
    void *arg, uint8_t *reply);

#endif
