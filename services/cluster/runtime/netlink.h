/* netlink - builds a batch of netlink messages and sends it in one system call.
 *
 *     netlink_begin(&batch, RTM_NEWLINK, NLM_F_CREATE, &info, sizeof(info));
 *     netlink_put_u32(&batch, IFLA_MTU, 1500);
 *     rc = netlink_send(&batch, NETLINK_ROUTE, err);
 *
 * Source of the layouts: netlink(7), rtnetlink(7). */
#ifndef CLUSTER_RUNTIME_NETLINK_H
#define CLUSTER_RUNTIME_NETLINK_H

#include "base/err.h"

#include <linux/netlink.h>
#include <stddef.h>
#include <stdint.h>

typedef struct netlink {
    char *bytes;
    size_t size;
    size_t capacity;
    size_t at;     /* where the message being built begins */
    uint32_t last; /* sequence number of the last message */
} netlink_t;

void netlink_done(netlink_t *self);

/* Begins a message with its fixed header; attributes follow until the next begin or the send. */
void netlink_begin(netlink_t *self, int type, int flags, const void *header, size_t size);

void netlink_put(netlink_t *self, int type, const void *value, size_t size);
void netlink_put_u32(netlink_t *self, int type, uint32_t value);
void netlink_put_str(netlink_t *self, int type, const char *text);

/* Appends bytes that are no attribute, such as the header inside a nested one. */
void netlink_put_raw(netlink_t *self, const void *bytes, size_t size);

/* Opens an attribute that holds others; the result is for netlink_unnest(). */
size_t netlink_nest(netlink_t *self, int type);
void netlink_unnest(netlink_t *self, size_t nest);

/* Sends all messages over a socket of the present network namespace and waits for the kernel's
 * word on each; then the batch is empty. Fails with the first error that is not `tolerated` (a
 * positive errno, 0: none). */
int netlink_send(netlink_t *self, int protocol, int tolerated, err_t *err);

#endif
