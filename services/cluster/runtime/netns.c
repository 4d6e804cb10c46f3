#include "services/cluster/runtime/netns.h"

#include "base/auto.h"
#include "services/cluster/runtime/netlink.h"

#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/if_link.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <linux/veth.h>
#include <net/if.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum {
    LOOPBACK_INDEX = 1,
    POD_INDEX = 2,           /* of eth0 in the pod */
    ROUTER_INDEX_BASE = 100, /* of the pods' links in the router */
};

static const char *const router_addresses[] = {"169.254.1.1", "10.96.0.1", "10.96.0.10"};
static const unsigned char router_mac[6] = {0xee, 0xee, 0xee, 0xee, 0xee, 0xee};

static uint32_t gateway(void)
{
    return inet_addr(router_addresses[0]);
}

static int set_sysctl(const char *path, const char *value, err_t *err)
{
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    if (fd < 0 && errno == ENOENT)
        return 0; /* such as ipv6, which a kernel may lack */
    ssize_t size = (ssize_t)strlen(value);
    int rc = fd < 0 || write(fd, value, (size_t)size) != size
                 ? err_set(err, ERR_IO, "cannot write '%s': %s", path, strerror(errno))
                 : 0;
    if (fd >= 0)
        close(fd);
    return rc;
}

/* ---- messages ------------------------------------------------------------------------------- */

static void begin_link(netlink_t *batch, int index, int flags)
{
    struct ifinfomsg info = {.ifi_index = index, .ifi_flags = IFF_UP, .ifi_change = IFF_UP};
    netlink_begin(batch, RTM_NEWLINK, flags, &info, sizeof(info));
}

static void add_address(netlink_t *batch, int index, uint32_t address)
{
    struct ifaddrmsg info = {
        .ifa_family = AF_INET, .ifa_prefixlen = 32, .ifa_index = (unsigned)index};
    netlink_begin(batch, RTM_NEWADDR, NLM_F_CREATE | NLM_F_REPLACE, &info, sizeof(info));
    netlink_put_u32(batch, IFA_LOCAL, address);
    netlink_put_u32(batch, IFA_ADDRESS, address);
}

static void add_neighbour(netlink_t *batch, int index, uint32_t address, const unsigned char mac[6])
{
    struct ndmsg info = {.ndm_family = AF_INET, .ndm_ifindex = index, .ndm_state = NUD_PERMANENT};
    netlink_begin(batch, RTM_NEWNEIGH, NLM_F_CREATE | NLM_F_REPLACE, &info, sizeof(info));
    netlink_put_u32(batch, NDA_DST, address);
    netlink_put(batch, NDA_LLADDR, mac, 6);
}

static void add_route(netlink_t *batch, int index, uint32_t target, unsigned prefix, uint32_t via)
{
    struct rtmsg info = {
        .rtm_family = AF_INET,
        .rtm_dst_len = (unsigned char)prefix,
        .rtm_table = RT_TABLE_MAIN,
        .rtm_protocol = RTPROT_STATIC,
        .rtm_scope = via ? RT_SCOPE_UNIVERSE : RT_SCOPE_LINK,
        .rtm_type = RTN_UNICAST,
        .rtm_flags = via ? RTNH_F_ONLINK : 0,
    };
    netlink_begin(batch, RTM_NEWROUTE, NLM_F_CREATE | NLM_F_REPLACE, &info, sizeof(info));
    if (prefix)
        netlink_put_u32(batch, RTA_DST, target);
    if (via)
        netlink_put_u32(batch, RTA_GATEWAY, via);
    netlink_put_u32(batch, RTA_OIF, (uint32_t)index);
}

static void pod_mac(uint32_t address, unsigned char mac[6])
{
    mac[0] = 0x02; /* locally administered */
    mac[1] = 0x00;
    memcpy(mac + 2, &address, sizeof(address));
}

/* One queue each way: the default is one per processor, and pods are many. */
static void put_queues(netlink_t *batch)
{
    netlink_put_u32(batch, IFLA_NUM_TX_QUEUES, 1);
    netlink_put_u32(batch, IFLA_NUM_RX_QUEUES, 1);
}

/* eth0 here, its other end in the router. The other end cannot be brought up in this message. */
static void add_veth(netlink_t *batch, unsigned index, uint32_t address, int router_fd)
{
    unsigned char mac[6];
    char name[16];
    pod_mac(address, mac);
    netns_link_name(index, name);
    begin_link(batch, POD_INDEX, NLM_F_CREATE | NLM_F_EXCL);
    netlink_put_str(batch, IFLA_IFNAME, "eth0");
    netlink_put(batch, IFLA_ADDRESS, mac, sizeof(mac));
    put_queues(batch);
    size_t info = netlink_nest(batch, IFLA_LINKINFO);
    netlink_put(batch, IFLA_INFO_KIND, "veth", 4);
    size_t data = netlink_nest(batch, IFLA_INFO_DATA);
    size_t peer = netlink_nest(batch, VETH_INFO_PEER);
    struct ifinfomsg peer_info = {.ifi_index = (int)(ROUTER_INDEX_BASE + index)};
    netlink_put_raw(batch, &peer_info, sizeof(peer_info));
    netlink_put_str(batch, IFLA_IFNAME, name);
    netlink_put(batch, IFLA_ADDRESS, router_mac, sizeof(router_mac));
    put_queues(batch);
    netlink_put_u32(batch, IFLA_NET_NS_FD, (uint32_t)router_fd);
    netlink_unnest(batch, peer);
    netlink_unnest(batch, data);
    netlink_unnest(batch, info);
}

