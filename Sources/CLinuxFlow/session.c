// SPDX-License-Identifier: Apache-2.0

// Weir's side of a running exec namespace: the start, the signals, the end.

#ifdef __linux__

#include "internal.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

char *const *weir_environment(void) {
    return environ;
}

void weir_close(int descriptor) {
    if (descriptor >= 0) close(descriptor);
}

bool weir_read_all(int descriptor, void *bytes, size_t count) {
    for (size_t done = 0; done < count;) {
        ssize_t part = read(descriptor, (char *)bytes + done, count - done);
        if (part < 0 && errno == EINTR) continue;
        if (part <= 0) return false;
        done += (size_t)part;
    }
    return true;
}

bool weir_write_all(int descriptor, const void *bytes, size_t count) {
    for (size_t done = 0; done < count;) {
        // No SIGPIPE: the other side may be gone.
        ssize_t part = send(descriptor, (const char *)bytes + done, count - done, MSG_NOSIGNAL);
        if (part < 0 && errno == ENOTSOCK) part = write(descriptor, (const char *)bytes + done, count - done);
        if (part < 0 && errno == EINTR) continue;
        if (part <= 0) return false;
        done += (size_t)part;
    }
    return true;
}

/// Counts the strings and their bytes; copies them when there is somewhere to copy to.
static uint32_t pack(char *const strings[], size_t *bytes, char *destination) {
    uint32_t count = 0;
    for (; strings[count] != NULL; count++) {
        size_t size = strlen(strings[count]) + 1;
        if (destination != NULL) memcpy(destination + *bytes, strings[count], size);
        *bytes += size;
    }
    return count;
}

int weir_exec_start(const struct weir_exec_session *session, char *const arguments[], char *const environment[]) {
    size_t bytes = 0;
    struct weir_exec_command header = {.arguments = pack(arguments, &bytes, NULL)};
    header.variables = pack(environment, &bytes, NULL);
    if (header.arguments == 0) return EINVAL;
    if (bytes > WEIR_EXEC_MAX_BYTES) return E2BIG;
    header.bytes = (uint32_t)bytes;
    char *message = malloc(sizeof header + bytes);
    if (message == NULL) return ENOMEM;
    memcpy(message, &header, sizeof header);
    size_t offset = sizeof header;
    pack(arguments, &offset, message);
    pack(environment, &offset, message);
    bool sent = weir_write_all(session->control, message, offset);
    free(message);
    return sent ? 0 : EPIPE;
}

void weir_exec_result(const struct weir_exec_session *session, struct weir_exec_outcome *outcome) {
    ssize_t count = recv(session->control, outcome, sizeof *outcome, MSG_DONTWAIT);
    if (count != (ssize_t)sizeof *outcome) *outcome = (struct weir_exec_outcome){.kind = WEIR_EXEC_LOST};
    while (waitpid(session->pid, NULL, 0) < 0 && errno == EINTR) continue;
}

int weir_exec_signal(const struct weir_exec_session *session, int signal) {
    return syscall(SYS_pidfd_send_signal, session->pidfd, signal, NULL, 0) < 0 ? errno : 0;
}

// MARK: Forwarding

static const int FORWARDED[] = {SIGTERM, SIGINT, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2};
enum { FORWARDED_COUNT = sizeof FORWARDED / sizeof FORWARDED[0] };

// The handler can run in any thread at any time, so what it needs is one word.
static volatile sig_atomic_t target = -1;
static struct sigaction former[FORWARDED_COUNT];

static void forward(int signal, siginfo_t *info, void *context) {
    (void)context;
    int saved = errno;
    if (info->si_code <= 0 && target >= 0) syscall(SYS_pidfd_send_signal, (int)target, signal, NULL, 0);
    errno = saved;
}

int weir_exec_forward_signals(const struct weir_exec_session *session) {
    if (target >= 0) return EBUSY;
    target = session->pidfd;
    struct sigaction action = {.sa_sigaction = forward, .sa_flags = SA_SIGINFO | SA_RESTART};
    sigfillset(&action.sa_mask);
    for (int index = 0; index < FORWARDED_COUNT; index++) {
        sigaction(FORWARDED[index], NULL, &former[index]);
        if (former[index].sa_handler != SIG_IGN) sigaction(FORWARDED[index], &action, NULL);
    }
    return 0;
}

void weir_exec_stop_forwarding(const struct weir_exec_session *session) {
    if (target != session->pidfd) return;
    for (int index = 0; index < FORWARDED_COUNT; index++) sigaction(FORWARDED[index], &former[index], NULL);
    target = -1;
}

#endif
