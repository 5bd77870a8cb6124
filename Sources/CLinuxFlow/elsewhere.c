// SPDX-License-Identifier: Apache-2.0

// The same functions on systems other than Linux, where none of them works.

#ifndef __linux__

#include "CLinuxFlow.h"

#include <errno.h>
#include <unistd.h>

int weir_exec_prepare(struct weir_exec_session *session, struct weir_exec_failure *failure) {
    (void)session;
    *failure = (struct weir_exec_failure){.step = WEIR_EXEC_STEP_NAMESPACES, .error = ENOSYS};
    return -1;
}

int weir_exec_start(const struct weir_exec_session *session, char *const arguments[], char *const environment[]) {
    (void)session, (void)arguments, (void)environment;
    return ENOSYS;
}

void weir_exec_result(const struct weir_exec_session *session, struct weir_exec_outcome *outcome) {
    (void)session;
    *outcome = (struct weir_exec_outcome){.kind = WEIR_EXEC_LOST};
}

int weir_exec_forward_signals(const struct weir_exec_session *session) {
    (void)session;
    return ENOSYS;
}

void weir_exec_stop_forwarding(const struct weir_exec_session *session) {
    (void)session;
}

int weir_exec_signal(const struct weir_exec_session *session, int signal) {
    (void)session, (void)signal;
    return ENOSYS;
}

extern char **environ;

char *const *weir_environment(void) {
    return environ;
}

void weir_close(int descriptor) {
    if (descriptor >= 0) close(descriptor);
}

int weir_address_read(const struct sockaddr *socket_address, struct weir_address *address) {
    (void)socket_address, (void)address;
    return ENOSYS;
}

int weir_original_destination(int descriptor, struct weir_address *destination) {
    (void)descriptor, (void)destination;
    return ENOSYS;
}

int weir_socket_owner(int diagnostics, const struct weir_address *local, const struct weir_address *remote,
                      struct weir_socket_owner *owner) {
    (void)diagnostics, (void)local, (void)remote, (void)owner;
    return ENOSYS;
}

int weir_diagnostics_open(void) {
    return -ENOSYS;
}

int weir_socket_search(uint64_t inode, uint64_t process_namespace, const pid_t *hints, size_t hint_count,
                       uint32_t milliseconds, struct weir_process *process) {
    (void)inode, (void)process_namespace, (void)hints, (void)hint_count, (void)milliseconds, (void)process;
    return ENOSYS;
}

int weir_usable_processors(void) { return 0; }

#endif
