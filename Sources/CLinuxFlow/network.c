// SPDX-License-Identifier: Apache-2.0

// The network of an exec namespace: a loopback device on which the whole world is local.

#ifdef __linux__

#include "internal.h"
#include "netlink.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_addr.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <net/if.h>

// In a new network namespace lo is always the first device.
enum { LOOPBACK = 1 };

static int link_up(void) {
    struct weir_nl nl = {0};
    struct ifinfomsg link = {.ifi_family = AF_UNSPEC, .ifi_index = LOOPBACK, .ifi_flags = IFF_UP, .ifi_change = IFF_UP};
    weir_nl_begin(&nl, RTM_NEWLINK, NLM_F_ACK, &link, sizeof link);
    weir_nl_end(&nl);
    return weir_nl_send(&nl, NETLINK_ROUTE);
}

static int add_address(uint8_t family, const void *address, size_t size) {
    struct weir_nl nl = {0};
    struct ifaddrmsg body = {.ifa_family = family, .ifa_prefixlen = (uint8_t)(size * 8), .ifa_index = LOOPBACK};
    // IPv6 makes its addresses reachable some time later, in a work queue. Its prefix route, which comes at once, would
    // until then lose the first answers to the command; without it the default route below delivers them.
    uint32_t flags = IFA_F_NODAD | IFA_F_NOPREFIXROUTE;
    weir_nl_begin(&nl, RTM_NEWADDR, NLM_F_ACK | NLM_F_CREATE, &body, sizeof body);
    weir_nl_attribute(&nl, IFA_LOCAL, address, size);
    weir_nl_attribute(&nl, IFA_ADDRESS, address, size);
    if (family == AF_INET6) weir_nl_attribute(&nl, IFA_FLAGS, &flags, sizeof flags);
    weir_nl_end(&nl);
    return weir_nl_send(&nl, NETLINK_ROUTE);
}

// Every address of the world is local here: a plain route to lo would carry packets as well, but then the kernel could
// not send the ICMP errors that refuse UDP, for lack of a source address. The preferred source is what commands see as
// their own address; without it they would seem to talk to themselves.
static int add_default_route(uint8_t family, const void *source, size_t size) {
    struct weir_nl nl = {0};
    struct rtmsg body = {.rtm_family = family,
                         .rtm_table = RT_TABLE_MAIN,
                         .rtm_protocol = RTPROT_BOOT,
                         .rtm_scope = family == AF_INET ? RT_SCOPE_HOST : RT_SCOPE_UNIVERSE,
                         .rtm_type = RTN_LOCAL};
    uint32_t device = LOOPBACK;
    weir_nl_begin(&nl, RTM_NEWROUTE, NLM_F_ACK | NLM_F_CREATE, &body, sizeof body);
    weir_nl_attribute(&nl, RTA_OIF, &device, sizeof device);
    weir_nl_attribute(&nl, RTA_PREFSRC, source, size);
    weir_nl_end(&nl);
    return weir_nl_send(&nl, NETLINK_ROUTE);
}

uint32_t weir_network_up(bool *has6) {
    const uint32_t address4 = htonl(WEIR_EXEC_ADDRESS4);
    const uint8_t address6[16] = WEIR_EXEC_ADDRESS6;
    uint32_t step = 0;
    if ((errno = link_up()) != 0) {
        step = WEIR_EXEC_STEP_LOOPBACK;
    } else if ((errno = add_address(AF_INET, &address4, sizeof address4)) != 0) {
        step = WEIR_EXEC_STEP_ADDRESSES;
    } else if ((errno = add_default_route(AF_INET, &address4, sizeof address4)) != 0) {
        step = WEIR_EXEC_STEP_ROUTES;
    }
    if (step != 0) return step;
    // Many machines have IPv6 switched off. Without a route it fails at once inside, and programs take IPv4.
    *has6 = add_address(AF_INET6, address6, sizeof address6) == 0 &&
            add_default_route(AF_INET6, address6, sizeof address6) == 0;
    return 0;
}

#endif
