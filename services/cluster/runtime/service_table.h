/* service_table - addresses of Services, as nftables rules of the router.
 *
 * Static rules and maps: a connection to a Service's address takes one of 16 slots at random and is
 * sent to the endpoint in it. With affinity the choice is remembered for the sender. An address
 * without endpoints refuses connections. */
#ifndef CLUSTER_RUNTIME_SERVICE_TABLE_H
#define CLUSTER_RUNTIME_SERVICE_TABLE_H

#include "base/err.h"

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct service_table service_table_t;

typedef struct service_endpoint {
    struct in_addr address;
    uint16_t port;
} service_endpoint_t;

/* An address and port that lead to endpoints, and how. */
typedef struct service_front {
    struct in_addr address;
    const char *protocol; /* "tcp" or "udp" */
    uint16_t port;
    bool is_near;       /* senders are led to endpoints on their own node only, at random */
    bool is_masked;     /* endpoints see this address as the sender: those of nodes only */
    bool is_silent;     /* without endpoints: drops rather than refuses */
    int64_t affinity_s; /* 0: none */
} service_front_t;

/* The node that a pod's address belongs to: 10.244.<node>.0/24. */
int service_node_of(struct in_addr address);

/* Makes the rules in the present network namespace. The nodes' own addresses are
 * 172.18.0.2 and those that follow. */
service_table_t *service_table_new(int node_count, err_t *err);
void service_table_destroy(service_table_t **self_p);

/* From now on connections to the front go to these endpoints, of different addresses. In force when
 * it returns. */
int service_table_set(service_table_t *self, const service_front_t *front,
    const service_endpoint_t *endpoints, size_t count, err_t *err);

#endif
