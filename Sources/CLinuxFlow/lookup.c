// SPDX-License-Identifier: Apache-2.0

// From a connection to where it was going, to its socket, to the process that holds it.

#ifdef __linux__

#include "internal.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

// MARK: Destination

// SO_ORIGINAL_DST and IP6T_SO_ORIGINAL_DST: one number in both families, in headers that clash with the C library's.
enum { ORIGINAL_DESTINATION = 80 };

int weir_address_read(const struct sockaddr *socket_address, struct weir_address *address) {
    *address = (struct weir_address){.version = 4};
    if (socket_address->sa_family == AF_INET) {
        const struct sockaddr_in *in4 = (const struct sockaddr_in *)socket_address;
        memcpy(address->bytes, &in4->sin_addr, sizeof in4->sin_addr);
        address->port = ntohs(in4->sin_port);
        return 0;
    }
    if (socket_address->sa_family != AF_INET6) return EAFNOSUPPORT;
    const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)socket_address;
    address->port = ntohs(in6->sin6_port);
    if (IN6_IS_ADDR_V4MAPPED(&in6->sin6_addr)) {
        memcpy(address->bytes, in6->sin6_addr.s6_addr + 12, 4);
        return 0;
    }
    address->version = 6;
    memcpy(address->bytes, &in6->sin6_addr, sizeof in6->sin6_addr);
    address->scope = in6->sin6_scope_id;
    return 0;
}

int weir_original_destination(int descriptor, struct weir_address *destination) {
    struct sockaddr_storage storage = {0};
    struct weir_address own;
    socklen_t size = sizeof storage;
    if (getsockname(descriptor, (struct sockaddr *)&storage, &size) < 0) return errno;
    int error = weir_address_read((struct sockaddr *)&storage, &own);
    if (error != 0) return error;
    // By the address, not by the socket's family: connection tracking sees IPv4 also where an IPv6 socket accepted it.
    int level = own.version == 4 ? IPPROTO_IP : IPPROTO_IPV6;
    size = sizeof storage;
    if (getsockopt(descriptor, level, ORIGINAL_DESTINATION, &storage, &size) < 0) {
        return errno == ENOPROTOOPT ? ENOENT : errno;
    }
    error = weir_address_read((struct sockaddr *)&storage, destination);
    if (error != 0) return error;
    bool direct = destination->port == own.port && memcmp(destination->bytes, own.bytes, sizeof own.bytes) == 0;
    return direct ? ENOENT : 0;
}

// MARK: Socket

int weir_diagnostics_open(void) {
    int descriptor = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_SOCK_DIAG);
    return descriptor < 0 ? -errno : descriptor;
}

int weir_socket_owner(int diagnostics, const struct weir_address *local, const struct weir_address *remote,
                      struct weir_socket_owner *owner) {
    static _Atomic uint32_t sequence;
    struct {
        struct nlmsghdr header;
        struct inet_diag_req_v2 query;
    } request = {
        .header = {.nlmsg_len = sizeof request, .nlmsg_type = SOCK_DIAG_BY_FAMILY, .nlmsg_flags = NLM_F_REQUEST,
                   .nlmsg_seq = ++sequence},
        .query = {.sdiag_family = local->version == 4 ? AF_INET : AF_INET6, .sdiag_protocol = IPPROTO_TCP,
                  .idiag_states = ~0u,
                  .id = {.idiag_sport = htons(local->port), .idiag_dport = htons(remote->port),
                         .idiag_cookie = {INET_DIAG_NOCOOKIE, INET_DIAG_NOCOOKIE}}},
    };
    if (local->version != remote->version) return EAFNOSUPPORT;
    memcpy(request.query.id.idiag_src, local->bytes, sizeof local->bytes);
    memcpy(request.query.id.idiag_dst, remote->bytes, sizeof remote->bytes);
    struct sockaddr_nl kernel = {.nl_family = AF_NETLINK};
    if (sendto(diagnostics, &request, sizeof request, 0, (struct sockaddr *)&kernel, sizeof kernel) < 0) return errno;
    for (;;) {
        _Alignas(8) uint8_t answer[4096];
        struct sockaddr_nl sender = {0};
        socklen_t size = sizeof sender;
        // The answer is there when sendto returns, so not waiting is right.
        ssize_t count = recvfrom(diagnostics, answer, sizeof answer, MSG_DONTWAIT, (struct sockaddr *)&sender, &size);
        if (count < 0 && errno == EINTR) continue;
        if (count < 0) return errno;
        const struct nlmsghdr *header = (const struct nlmsghdr *)answer;
        if (!NLMSG_OK(header, (uint32_t)count) || sender.nl_pid != 0 || header->nlmsg_seq != request.header.nlmsg_seq)
            continue;
        if (header->nlmsg_type == NLMSG_ERROR) {
            if (header->nlmsg_len < NLMSG_LENGTH(sizeof(struct nlmsgerr))) return EBADMSG;
            int error = ((const struct nlmsgerr *)NLMSG_DATA(header))->error;
            return error < 0 ? -error : EBADMSG;
        }
        if (header->nlmsg_len < NLMSG_LENGTH(sizeof(struct inet_diag_msg))) return EBADMSG;
        const struct inet_diag_msg *found = NLMSG_DATA(header);
        // The kernel answers with a listener on the local port when the connection itself is gone.
        if (found->id.idiag_dport != request.query.id.idiag_dport) return ENOENT;
        owner->inode = found->idiag_inode;
        owner->user = found->idiag_uid;
        return 0;
    }
}

