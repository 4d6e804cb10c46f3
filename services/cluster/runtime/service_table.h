/* service_table - cluster addresses of Services, as nftables rules of the router.
 *
 * Three static rules and one map: a connection to a cluster address takes one of 16 slots at random
 * and is sent to the endpoint in it. A Service without endpoints refuses connections. */
#ifndef CLUSTER_RUNTIME_SERVICE_TABLE_H
#define CLUSTER_RUNTIME_SERVICE_TABLE_H

#include "base/err.h"

#include <netinet/in.h>
#include <stddef.h>
#include <stdint.h>

typedef struct service_table service_table_t;

typedef struct service_endpoint {
    struct in_addr address;
    uint16_t port;
} service_endpoint_t;

/* Makes the rules in the present network namespace. */
service_table_t *service_table_new(err_t *err);
void service_table_destroy(service_table_t **self_p);

/* From now on connections to address:port go to these endpoints; none: they are refused. protocol
 * is "tcp" or "udp". In force when it returns. */
int service_table_set(service_table_t *self, struct in_addr address, const char *protocol,
    uint16_t port, const service_endpoint_t *endpoints, size_t count, err_t *err);

#endif
