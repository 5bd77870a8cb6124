// SPDX-License-Identifier: Apache-2.0

// The first process of an exec namespace: runs the command, buries the dead, passes signals on, ends with the command.

#ifdef __linux__

#include "internal.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

struct command {
    char **arguments;
    char **variables;
};

/// Points at the strings that follow each other in `bytes`; false when there are fewer than `count`.
static bool take_strings(char **bytes, const char *end, uint32_t count, char **pointers) {
    for (uint32_t index = 0; index < count; index++) {
        char *string = *bytes;
        while (*bytes < end && **bytes != 0) ++*bytes;
        if (*bytes == end) return false;
        ++*bytes;
        pointers[index] = string;
    }
    pointers[count] = NULL;
    return true;
}

/// Waits for the command; false when Weir is gone.
static bool receive_command(int control, struct command *command) {
    struct weir_exec_command header;
    if (!weir_read_all(control, &header, sizeof header)) return false;
    if (header.bytes > WEIR_EXEC_MAX_BYTES || header.arguments == 0 || header.arguments > header.bytes ||
        header.variables > header.bytes)
        return false;
    size_t pointers = ((size_t)header.arguments + header.variables + 2) * sizeof(char *);
    // Not malloc: another thread of Weir may have held its lock when this process was made.
    char **memory = mmap(NULL, pointers + header.bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) return false;
    char *bytes = (char *)memory + pointers, *end = bytes + header.bytes;
    command->arguments = memory;
    command->variables = memory + header.arguments + 1;
    return weir_read_all(control, bytes, header.bytes) &&
           take_strings(&bytes, end, header.arguments, command->arguments) &&
           take_strings(&bytes, end, header.variables, command->variables);
}

/// Becomes the command, or writes the errno value to `report`.
static _Noreturn void become(const struct command *command, int report) {
    environ = command->variables;
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    execvp(command->arguments[0], command->arguments);
    int error = errno;
    weir_write_all(report, &error, sizeof error);
    _exit(127);
}

static void tell(int control, uint32_t kind, int32_t value) {
    struct weir_exec_outcome outcome = {kind, value};
    weir_write_all(control, &outcome, sizeof outcome);
}

/// Runs the command in the process group and on the terminal of Weir, so that both stay what the shell made them.
static pid_t run(const struct command *command, int control) {
    int pipe_ends[2], error = 0;
    pid_t child = -1;
    if (pipe2(pipe_ends, O_CLOEXEC) == 0) {
        // The descriptors may not be 0, 1 or 2 in the child, see `channel`.
        int report = fcntl(pipe_ends[1], F_DUPFD_CLOEXEC, 3);
        close(pipe_ends[1]);
        child = weir_clone(0, NULL);
        if (child == 0) {
            close(pipe_ends[0]);
            become(command, report);
        }
        error = errno;
        close(report);
        ssize_t count;
        int failure = 0;
        do count = read(pipe_ends[0], &failure, sizeof failure);
        while (count < 0 && errno == EINTR);
        close(pipe_ends[0]);
        if (child > 0 && count <= 0) return child;
        if (child > 0) error = failure;
    } else {
        error = errno;
    }
    tell(control, WEIR_EXEC_NOT_STARTED, error);
    _exit(0);
}

/// Lets go of everything that it only inherited, so that pipes end when the command closes them.
static void close_all_but(int first, int second) {
    int low = first < second ? first : second, high = first < second ? second : first;
    if (low > 0) syscall(SYS_close_range, 0u, (unsigned)low - 1, 0u);
    if (low + 1 < high) syscall(SYS_close_range, (unsigned)low + 1, (unsigned)high - 1, 0u);
    syscall(SYS_close_range, (unsigned)high + 1, ~0u, 0u);
    if (chdir("/") < 0) return;
}

/// Buries all dead children; ends when the command was one of them, and takes the rest of the namespace along.
static void bury(pid_t command, int control) {
    int status;
    pid_t child;
    while ((child = waitpid(-1, &status, WNOHANG)) > 0) {
        if (child != command) continue;
        if (WIFEXITED(status)) {
            tell(control, WEIR_EXEC_EXITED, WEXITSTATUS(status));
        } else {
            tell(control, WEIR_EXEC_SIGNALLED, WTERMSIG(status));
        }
        _exit(0);
    }
}

_Noreturn void weir_init_run(int control) {
    struct command command;
    // An ignored SIGCHLD, which a careless parent can hand down, would hide how the command ends.
    signal(SIGCHLD, SIG_DFL);
    if (!receive_command(control, &command)) _exit(1);
    sigset_t all;
    sigfillset(&all);
    int signals = signalfd(-1, &all, SFD_CLOEXEC);
    if (signals < 0) {
        tell(control, WEIR_EXEC_NOT_STARTED, errno);
        _exit(1);
    }
    pid_t child = run(&command, control);
    close_all_but(control, signals);
    struct pollfd watched[] = {{.fd = signals, .events = POLLIN}, {.fd = control, .events = POLLIN}};
    for (;;) {
        if (poll(watched, 2, -1) < 0) continue;
        // Weir says nothing after the command: this is the end of it.
        if (watched[1].revents != 0) _exit(1);
        struct signalfd_siginfo signal;
        if (watched[0].revents == 0 || read(signals, &signal, sizeof signal) != (ssize_t)sizeof signal) continue;
        if (signal.ssi_signo == SIGCHLD) {
            bury(child, control);
        } else if (signal.ssi_code <= 0 && signal.ssi_pid == 0) {
            // From a process outside, which has no number in here. The terminal's own (ssi_code > 0) and those of the
            // command's group reach the command without us.
            kill(child, (int)signal.ssi_signo);
        }
    }
}

#endif
