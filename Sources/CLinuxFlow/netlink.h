// SPDX-License-Identifier: Apache-2.0

// Writing netlink messages and reading the kernel's answers.

#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/// Messages to be sent in one piece; too many bytes set `overflow`, which `weir_nl_send` reports.
struct weir_nl {
    size_t length;
    /// Where the message being written starts.
    size_t message;
    /// How many of the messages the kernel will acknowledge.
    uint32_t acknowledged;
    bool overflow;
    _Alignas(8) uint8_t bytes[8192];
};

void weir_nl_begin(struct weir_nl *nl, uint16_t type, uint16_t flags, const void *body, size_t size);
void weir_nl_end(struct weir_nl *nl);
void weir_nl_attribute(struct weir_nl *nl, uint16_t type, const void *value, size_t size);
void weir_nl_text(struct weir_nl *nl, uint16_t type, const char *text);
/// A number in network order, as nftables wants them.
void weir_nl_be32(struct weir_nl *nl, uint16_t type, uint32_t value);
/// Opens an attribute that holds attributes; give the result to `weir_nl_close`.
size_t weir_nl_open(struct weir_nl *nl, uint16_t type);
void weir_nl_close(struct weir_nl *nl, size_t nest);

/// Sends the messages and waits until all are acknowledged. Returns 0 or the errno value of the first that failed.
int weir_nl_send(const struct weir_nl *nl, int protocol);
