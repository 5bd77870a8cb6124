// SPDX-License-Identifier: Apache-2.0

// What the C files tell each other about the network of an exec namespace and its set-up.

#pragma once

// For pipe2, close-on-exec in recvmsg and the like. So this header comes first.
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif

#include "CLinuxFlow.h"

#include <stdbool.h>
#include <stddef.h>

// The addresses that the command sees as its own: one of the benchmarking net (RFC 2544), which no real network uses,
// and a unique local one (RFC 4193).
#define WEIR_EXEC_ADDRESS4 0xC6120001u /* 198.18.0.1 */
#define WEIR_EXEC_ADDRESS6 {0xfd, 0x77, 0x65, 0x69, 0x72, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1}

// The port of the listeners on 127.0.0.1 and ::1. A low one, because no command that is not root can want it.
#define WEIR_EXEC_PORT 1

// Linux kernel limits an execve to less than this.
#define WEIR_EXEC_MAX_BYTES (8u << 20)

/// What the first process says when the namespace is ready or has failed; descriptors come with it in this order.
struct weir_exec_hello {
    struct weir_exec_failure failure;
    uint32_t fresh_proc;
    uint64_t process_namespace;
    /// Bit n: descriptor n of tcp4, tcp6, dns4, dns6, diagnostics is attached.
    uint32_t attached;
};
enum { WEIR_EXEC_DESCRIPTORS = 5 };

/// What precedes the strings of a command on the control channel.
struct weir_exec_command {
    uint32_t arguments;
    uint32_t variables;
    /// All strings with their NULs.
    uint32_t bytes;
};

/// Brings up lo with addresses and default routes; `has6` says whether IPv6 works. Returns the failed step or 0.
uint32_t weir_network_up(bool *has6);

/// Loads the redirect and reject rules. Returns 0 or an errno value.
int weir_rules_load(void);

/// Maps the user and group to themselves in a new user namespace.
int weir_user_map(uid_t user, gid_t group);

/// Gives up, for good, what would let the command undo its network.
int weir_privileges_drop(bool user_namespace);

/// Runs as the first process: waits for the command, runs it, and ends with it or with Weir.
_Noreturn void weir_init_run(int control);

/// A fork that may also make namespaces and a pidfd; takes no locks, so it works whatever other threads do.
pid_t weir_clone(uint64_t flags, int *pidfd);

/// Whole reads and writes on a stream socket; false when the other side is gone.
bool weir_read_all(int descriptor, void *bytes, size_t count);
bool weir_write_all(int descriptor, const void *bytes, size_t count);
