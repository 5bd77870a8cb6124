// SPDX-License-Identifier: Apache-2.0

// posix_spawn, because Foundation's Process neither makes a process group nor gives a deadline.

import Foundation

/// Starts a program in a process group of its own, its three standard streams connected to files.
func spawn(
    _ path: String, _ arguments: [String], environment: [String: String], files: [String]
) throws -> Int32 {
    #if canImport(Darwin)
    var actions: posix_spawn_file_actions_t?
    var attributes: posix_spawnattr_t?
    #else
    var actions = posix_spawn_file_actions_t()
    var attributes = posix_spawnattr_t()
    #endif
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    for (number, file) in files.enumerated() {
        posix_spawn_file_actions_addopen(&actions, Int32(number), file, number == 0 ? O_RDONLY : O_WRONLY | O_APPEND, 0)
    }

    posix_spawnattr_init(&attributes)
    defer { posix_spawnattr_destroy(&attributes) }
    let flags = Int16(POSIX_SPAWN_SETPGROUP) | Int16(POSIX_SPAWN_SETSIGDEF) | Int16(POSIX_SPAWN_SETSIGMASK)
    posix_spawnattr_setflags(&attributes, flags)
    posix_spawnattr_setpgroup(&attributes, 0)
    // A child inherits both: SIGPIPE is ignored in this process, and the threads of a pool block every signal.
    var signals = sigset_t()
    sigemptyset(&signals)
    posix_spawnattr_setsigmask(&attributes, &signals)
    sigaddset(&signals, SIGPIPE)
    posix_spawnattr_setsigdefault(&attributes, &signals)

    let argumentPointers = ([path] + arguments).map { strdup($0) } + [nil]
    let environmentPointers = environment.map { strdup("\($0.key)=\($0.value)") } + [nil]
    defer { for pointer in argumentPointers + environmentPointers { free(pointer) } }
    var pid: pid_t = 0
    let error = posix_spawn(&pid, path, &actions, &attributes, argumentPointers, environmentPointers)
    guard error == 0 else { throw TestKitError("cannot start \(path): \(String(cString: strerror(error)))") }
    return pid
}
