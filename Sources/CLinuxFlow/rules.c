// SPDX-License-Identifier: Apache-2.0

// The nftables rules of an exec namespace, sent to the kernel without the `nft` program.
//
//   table inet weir {
//     chain redirect { type nat hook output priority -100;
//       udp dport 53 redirect to :1          # also to 127.0.0.53: the host's resolver, which is not in here
//       tcp dport 53 redirect to :1
//       OWN accept                           # 127.0.0.0/8, ::1 and the two addresses of lo
//       meta l4proto tcp redirect to :1 }
//     chain refuse { type filter hook input priority 0;
//       meta l4proto tcp accept
//       OWN accept
//       reject with icmpx port-unreachable } }
//
// Refused on input, not on output: the sender's call succeeds and its socket then gets the ECONNREFUSED that an empty
// port gives, at once; on output the call itself would fail with EPERM, which some programs take for fatal. Answers of
// our DNS relay go to OWN addresses, so they pass without a look at connection tracking.

#ifdef __linux__

#include "internal.h"
#include "netlink.h"

#include <arpa/inet.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>
#include <netinet/in.h>
#include <string.h>

static const char *const TABLE = "weir", *const REDIRECT = "redirect", *const REFUSE = "refuse";

static void begin(struct weir_nl *nl, uint16_t type, uint16_t flags) {
    struct nfgenmsg body = {.nfgen_family = NFPROTO_INET, .version = NFNETLINK_V0};
    flags |= NLM_F_ACK | NLM_F_CREATE;
    weir_nl_begin(nl, (uint16_t)(NFNL_SUBSYS_NFTABLES << 8 | type), flags, &body, sizeof body);
}

static void batch(struct weir_nl *nl, uint16_t type) {
    struct nfgenmsg body = {.nfgen_family = AF_UNSPEC, .version = NFNETLINK_V0, .res_id = htons(NFNL_SUBSYS_NFTABLES)};
    weir_nl_begin(nl, type, 0, &body, sizeof body);
    weir_nl_end(nl);
}

static void add_chain(struct weir_nl *nl, const char *name, const char *type, uint32_t hook, int32_t priority) {
    begin(nl, NFT_MSG_NEWCHAIN, 0);
    weir_nl_text(nl, NFTA_CHAIN_TABLE, TABLE);
    weir_nl_text(nl, NFTA_CHAIN_NAME, name);
    size_t nest = weir_nl_open(nl, NFTA_CHAIN_HOOK);
    weir_nl_be32(nl, NFTA_HOOK_HOOKNUM, hook);
    weir_nl_be32(nl, NFTA_HOOK_PRIORITY, (uint32_t)priority);
    weir_nl_close(nl, nest);
    weir_nl_text(nl, NFTA_CHAIN_TYPE, type);
    weir_nl_end(nl);
}

/// A rule or an expression being written: where its nests start.
struct rule { size_t expressions; };
struct expression { size_t element, data; };

static struct rule rule_begin(struct weir_nl *nl, const char *chain) {
    begin(nl, NFT_MSG_NEWRULE, NLM_F_APPEND);
    weir_nl_text(nl, NFTA_RULE_TABLE, TABLE);
    weir_nl_text(nl, NFTA_RULE_CHAIN, chain);
    return (struct rule){weir_nl_open(nl, NFTA_RULE_EXPRESSIONS)};
}

static void rule_end(struct weir_nl *nl, struct rule rule) {
    weir_nl_close(nl, rule.expressions);
    weir_nl_end(nl);
}

static struct expression expression_begin(struct weir_nl *nl, const char *name) {
    struct expression expression = {.element = weir_nl_open(nl, NFTA_LIST_ELEM)};
    weir_nl_text(nl, NFTA_EXPR_NAME, name);
    expression.data = weir_nl_open(nl, NFTA_EXPR_DATA);
    return expression;
}

static void expression_end(struct weir_nl *nl, struct expression expression) {
    weir_nl_close(nl, expression.data);
    weir_nl_close(nl, expression.element);
}

/// Goes on with the rule only when register 1 starts with `value`.
static void require(struct weir_nl *nl, const void *value, size_t size) {
    struct expression expression = expression_begin(nl, "cmp");
    weir_nl_be32(nl, NFTA_CMP_SREG, NFT_REG_1);
    weir_nl_be32(nl, NFTA_CMP_OP, NFT_CMP_EQ);
    size_t nest = weir_nl_open(nl, NFTA_CMP_DATA);
    weir_nl_attribute(nl, NFTA_DATA_VALUE, value, size);
    weir_nl_close(nl, nest);
    expression_end(nl, expression);
}

static void require_meta(struct weir_nl *nl, uint32_t key, uint8_t value) {
    struct expression expression = expression_begin(nl, "meta");
    weir_nl_be32(nl, NFTA_META_KEY, key);
    weir_nl_be32(nl, NFTA_META_DREG, NFT_REG_1);
    expression_end(nl, expression);
    require(nl, &value, sizeof value);
}

static void require_payload(struct weir_nl *nl, uint32_t base, uint32_t offset, const void *value, size_t size) {
    struct expression expression = expression_begin(nl, "payload");
    weir_nl_be32(nl, NFTA_PAYLOAD_DREG, NFT_REG_1);
    weir_nl_be32(nl, NFTA_PAYLOAD_BASE, base);
    weir_nl_be32(nl, NFTA_PAYLOAD_OFFSET, offset);
    weir_nl_be32(nl, NFTA_PAYLOAD_LEN, (uint32_t)size);
    expression_end(nl, expression);
    require(nl, value, size);
}

