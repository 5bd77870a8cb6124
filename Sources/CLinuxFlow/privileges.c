// SPDX-License-Identifier: Apache-2.0

// Who the command is inside: itself, without the power to undo its network.

#ifdef __linux__

#include "internal.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

static int write_file(const char *path, const char *text) {
    int descriptor = open(path, O_WRONLY | O_CLOEXEC);
    if (descriptor < 0) return errno;
    int error = write(descriptor, text, strlen(text)) < 0 ? errno : 0;
    close(descriptor);
    return error;
}

int weir_user_map(uid_t user, gid_t group) {
    char map[64];
    // The kernel lets a plain user map groups only after it has given up setgroups(2).
    int error = write_file("/proc/self/setgroups", "deny");
    if (error != 0) return error;
    snprintf(map, sizeof map, "%u %u 1", user, user);
    error = write_file("/proc/self/uid_map", map);
    if (error != 0) return error;
    snprintf(map, sizeof map, "%u %u 1", group, group);
    return write_file("/proc/self/gid_map", map);
}

int weir_privileges_drop(bool user_namespace) {
    // A plain user had no capability before, so it keeps none. Root keeps what lets it be root (files, users, kill);
    // without the two it can neither change the network nor enter another one.
    bool everything = user_namespace && getuid() != 0;
    uint64_t dropped = everything ? ~0ull : 1ull << CAP_NET_ADMIN | 1ull << CAP_SYS_ADMIN;
    for (int capability = 0; capability < 64; capability++) {
        // EINVAL: the kernel has no more capabilities than these.
        if (!(dropped >> capability & 1)) continue;
        if (prctl(PR_CAPBSET_DROP, capability, 0, 0, 0) < 0 && errno != EINVAL) return errno;
    }
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct sets[2];
    if (syscall(SYS_capget, &header, sets) < 0) return errno;
    for (int word = 0; word < 2; word++) {
        uint32_t kept = (uint32_t)~(dropped >> 32 * word);
        sets[word].effective &= kept;
        sets[word].permitted &= kept;
        sets[word].inheritable &= kept;
    }
    if (syscall(SYS_capset, &header, sets) < 0) return errno;
    // Else a set-user-ID program would get the dropped ones back.
    return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ? errno : 0;
}

#endif