// MARK: Process

static int64_t now_milliseconds(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

struct search {
    /// What a descriptor of the socket reads as: `socket:[INODE]`.
    char link[64];
    size_t size;
    uint64_t process_namespace;
    int64_t deadline;
};

/// Looks through the descriptors of the process whose /proc directory is `process`: 0, ENOENT or ETIMEDOUT.
static int search_descriptors(const struct search *search, int process) {
    int descriptors = openat(process, "fd", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (descriptors < 0) return ENOENT;
    DIR *list = fdopendir(descriptors);
    if (list == NULL) {
        close(descriptors);
        return ENOENT;
    }
    int result = ENOENT;
    const struct dirent *entry;
    for (unsigned count = 1; result == ENOENT && (entry = readdir(list)) != NULL; count++) {
        char target[64];
        ssize_t size = readlinkat(descriptors, entry->d_name, target, sizeof target);
        if (size == (ssize_t)search->size && memcmp(target, search->link, search->size) == 0) {
            result = 0;
        } else if (count % 256 == 0 && now_milliseconds() >= search->deadline) {
            result = ETIMEDOUT;
        }
    }
    closedir(list);
    return result;
}

/// Reads field 22 of the `stat` file of the process whose /proc directory is `process`: 0 or ENOENT.
static int read_start_ticks(int process, uint64_t *start_ticks) {
    int file = openat(process, "stat", O_RDONLY | O_CLOEXEC);
    if (file < 0) return ENOENT;
    char text[1024];
    ssize_t size = read(file, text, sizeof text - 1);
    close(file);
    if (size <= 0) return ENOENT;
    text[size] = 0;
    // The command, field 2, may hold blanks and brackets; nothing after it does.
    const char *rest = strrchr(text, ')');
    for (int field = 2; rest != NULL && field < 22; field++) rest = strchr(rest + 1, ' ');
    if (rest == NULL) return ENOENT;
    *start_ticks = strtoull(rest + 1, NULL, 10);
    return 0;
}

static int search_process(const struct search *search, pid_t pid, struct weir_process *process) {
    if (now_milliseconds() >= search->deadline) return ETIMEDOUT;
    char path[32];
    snprintf(path, sizeof path, "/proc/%d", (int)pid);
    // This descriptor stands for the process, not for its number: what is read below it is of one process or fails.
    int directory = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (directory < 0) return ENOENT;
    struct stat status;
    bool inside = search->process_namespace == 0 || (fstatat(directory, "ns/pid", &status, 0) == 0 &&
                                                     status.st_ino == search->process_namespace);
    int result = inside ? search_descriptors(search, directory) : ENOENT;
    if (result == 0) result = read_start_ticks(directory, &process->start_ticks);
    if (result == 0) {
        process->pid = pid;
        ssize_t size = readlinkat(directory, "exe", process->executable, sizeof process->executable - 1);
        process->executable[size < 0 ? 0 : size] = 0;
    }
    close(directory);
    return result;
}

int weir_socket_search(uint64_t inode, uint64_t process_namespace, const pid_t *hints, size_t hint_count,
                       uint32_t milliseconds, struct weir_process *process) {
    struct search search = {.process_namespace = process_namespace, .deadline = now_milliseconds() + milliseconds};
    search.size = (size_t)snprintf(search.link, sizeof search.link, "socket:[%llu]", (unsigned long long)inode);
    int result = ENOENT;
    for (size_t index = 0; result == ENOENT && index < hint_count; index++) {
        result = search_process(&search, hints[index], process);
    }
    if (result != ENOENT) return result;
    DIR *list = opendir("/proc");
    if (list == NULL) return errno;
    const struct dirent *entry;
    while (result == ENOENT && (entry = readdir(list)) != NULL) {
        if (entry->d_name[0] < '1' || entry->d_name[0] > '9') continue;
        result = search_process(&search, (pid_t)strtol(entry->d_name, NULL, 10), process);
    }
    closedir(list);
    return result;
}

#endif