static void accept_packet(struct weir_nl *nl) {
    struct expression expression = expression_begin(nl, "immediate");
    weir_nl_be32(nl, NFTA_IMMEDIATE_DREG, NFT_REG_VERDICT);
    size_t data = weir_nl_open(nl, NFTA_IMMEDIATE_DATA);
    size_t verdict = weir_nl_open(nl, NFTA_DATA_VERDICT);
    weir_nl_be32(nl, NFTA_VERDICT_CODE, NF_ACCEPT);
    weir_nl_close(nl, verdict);
    weir_nl_close(nl, data);
    expression_end(nl, expression);
}

static void redirect_packet(struct weir_nl *nl) {
    const uint16_t port = htons(WEIR_EXEC_PORT);
    struct expression expression = expression_begin(nl, "immediate");
    weir_nl_be32(nl, NFTA_IMMEDIATE_DREG, NFT_REG_1);
    size_t data = weir_nl_open(nl, NFTA_IMMEDIATE_DATA);
    weir_nl_attribute(nl, NFTA_DATA_VALUE, &port, sizeof port);
    weir_nl_close(nl, data);
    expression_end(nl, expression);
    expression = expression_begin(nl, "redir");
    weir_nl_be32(nl, NFTA_REDIR_REG_PROTO_MIN, NFT_REG_1);
    expression_end(nl, expression);
}

/// Redirects packets of a transport protocol, to one port or (0) to any.
static void add_redirect(struct weir_nl *nl, uint8_t protocol, uint16_t port) {
    struct rule rule = rule_begin(nl, REDIRECT);
    require_meta(nl, NFT_META_L4PROTO, protocol);
    port = htons(port);
    if (port != 0) require_payload(nl, NFT_PAYLOAD_TRANSPORT_HEADER, 2, &port, sizeof port);
    redirect_packet(nl);
    rule_end(nl, rule);
}

/// Accepts packets whose destination, at `offset` in the IP header, starts with `prefix`.
static void add_accept_to(struct weir_nl *nl, const char *chain, uint8_t family, uint32_t offset, const void *prefix,
                          size_t size) {
    struct rule rule = rule_begin(nl, chain);
    require_meta(nl, NFT_META_NFPROTO, family);
    require_payload(nl, NFT_PAYLOAD_NETWORK_HEADER, offset, prefix, size);
    accept_packet(nl);
    rule_end(nl, rule);
}

static void add_accept_own(struct weir_nl *nl, const char *chain) {
    enum { DESTINATION4 = 16, DESTINATION6 = 24 };
    const uint8_t loopback4[1] = {127};
    const uint32_t address4 = htonl(WEIR_EXEC_ADDRESS4);
    const uint8_t address6[16] = WEIR_EXEC_ADDRESS6;
    add_accept_to(nl, chain, NFPROTO_IPV4, DESTINATION4, loopback4, sizeof loopback4);
    add_accept_to(nl, chain, NFPROTO_IPV4, DESTINATION4, &address4, sizeof address4);
    add_accept_to(nl, chain, NFPROTO_IPV6, DESTINATION6, &in6addr_loopback, sizeof in6addr_loopback);
    add_accept_to(nl, chain, NFPROTO_IPV6, DESTINATION6, address6, sizeof address6);
}

static void add_accept_tcp(struct weir_nl *nl) {
    struct rule rule = rule_begin(nl, REFUSE);
    require_meta(nl, NFT_META_L4PROTO, IPPROTO_TCP);
    accept_packet(nl);
    rule_end(nl, rule);
}

static void add_reject(struct weir_nl *nl) {
    const uint8_t code = NFT_REJECT_ICMPX_PORT_UNREACH;
    struct rule rule = rule_begin(nl, REFUSE);
    struct expression expression = expression_begin(nl, "reject");
    weir_nl_be32(nl, NFTA_REJECT_TYPE, NFT_REJECT_ICMPX_UNREACH);
    weir_nl_attribute(nl, NFTA_REJECT_ICMP_CODE, &code, sizeof code);
    expression_end(nl, expression);
    rule_end(nl, rule);
}

int weir_rules_load(void) {
    struct weir_nl nl = {0};
    batch(&nl, NFNL_MSG_BATCH_BEGIN);
    begin(&nl, NFT_MSG_NEWTABLE, 0);
    weir_nl_text(&nl, NFTA_TABLE_NAME, TABLE);
    weir_nl_end(&nl);
    add_chain(&nl, REDIRECT, "nat", NF_INET_LOCAL_OUT, -100);
    add_redirect(&nl, IPPROTO_UDP, 53);
    add_redirect(&nl, IPPROTO_TCP, 53);
    add_accept_own(&nl, REDIRECT);
    add_redirect(&nl, IPPROTO_TCP, 0);
    add_chain(&nl, REFUSE, "filter", NF_INET_LOCAL_IN, 0);
    add_accept_tcp(&nl);
    add_accept_own(&nl, REFUSE);
    add_reject(&nl);
    batch(&nl, NFNL_MSG_BATCH_END);
    return weir_nl_send(&nl, NETLINK_NETFILTER);
}

#endif
