// SPDX-License-Identifier: Apache-2.0

// Makes the namespace of `weir exec`: both sides of the set-up, up to the handing over of its sockets.

#ifdef __linux__

#include "internal.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <netinet/in.h>
#include <signal.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

pid_t weir_clone(uint64_t flags, int *pidfd) {
    // The same argument order on x86-64 and arm64 as far as it is used.
    return (pid_t)syscall(SYS_clone, (unsigned long)flags | SIGCHLD, 0, pidfd, 0, 0);
}

/// Two connected sockets, neither of them 0, 1 or 2 even when those are closed: the command would take them for
/// its own.
static int channel(int ends[2]) {
    int pair[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0) return errno;
    int error = 0;
    for (int index = 0; index < 2; index++) {
        ends[index] = fcntl(pair[index], F_DUPFD_CLOEXEC, 3);
        if (ends[index] < 0) error = errno;
        close(pair[index]);
    }
    if (error != 0) {
        weir_close(ends[0]);
        weir_close(ends[1]);
    }
    return error;
}

// MARK: The first process

/// A listener on loopback, or a negated errno value.
static int listener(int family, int type) {
    struct sockaddr_in address4 = {.sin_family = AF_INET, .sin_port = htons(WEIR_EXEC_PORT)};
    address4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    struct sockaddr_in6 address6 = {
        .sin6_family = AF_INET6, .sin6_port = htons(WEIR_EXEC_PORT), .sin6_addr = IN6ADDR_LOOPBACK_INIT};
    const struct sockaddr *address = family == AF_INET ? (struct sockaddr *)&address4 : (struct sockaddr *)&address6;
    socklen_t size = family == AF_INET ? sizeof address4 : sizeof address6;
    int descriptor = socket(family, type | SOCK_CLOEXEC, 0);
    if (descriptor < 0) return -errno;
    if (bind(descriptor, address, size) < 0 || (type == SOCK_STREAM && listen(descriptor, SOMAXCONN) < 0)) {
        int error = errno;
        close(descriptor);
        return -error;
    }
    return descriptor;
}

/// Makes the sockets in the order of the hello; those of IPv6 may be missing.
static uint32_t open_sockets(bool has6, int sockets[WEIR_EXEC_DESCRIPTORS]) {
    static const struct { int family, type; } kinds[] = {
        {AF_INET, SOCK_STREAM}, {AF_INET6, SOCK_STREAM}, {AF_INET, SOCK_DGRAM}, {AF_INET6, SOCK_DGRAM}};
    for (int index = 0; index < 4; index++) {
        bool wanted = kinds[index].family == AF_INET || has6;
        sockets[index] = wanted ? listener(kinds[index].family, kinds[index].type) : -1;
        if (wanted && sockets[index] < 0) {
            errno = -sockets[index];
            return WEIR_EXEC_STEP_LISTENERS;
        }
    }
    sockets[4] = weir_diagnostics_open();
    if (sockets[4] >= 0) return 0;
    errno = -sockets[4];
    return WEIR_EXEC_STEP_DIAGNOSTICS;
}

