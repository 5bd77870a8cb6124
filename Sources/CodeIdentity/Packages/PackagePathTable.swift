// SPDX-License-Identifier: Apache-2.0

// Which package owns which path: a hash table made for a few hundred thousand paths in a few megabytes.

import FlowModel

/// Paths with their owners and digests, open-addressed by a keyed hash.
///
/// A path is kept as a folder's number and a name, and a hit is compared byte by byte, so there is no false owner.
/// The hash is keyed anew in each process: a package cannot choose names that collide.
struct PackagePathTable: Sendable {
    struct Entry: Sendable {
        fileprivate var name: UInt32
        fileprivate var folder: UInt32
        /// The entry of the next owner of the path, plus one; 0 at the end.
        fileprivate var next: UInt32
        let package: UInt16
        fileprivate let nameLength: UInt8
        fileprivate(set) var flags: Flags
        fileprivate var high: UInt64
        fileprivate var low: UInt64

        var digest: MD5Digest? { flags.contains(.digest) ? MD5Digest(high: high, low: low) : nil }
    }

    struct Flags: OptionSet, Sendable {
        let rawValue: UInt8
        static let digest = Flags(rawValue: 1)
        static let conffile = Flags(rawValue: 2)
    }

    enum Addition { case added, known, malformed, full }

    private var entries: [Entry] = []
    /// The upper half of a slot is the path's hash, the lower half its newest entry plus one; 0 is free.
    private var slots = [UInt64](repeating: 0, count: 1024)
    private var used = 0
    private var names: [UInt8] = []
    private var folders: [UInt8] = []
    /// Where each folder ends in `folders`.
    private var folderEnds: [UInt32] = []
    /// Only while the table is filled.
    private var folderNumbers: [[UInt8]: UInt32] = [:]

    /// How many owners of paths there are.
    var count: Int { entries.count }

    /// Bytes that the table takes.
    var byteCount: Int {
        entries.capacity * MemoryLayout<Entry>.stride + slots.capacity * 8 + names.capacity + folders.capacity
            + folderEnds.capacity * 4
    }

    /// Notes that a package owns a path.
    mutating func add(_ path: [UInt8], package: UInt16) -> Addition {
        guard path.count <= CodeIdentityLimits.packagePathBytes.value, let cut = path.lastIndex(of: UInt8(ascii: "/")),
            path.count - cut - 1 <= 255, cut + 1 < path.count
        else { return .malformed }
        guard entries.count < CodeIdentityLimits.packagePaths.value else { return .full }
        let hash = Self.hash(path)
        let slot = slot(of: path, hash)
        if slots[slot] == 0 {
            let folder = number(of: path[..<cut])
            // At most 255 bytes for each of the limited entries, as folders are at most the database: below 32 bits.
            let name = UInt32(truncatingIfNeeded: names.count)
            names.append(contentsOf: path[(cut + 1)...])
            append(name, folder, 0, package, UInt8(truncatingIfNeeded: path.count - cut - 1))
            used += 1
        } else {
            let head = UInt32(truncatingIfNeeded: slots[slot])
            let known = entries[Int(head) - 1]
            // A package is read in one go, so its entry would be the newest.
            if known.package == package { return .known }
            append(known.name, known.folder, head, package, known.nameLength)
        }
        slots[slot] = UInt64(hash) << 32 | UInt64(entries.count)
        if used * 4 > slots.count * 3 { grow() }
        return .added
    }

    /// Sets the digest of the package that was the last to claim the path; one that is already known stays.
    mutating func set(_ digest: MD5Digest, conffile: Bool, of path: [UInt8], package: UInt16) {
        let head = slots[slot(of: path, Self.hash(path))] & 0xffff_ffff
        guard head != 0 else { return }
        let place = Int(head) - 1
        guard entries[place].package == package else { return }
        if conffile { entries[place].flags.insert(.conffile) }
        guard !entries[place].flags.contains(.digest) else { return }
        entries[place].flags.insert(.digest)
        entries[place].high = digest.high
        entries[place].low = digest.low
    }

    /// Gives back what only filling needs.
    mutating func finish() {
        folderNumbers = [:]
        // Mapping makes arrays of the exact size.
        entries = entries.map { $0 }
        names = names.map { $0 }
        folders = folders.map { $0 }
    }

    /// Calls `body` with the owners of a path, the last one added first, until it gives false.
    func owners(of path: [UInt8], _ body: (Entry) -> Bool) {
        var next = slots[slot(of: path, Self.hash(path))] & 0xffff_ffff
        var left = CodeIdentityLimits.packageOwners.value
        while next != 0, left > 0 {
            let entry = entries[Int(next) - 1]
            guard body(entry) else { return }
            next = UInt64(entry.next)
            left -= 1
        }
    }

    /// The slot of the path, or the free one where it belongs; one in four is free.
    private func slot(of path: [UInt8], _ hash: UInt32) -> Int {
        let mask = slots.count - 1
        var slot = Int(hash) & mask
        while slots[slot] != 0 {
            if UInt32(truncatingIfNeeded: slots[slot] >> 32) == hash,
                isPath(path, of: entries[Int(slots[slot] & 0xffff_ffff) - 1])
            {
                return slot
            }
            slot = (slot + 1) & mask
        }
        return slot
    }

    /// Whether the path is the entry's, byte by byte.
    func isPath(_ path: [UInt8], of entry: Entry) -> Bool {
        let folder = bounds(of: entry.folder)
        let length = Int(entry.nameLength)
        guard path.count == folder.count + 1 + length else { return false }
        let nameStart = Int(entry.name)
        let path = path.span
        let names = names.span
        for index in 0..<length where names[nameStart + index] != path[folder.count + 1 + index] { return false }
        let folders = folders.span
        for index in 0..<folder.count where folders[folder.lowerBound + index] != path[index] { return false }
        return path[folder.count] == UInt8(ascii: "/")
    }

    private func bounds(of folder: UInt32) -> Range<Int> {
        (folder == 0 ? 0 : Int(folderEnds[Int(folder) - 1]))..<Int(folderEnds[Int(folder)])
    }

    /// The number of a folder; most paths lie in the folder of the one before.
    private mutating func number(of folder: ArraySlice<UInt8>) -> UInt32 {
        if let last = entries.last?.folder, folders[bounds(of: last)].elementsEqual(folder) { return last }
        let key = Array(folder)
        if let number = folderNumbers[key] { return number }
        let number = UInt32(truncatingIfNeeded: folderEnds.count)
        folders.append(contentsOf: folder)
        folderEnds.append(UInt32(truncatingIfNeeded: folders.count))
        folderNumbers[key] = number
        return number
    }

    private mutating func append(
        _ name: UInt32, _ folder: UInt32, _ next: UInt32, _ package: UInt16, _ nameLength: UInt8
    ) {
        entries.append(
            Entry(
                name: name, folder: folder, next: next, package: package, nameLength: nameLength, flags: [], high: 0,
                low: 0))
    }

    private mutating func grow() {
        var larger = [UInt64](repeating: 0, count: slots.count * 2)
        let mask = larger.count - 1
        for slot in slots where slot != 0 {
            var place = Int(slot >> 32) & mask
            while larger[place] != 0 { place = (place + 1) & mask }
            larger[place] = slot
        }
        slots = larger
    }

    private static func hash(_ path: [UInt8]) -> UInt32 {
        var hasher = Hasher()
        path.withUnsafeBytes { hasher.combine(bytes: $0) }
        return UInt32(truncatingIfNeeded: hasher.finalize())
    }
}
