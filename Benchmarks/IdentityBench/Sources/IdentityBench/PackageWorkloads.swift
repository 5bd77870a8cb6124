// SPDX-License-Identifier: Apache-2.0

// The package database of the system that the program runs on.

import CodeIdentity

#if os(Linux)
func packageWorkloads() -> [Workload] {
    [
        Workload(name: "dpkg-index", prepare: building),
        Workload(name: "dpkg-hit") { try lookup(hits: true) },
        Workload(name: "dpkg-miss") { try lookup(hits: false) },
    ]
}

private func building() throws -> Prepared {
    let root = try RootFolder("/")
    let index = try DpkgIndex.read(from: root)
    var prepared = Prepared { rounds in
        var right = 0
        for _ in 0..<rounds where try DpkgIndex.read(from: root).count == index.count { right += 1 }
        return right
    }
    prepared.sizes = [("owners", index.count), ("bytes", index.byteCount)]
    return prepared
}

/// Paths drawn from all that the packages' lists name; for misses one letter of each is changed.
private func lookup(hits: Bool) throws -> Prepared {
    let root = try RootFolder("/")
    let index = try DpkgIndex.read(from: root)
    var known: [String] = []
    let folder = "var/lib/dpkg/info"
    for name in try root.names(in: folder, limit: 1 << 20).sorted() where name.hasSuffix(".list") {
        let list = try root.read("\(folder)/\(name)", limit: 1 << 26)
        for line in list.split(separator: UInt8(ascii: "\n")) {
            let path = String(decoding: line, as: UTF8.self)
            if index.owner(of: path) != nil { known.append(path) }
        }
    }
    guard !known.isEmpty else { throw BenchProblem("dpkg knows no file on this system") }
    var sequence = Sequence32()
    var asked: [String] = []
    while asked.count < 65_536 {
        var path = known[sequence.next(below: known.count)]
        if !hits { path = path.dropLast() + "\u{7f}" }
        // Its own storage, as a path that the kernel has just given.
        path.reserveCapacity(path.utf8.count)
        asked.append(path)
    }
    return Prepared { rounds in
        var right = 0
        for round in 0..<rounds where (index.owner(of: asked[round & 65_535]) != nil) == hits { right += 1 }
        return right
    }
}
#else
func packageWorkloads() -> [Workload] { [] }
#endif
