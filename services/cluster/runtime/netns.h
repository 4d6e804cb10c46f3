/* netns - the network of an environment: routed, not bridged.
 *
 * The environment's own namespace is the router: it holds 169.254.1.1, the addresses of the API, of
 * DNS and of the nodes, and one end of a veth for every pod. A pod has one address of 32 bits, its
 * default route over the router, and permanent neighbours on both sides (the kernel's neighbour
 * table has one limit for all namespaces). No uplink: nothing of the host can be reached.
 * Design and figures: docs/decisions/0500-pods-as-processes.md. */
#ifndef CLUSTER_RUNTIME_NETNS_H
#define CLUSTER_RUNTIME_NETNS_H

#include "base/err.h"

#include <netinet/in.h>
#include <stdint.h>

/* Makes the present network namespace the router: lo up, with its addresses; forwarding on; low
 * ports open to everybody. */
int netns_prepare_router(err_t *err);

/* One address more of the router's, such as a node's; it may have it already. */
int netns_add_router_address(struct in_addr address, err_t *err);

/* Makes a pod's namespace, wired to the present one. index (from 0) tells pods apart for as long
 * as they live. *fd_p holds the namespace: closing it, once no process is in it, removes it. */
int netns_create(unsigned index, struct in_addr address, int *fd_p, err_t *err);

/* Takes the pod's link away at once; the namespace itself goes when its last holder does, a while
 * later, and must not keep the link's name until then. */
void netns_release(unsigned index);

typedef struct network_usage {
    uint64_t rx_bytes, rx_packets, rx_errors, rx_dropped;
    uint64_t tx_bytes, tx_packets, tx_errors, tx_dropped;
} network_usage_t;

/* What went over the pod's link, as the pod sees it; all zero when there is no such link. */
void netns_read_usage(unsigned index, network_usage_t *usage);

/* The router's name for the pod's link, such as "v12"; for counters and traffic control. */
void netns_link_name(unsigned index, char name[16]);

#endif
