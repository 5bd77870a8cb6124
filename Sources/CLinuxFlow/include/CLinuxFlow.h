// SPDX-License-Identifier: Apache-2.0

// What LinuxIntake asks of the kernel, as plain C functions; elsewhere than on Linux each of them answers ENOSYS.
//
// Functions return 0 or an errno value unless they say otherwise. Needs Linux 5.9 (pidfds, close_range).

#pragma once

#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/types.h>

// MARK: A command in a network of its own (weir exec)

/// How far the set-up came; the failing step is what a person needs to know.
enum weir_exec_step {
    WEIR_EXEC_STEP_CHANNEL = 1,
    WEIR_EXEC_STEP_NAMESPACES,
    WEIR_EXEC_STEP_USER_MAP,
    WEIR_EXEC_STEP_LOOPBACK,
    WEIR_EXEC_STEP_ADDRESSES,
    WEIR_EXEC_STEP_ROUTES,
    WEIR_EXEC_STEP_LISTENERS,
    WEIR_EXEC_STEP_RULES,
    WEIR_EXEC_STEP_DIAGNOSTICS,
    WEIR_EXEC_STEP_PRIVILEGES,
    WEIR_EXEC_STEP_HANDOVER,
};

struct weir_exec_failure {
    uint32_t step;
    /// An errno value.
    int32_t error;
    /// Whether the attempt used a user namespace.
    uint32_t user_namespace;
};

/// A namespace that is ready, and its first process; every descriptor is closed on exec, and -1 when there is none.
struct weir_exec_session {
    /// The first process of the namespace as this side numbers it, and a descriptor of it.
    pid_t pid;
    int pidfd;
    /// Closing it ends the namespace.
    int control;
    /// Redirected connections arrive at the first two, DNS queries at the other two.
    int tcp4, tcp6, dns4, dns6;
    /// A NETLINK_SOCK_DIAG socket of that network.
    int diagnostics;
    /// The inode of the process namespace (/proc/PID/ns/pid).
    uint64_t process_namespace;
    uint32_t user_namespace;
    /// Whether /proc shows the processes of the namespace. Where the system forbids a fresh /proc (containers that mask
    /// parts of theirs) the old one stays: /proc/self still works, /proc/NUMBER does not fit getpid().
    uint32_t fresh_proc;
};

/// Makes the namespace: network, processes, mounts and, without privileges, users.
///
/// Call it first thing in main: the command gets the descriptors that are open now (except those closed on exec) and
/// the signals that are ignored now, so exactly what the user's shell meant for it, with no signal blocked; and the
/// first process dies when the calling *thread* ends. Returns 0, or -1 with `failure` filled in; nothing is left behind
/// then.
int weir_exec_prepare(struct weir_exec_session *session, struct weir_exec_failure *failure);

/// Starts the command: NULL-terminated arguments and environment; the program is searched in that environment's PATH.
///
/// Whether it could be run is told by `weir_exec_result`.
int weir_exec_start(const struct weir_exec_session *session, char *const arguments[], char *const environment[]);

enum weir_exec_outcome_kind {
    /// `value` is the exit code.
    WEIR_EXEC_EXITED = 1,
    /// `value` is the signal.
    WEIR_EXEC_SIGNALLED,
    /// The program could not be run; `value` is an errno value.
    WEIR_EXEC_NOT_STARTED,
    /// The first process was killed and could not say.
    WEIR_EXEC_LOST,
};

struct weir_exec_outcome {
    uint32_t kind;
    int32_t value;
};

/// Tells how the command ended. Call it once, when `pidfd` is readable: then every process of the namespace is gone.
///
/// It reaps the first process.
void weir_exec_result(const struct weir_exec_session *session, struct weir_exec_outcome *outcome);

/// Passes the signals that other processes send to this one (TERM, INT, HUP, QUIT, USR1, USR2) on to the command.
///
/// Those that come from the terminal are dropped: the terminal sends them to the command as well. Signals that are
/// ignored stay ignored (nohup). One session a process. Works in whatever thread the signal arrives.
int weir_exec_forward_signals(const struct weir_exec_session *session);

/// Gives the signals their former dispositions back, when it is this session that they are passed on to.
void weir_exec_stop_forwarding(const struct weir_exec_session *session);

/// Sends a signal to the command; SIGKILL ends the whole namespace instead.
int weir_exec_signal(const struct weir_exec_session *session, int signal);

/// The environment of this process, as bytes. Read it before there are threads that change it.
char *const *weir_environment(void);

/// Closes `descriptor` unless it is negative.
void weir_close(int descriptor);

// MARK: Connections and their processes

/// An internet address and a port, without the layouts of the socket interface.
struct weir_address {
    /// 4 or 6.
    uint8_t version;
    /// Network order; IPv4 uses the first four.
    uint8_t bytes[16];
    /// Host order.
    uint16_t port;
    /// The interface of a link-local IPv6 address, else 0.
    uint32_t scope;
};

/// Reads an address of the internet families; an IPv4 one in IPv6 clothes becomes IPv4. EAFNOSUPPORT for others.
int weir_address_read(const struct sockaddr *socket_address, struct weir_address *address);

/// Where a connection was going before the kernel redirected it to `descriptor`'s listener (SO_ORIGINAL_DST).
///
/// Answers ENOENT when it was not redirected: connection tracking does not know it, or it was meant for this socket.
int weir_original_destination(int descriptor, struct weir_address *destination);

/// Opens a NETLINK_SOCK_DIAG socket of the caller's own network. Returns the descriptor, or a negated errno value.
int weir_diagnostics_open(void);

struct weir_socket_owner {
    /// 0 when no process holds the socket any more; `user` means nothing then.
    uint64_t inode;
    uint32_t user;
};

/// Asks the kernel for the TCP socket between two addresses, as its owner sees them, in about 5 µs.
///
/// Both addresses are of one family. Answers ENOENT when there is none. One call at a time for each descriptor.
int weir_socket_owner(int diagnostics, const struct weir_address *local, const struct weir_address *remote,
                      struct weir_socket_owner *owner);

struct weir_process {
    pid_t pid;
    /// When it was started, in clock ticks since boot: with it, a number that is used again is noticed.
    uint64_t start_ticks;
    /// The path of its executable as /proc says it, cut to size; empty when it cannot be read.
    char executable[1024];
};

/// Searches for the process that holds the socket `inode`: the hinted ones first, then every one in /proc.
///
/// With a `process_namespace` other than 0, processes outside it are passed over. A hint costs 0.2 ms, the rest several
/// milliseconds. Answers ENOENT, or ETIMEDOUT when `milliseconds` were over first.
int weir_socket_search(uint64_t inode, uint64_t process_namespace, const pid_t *hints, size_t hint_count,
                       uint32_t milliseconds, struct weir_process *process);

// MARK: The machine

/// How many processors this process may run on; 0 when the system does not say.
int weir_usable_processors(void);