/* ---- making --------------------------------------------------------------------------------- */

void netns_link_name(unsigned index, char name[16])
{
    snprintf(name, 16, "v%u", index);
}

int netns_prepare_router(err_t *err)
{
    AUTO(netlink_done) netlink_t batch = {0};
    begin_link(&batch, LOOPBACK_INDEX, 0);
    for (size_t i = 0; i < ARRAY_SIZE(router_addresses); i++)
        add_address(&batch, LOOPBACK_INDEX, inet_addr(router_addresses[i]));
    /* So that connections to Services without endpoints get as far as the rule that refuses them.
     */
    add_route(&batch, LOOPBACK_INDEX, inet_addr("10.96.0.0"), 12, 0);
    int rc = netlink_send(&batch, NETLINK_ROUTE, 0, err);
    if (rc < 0)
        return err_wrap(err, "router");
    rc = set_sysctl("/proc/sys/net/ipv6/conf/default/disable_ipv6", "1", err);
    if (rc == 0)
        rc = set_sysctl("/proc/sys/net/ipv4/ip_forward", "1", err);
    if (rc == 0)
        rc = set_sysctl("/proc/sys/net/ipv4/ip_unprivileged_port_start", "0", err);
    return rc;
}

int netns_add_router_address(struct in_addr address, err_t *err)
{
    AUTO(netlink_done) netlink_t batch = {0};
    add_address(&batch, LOOPBACK_INDEX, address.s_addr);
    return netlink_send(&batch, NETLINK_ROUTE, 0, err);
}

/* In the new namespace: everything a pod has. */
static int wire_pod(unsigned index, uint32_t address, int router_fd, err_t *err)
{
    int rc = set_sysctl("/proc/sys/net/ipv6/conf/default/disable_ipv6", "1", err);
    if (rc == 0)
        rc = set_sysctl("/proc/sys/net/ipv4/ip_unprivileged_port_start", "0", err);
    if (rc < 0)
        return rc;
    AUTO(netlink_done) netlink_t batch = {0};
    begin_link(&batch, LOOPBACK_INDEX, 0);
    add_veth(&batch, index, address, router_fd);
    add_address(&batch, POD_INDEX, address);
    add_neighbour(&batch, POD_INDEX, gateway(), router_mac);
    add_route(&batch, POD_INDEX, 0, 0, gateway());
    return netlink_send(&batch, NETLINK_ROUTE, 0, err);
}

/* In the router: the way to the pod. */
static int wire_router(unsigned index, uint32_t address, err_t *err)
{
    int link = (int)(ROUTER_INDEX_BASE + index);
    unsigned char mac[6];
    pod_mac(address, mac);
    AUTO(netlink_done) netlink_t batch = {0};
    begin_link(&batch, link, 0);
    add_route(&batch, link, address, 32, 0);
    add_neighbour(&batch, link, address, mac);
    return netlink_send(&batch, NETLINK_ROUTE, 0, err);
}

int netns_create(unsigned index, struct in_addr address, int *fd_p, err_t *err)
{
    int router_fd = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
    if (router_fd < 0 || unshare(CLONE_NEWNET) < 0) {
        int rc = err_set(err, ERR_IO, "cannot make a network namespace: %s", strerror(errno));
        if (router_fd >= 0)
            close(router_fd);
        return rc;
    }
    int fd = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
    int rc = fd < 0 ? err_set(err, ERR_IO, "network namespace: %s", strerror(errno))
                    : wire_pod(index, address.s_addr, router_fd, err);
    int back = setns(router_fd, CLONE_NEWNET);
    assert(back == 0); /* it is the namespace that this thread has just left */
    (void)back;
    close(router_fd);
    if (rc == 0)
        rc = wire_router(index, address.s_addr, err);
    if (rc < 0) {
        if (fd >= 0)
            close(fd);
        return rc;
    }
    *fd_p = fd;
    return 0;
}

void netns_release(unsigned index)
{
    struct ifinfomsg info = {.ifi_index = (int)(ROUTER_INDEX_BASE + index)};
    AUTO(netlink_done) netlink_t batch = {0};
    netlink_begin(&batch, RTM_DELLINK, 0, &info, sizeof(info));
    (void)netlink_send(&batch, NETLINK_ROUTE, 0, NULL); /* gone with its namespace already */
}

/* The router's end counts the other way round: what it receives, the pod has sent. */
static bool parse_usage(const char *line, const char *name, network_usage_t *usage)
{
    char link[32];
    network_usage_t u = {0};
    int fields = sscanf(line,
        " %31[^:]: %" SCNu64 " %" SCNu64 " %" SCNu64 " %" SCNu64 " %*u %*u %*u %*u %" SCNu64
        " %" SCNu64 " %" SCNu64 " %" SCNu64,
        link, &u.tx_bytes, &u.tx_packets, &u.tx_errors, &u.tx_dropped, &u.rx_bytes, &u.rx_packets,
        &u.rx_errors, &u.rx_dropped);
    if (fields != 9 || strcmp(link, name) != 0)
        return false;
    *usage = u;
    return true;
}

void netns_read_usage(unsigned index, network_usage_t *usage)
{
    *usage = (network_usage_t){0};
    char name[16];
    char line[512];
    netns_link_name(index, name);
    FILE *file = fopen("/proc/thread-self/net/dev", "re");
    if (!file)
        return;
    while (fgets(line, sizeof(line), file) && !parse_usage(line, name, usage))
        continue;
    fclose(file);
}
