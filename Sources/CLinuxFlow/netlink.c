// SPDX-License-Identifier: Apache-2.0

// Writing netlink messages and reading the kernel's answers.

#ifdef __linux__

#include "netlink.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/netlink.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

static void put(struct weir_nl *nl, const void *bytes, size_t size) {
    size_t padded = NLMSG_ALIGN(size);
    if (nl->overflow || padded > sizeof nl->bytes - nl->length) {
        nl->overflow = true;
        return;
    }
    if (size > 0) memcpy(nl->bytes + nl->length, bytes, size);
    memset(nl->bytes + nl->length + size, 0, padded - size);
    nl->length += padded;
}

void weir_nl_begin(struct weir_nl *nl, uint16_t type, uint16_t flags, const void *body, size_t size) {
    struct nlmsghdr header = {.nlmsg_type = type, .nlmsg_flags = NLM_F_REQUEST | flags};
    if (flags & NLM_F_ACK) nl->acknowledged++;
    nl->message = nl->length;
    put(nl, &header, sizeof header);
    put(nl, body, size);
}

void weir_nl_end(struct weir_nl *nl) {
    if (nl->overflow) return;
    ((struct nlmsghdr *)(nl->bytes + nl->message))->nlmsg_len = (uint32_t)(nl->length - nl->message);
}

void weir_nl_attribute(struct weir_nl *nl, uint16_t type, const void *value, size_t size) {
    struct nlattr header = {.nla_type = type, .nla_len = (uint16_t)(NLA_HDRLEN + size)};
    put(nl, &header, sizeof header);
    put(nl, value, size);
}

void weir_nl_text(struct weir_nl *nl, uint16_t type, const char *text) {
    weir_nl_attribute(nl, type, text, strlen(text) + 1);
}

void weir_nl_be32(struct weir_nl *nl, uint16_t type, uint32_t value) {
    value = htonl(value);
    weir_nl_attribute(nl, type, &value, sizeof value);
}

size_t weir_nl_open(struct weir_nl *nl, uint16_t type) {
    size_t nest = nl->length;
    weir_nl_attribute(nl, type | NLA_F_NESTED, NULL, 0);
    return nest;
}

void weir_nl_close(struct weir_nl *nl, size_t nest) {
    if (nl->overflow) return;
    ((struct nlattr *)(nl->bytes + nest))->nla_len = (uint16_t)(nl->length - nest);
}

int weir_nl_send(const struct weir_nl *nl, int protocol) {
    if (nl->overflow) return EMSGSIZE;
    int descriptor = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, protocol);
    if (descriptor < 0) return errno;
    // The kernel answers while it takes the request; the time is for a kernel that does not answer at all.
    struct timeval patience = {.tv_sec = 5};
    struct sockaddr_nl kernel = {.nl_family = AF_NETLINK};
    int error = 0;
    if (setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience) < 0 ||
        sendto(descriptor, nl->bytes, nl->length, 0, (struct sockaddr *)&kernel, sizeof kernel) < 0)
        error = errno;
    uint32_t missing = nl->acknowledged;
    while (error == 0 && missing > 0) {
        _Alignas(8) uint8_t answer[8192];
        ssize_t count = recv(descriptor, answer, sizeof answer, 0);
        if (count < 0 && errno == EINTR) continue;
        if (count <= 0) {
            error = count < 0 && errno != EAGAIN ? errno : ETIMEDOUT;
            break;
        }
        size_t offset = 0, end = (size_t)count;
        while (end - offset >= sizeof(struct nlmsghdr)) {
            const struct nlmsghdr *message = (const struct nlmsghdr *)(answer + offset);
            size_t size = message->nlmsg_len;
            if (size < sizeof *message || size > end - offset) break;
            if (message->nlmsg_type == NLMSG_ERROR && size >= NLMSG_LENGTH(sizeof(struct nlmsgerr))) {
                const struct nlmsgerr *verdict = NLMSG_DATA(message);
                if (verdict->error != 0 && error == 0) error = -verdict->error;
                if (missing > 0) missing--;
            }
            size_t padded = NLMSG_ALIGN(size);
            offset += padded < end - offset ? padded : end - offset;
        }
    }
    close(descriptor);
    return error;
}

#endif