/// Shows the processes of this namespace under /proc.
///
/// Only after the host's mounts have stopped following ours; mounts that the host makes later still appear here.
static bool fresh_proc(void) {
    return mount(NULL, "/", NULL, MS_SLAVE | MS_REC, NULL) == 0 &&
           mount("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL) == 0;
}

static bool send_hello(int control, const struct weir_exec_hello *hello, const int sockets[WEIR_EXEC_DESCRIPTORS]) {
    union {
        struct cmsghdr header;
        char bytes[CMSG_SPACE(sizeof(int) * WEIR_EXEC_DESCRIPTORS)];
    } ancillary = {0};
    struct iovec part = {.iov_base = (void *)hello, .iov_len = sizeof *hello};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
    int count = 0, attached[WEIR_EXEC_DESCRIPTORS];
    for (int index = 0; index < WEIR_EXEC_DESCRIPTORS; index++) {
        if (hello->attached >> index & 1) attached[count++] = sockets[index];
    }
    if (count > 0) {
        message.msg_control = ancillary.bytes;
        message.msg_controllen = CMSG_SPACE(sizeof(int) * (size_t)count);
        struct cmsghdr *header = CMSG_FIRSTHDR(&message);
        header->cmsg_level = SOL_SOCKET;
        header->cmsg_type = SCM_RIGHTS;
        header->cmsg_len = CMSG_LEN(sizeof(int) * (size_t)count);
        memcpy(CMSG_DATA(header), attached, sizeof(int) * (size_t)count);
    }
    return sendmsg(control, &message, MSG_NOSIGNAL) == (ssize_t)sizeof *hello;
}

/// Sets everything up from inside. Returns the failed step with errno, or 0.
static uint32_t set_up(struct weir_exec_hello *hello, uid_t user, gid_t group, int sockets[WEIR_EXEC_DESCRIPTORS]) {
    bool user_namespace = hello->failure.user_namespace != 0, has6 = false;
    struct stat status;
    if (user_namespace && (errno = weir_user_map(user, group)) != 0) return WEIR_EXEC_STEP_USER_MAP;
    uint32_t step = weir_network_up(&has6);
    if (step != 0) return step;
    step = open_sockets(has6, sockets);
    if (step != 0) return step;
    if ((errno = weir_rules_load()) != 0) return WEIR_EXEC_STEP_RULES;
    hello->fresh_proc = fresh_proc();
    if (stat("/proc/self/ns/pid", &status) < 0) return WEIR_EXEC_STEP_DIAGNOSTICS;
    hello->process_namespace = status.st_ino;
    if ((errno = weir_privileges_drop(user_namespace)) != 0) return WEIR_EXEC_STEP_PRIVILEGES;
    return 0;
}

static _Noreturn void first_process(int control, bool user_namespace, uid_t user, gid_t group) {
    struct weir_exec_hello hello = {.failure = {.user_namespace = user_namespace}};
    int sockets[WEIR_EXEC_DESCRIPTORS] = {-1, -1, -1, -1, -1};
    // The end of the control channel says that Weir is gone; this says it also when nobody here can listen. Whoever
    // died before this line has closed the channel already.
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    prctl(PR_SET_NAME, "weir-init");
    hello.failure.step = set_up(&hello, user, group, sockets);
    if (hello.failure.step != 0) {
        hello.failure.error = errno;
    } else {
        for (int index = 0; index < WEIR_EXEC_DESCRIPTORS; index++) hello.attached |= (sockets[index] >= 0) << index;
    }
    if (!send_hello(control, &hello, sockets) || hello.failure.step != 0) _exit(1);
    for (int index = 0; index < WEIR_EXEC_DESCRIPTORS; index++) weir_close(sockets[index]);
    weir_init_run(control);
}

// MARK: Weir's side

static bool receive_hello(int control, struct weir_exec_hello *hello, int sockets[WEIR_EXEC_DESCRIPTORS]) {
    union {
        struct cmsghdr header;
        char bytes[CMSG_SPACE(sizeof(int) * WEIR_EXEC_DESCRIPTORS)];
    } ancillary;
    struct iovec part = {.iov_base = hello, .iov_len = sizeof *hello};
    struct msghdr message = {
        .msg_iov = &part, .msg_iovlen = 1, .msg_control = ancillary.bytes, .msg_controllen = sizeof ancillary.bytes};
    ssize_t count;
    do count = recvmsg(control, &message, MSG_CMSG_CLOEXEC | MSG_WAITALL);
    while (count < 0 && errno == EINTR);
    if (count != (ssize_t)sizeof *hello) return false;
    struct cmsghdr *header = CMSG_FIRSTHDR(&message);
    size_t received = header == NULL ? 0 : (header->cmsg_len - CMSG_LEN(0)) / sizeof(int), next = 0;
    for (int index = 0; index < WEIR_EXEC_DESCRIPTORS; index++) {
        sockets[index] = -1;
        if (!(hello->attached >> index & 1) || next == received) continue;
        memcpy(&sockets[index], CMSG_DATA(header) + sizeof(int) * next++, sizeof(int));
    }
    return true;
}

int weir_exec_prepare(struct weir_exec_session *session, struct weir_exec_failure *failure) {
    *failure = (struct weir_exec_failure){.step = WEIR_EXEC_STEP_CHANNEL};
    int ends[2];
    failure->error = channel(ends);
    if (failure->error != 0) return -1;

    uid_t user = geteuid();
    gid_t group = getegid();
    bool user_namespace = user != 0;
    const uint64_t flags = CLONE_NEWNET | CLONE_NEWPID | CLONE_NEWNS | CLONE_PIDFD;
    int pidfd = -1;
    // Blocked, so that no signal meets the first process before it can tell what to do with it.
    sigset_t all, mask;
    sigfillset(&all);
    sigprocmask(SIG_BLOCK, &all, &mask);
    pid_t init = weir_clone(flags | (user_namespace ? CLONE_NEWUSER : 0), &pidfd);
    if (init < 0 && errno == EPERM && !user_namespace) {
        // Root of a container that has no CAP_SYS_ADMIN: as a plain user, then.
        user_namespace = true;
        init = weir_clone(flags | CLONE_NEWUSER, &pidfd);
    }
    if (init == 0) {
        close(ends[0]);
        first_process(ends[1], user_namespace, user, group);
    }
    int error = init < 0 ? errno : 0;
    sigprocmask(SIG_SETMASK, &mask, NULL);
    close(ends[1]);
    if (init < 0) {
        *failure = (struct weir_exec_failure){WEIR_EXEC_STEP_NAMESPACES, error, user_namespace};
        close(ends[0]);
        return -1;
    }

    struct weir_exec_hello hello;
    int sockets[WEIR_EXEC_DESCRIPTORS];
    bool heard = receive_hello(ends[0], &hello, sockets);
    if (!heard || hello.failure.step != 0) {
        *failure = heard ? hello.failure : (struct weir_exec_failure){WEIR_EXEC_STEP_HANDOVER, EPIPE, user_namespace};
        close(ends[0]);
        close(pidfd);
        while (waitpid(init, NULL, 0) < 0 && errno == EINTR) continue;
        return -1;
    }
    *session = (struct weir_exec_session){
        .pid = init, .pidfd = pidfd, .control = ends[0],
        .tcp4 = sockets[0], .tcp6 = sockets[1], .dns4 = sockets[2], .dns6 = sockets[3], .diagnostics = sockets[4],
        .process_namespace = hello.process_namespace,
        .user_namespace = user_namespace,
        .fresh_proc = hello.fresh_proc,
    };
    return 0;
}

#endif
