// SPDX-License-Identifier: Apache-2.0

// /proc/PID/cgroup: where a process stands in the tree that the service manager and container runtimes keep.

/// The cgroup paths of a process (cgroups(7)).
struct CGroupMembership: Hashable {
    /// The path in cgroup v2; nil where only v1 is mounted.
    var unified: String?
    /// The path in v1's `name=systemd` hierarchy.
    var systemd: String?
    /// Every other v1 path, once each.
    var controllers: [String] = []

    /// The path that the service manager gave: v2, or in a v1 or hybrid system the one of `name=systemd`.
    var path: String? {
        if let unified, unified != "/" { return unified }
        return systemd ?? unified
    }

    /// All paths, the service manager's first.
    var all: [String] { [path, unified, systemd].compactMap { $0 } + controllers }

    init(_ bytes: [UInt8]) throws(CodeProblem) {
        for line in bytes.split(separator: 0x0A) {
            // HIERARCHY:CONTROLLERS:PATH; a path may hold colons, and the kernel allows no line feed in one.
            let parts = line.split(separator: 0x3A, maxSplits: 2, omittingEmptySubsequences: false)
            guard parts.count == 3, ProcFields.decimal(parts[0]) != nil, parts[2].first == 0x2F else {
                throw CodeProblem(
                    .procMalformed, at: UInt64(line.startIndex), "cgroup: not HIERARCHY:CONTROLLERS:PATH")
            }
            let path = DeletedPath.stripped(ProcFields.text(parts[2]))
            if parts[0].elementsEqual("0".utf8), parts[1].isEmpty {
                unified = unified ?? path
            } else if parts[1].elementsEqual("name=systemd".utf8) {
                systemd = systemd ?? path
            } else if !controllers.contains(path), controllers.count < 16 {
                controllers.append(path)
            }
        }
    }
}
