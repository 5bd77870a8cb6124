// SPDX-License-Identifier: Apache-2.0

// Whether the pages of a slice are those that were signed.

import Crypto
import FlowModel

/// Compares every page with the hashes of every directory, in one pass over the slice.
///
/// Apple's `validateExecutable` does the same: a page must match in all directories, not only in the best.
public enum PageCheck {
    /// The first page that one directory does not know.
    public struct BadPage: Hashable, Sendable {
        /// The slot of the directory.
        public let directory: UInt32
        public let page: Int
        /// Where the page begins in the slice.
        public let offset: UInt64
    }

    /// Hashes the slice, and gives the first bad page of each directory that has one; empty means that all match.
    ///
    /// Memory is bounded by one chunk. Throws `outOfBounds` when a directory covers more than the slice has, and what
    /// the source throws.
    public static func badPages(_ source: any ByteSource, _ directories: [CodeDirectory]) throws(CodeProblem)
        -> [BadPage]
    {
        var runs = directories.map(PageRun.init)
        let end = directories.map(\.codeLimit).max() ?? 0
        guard end <= source.count else {
            throw CodeProblem(.outOfBounds, at: source.count, "a directory covers \(end) bytes of \(source.count)")
        }
        var offset: UInt64 = 0
        while offset < end, runs.contains(where: { $0.bad == nil }) {
            let count = min(end - offset, UInt64(CodeIdentityLimits.pageCheckChunk.value))
            try source.read(at: offset, count: Int(count)).withUnsafeBytes { chunk in
                for index in runs.indices { runs[index].feed(chunk) }
            }
            offset += count
        }
        return runs.compactMap(\.bad)
    }
}

/// The pages of one directory, hashed as the slice streams by.
///
/// Cases instead of a protocol, so that the compiler knows the hash in the loop over pages: twice as fast at 4 KiB.
private enum PageRun {
    case sha1(DirectoryRun<Insecure.SHA1>)
    case sha256(DirectoryRun<SHA256>)
    case sha384(DirectoryRun<SHA384>)

    init(_ directory: CodeDirectory) {
        switch directory.hashType {
        case .sha1: self = .sha1(DirectoryRun(directory))
        case .sha256, .sha256Truncated: self = .sha256(DirectoryRun(directory))
        case .sha384: self = .sha384(DirectoryRun(directory))
        }
    }

    var bad: PageCheck.BadPage? {
        switch self {
        case .sha1(let run): run.bad
        case .sha256(let run): run.bad
        case .sha384(let run): run.bad
        }
    }

    mutating func feed(_ chunk: UnsafeRawBufferPointer) {
        switch self {
        case .sha1(var run):
            run.feed(chunk)
            self = .sha1(run)
        case .sha256(var run):
            run.feed(chunk)
            self = .sha256(run)
        case .sha384(var run):
            run.feed(chunk)
            self = .sha384(run)
        }
    }
}

private struct DirectoryRun<Function: HashFunction> {
    private let directory: CodeDirectory
    private let pageSize: UInt64
    private var hash = Function()
    private var page = 0
    /// Where the current page begins.
    private var start: UInt64 = 0
    /// Bytes of the current page that are still to come.
    private var missing: UInt64
    private(set) var bad: PageCheck.BadPage?

    init(_ directory: CodeDirectory) {
        self.directory = directory
        pageSize = directory.pageShift == 0 ? directory.codeLimit : UInt64(1) << UInt64(directory.pageShift)
        missing = min(pageSize, directory.codeLimit)
    }

    mutating func feed(_ chunk: UnsafeRawBufferPointer) {
        var rest = chunk[...]
        while !rest.isEmpty, missing > 0, bad == nil {
            let part = rest.prefix(Int(min(missing, UInt64(rest.count))))
            hash.update(bufferPointer: UnsafeRawBufferPointer(rebasing: part))
            rest = rest.dropFirst(part.count)
            missing -= UInt64(part.count)
            if missing == 0 { finishPage() }
        }
    }

    private mutating func finishPage() {
        // A cut digest is compared as far as it is kept; a page without a hash does not occur, and is bad.
        let digest = hash.finalize()
        let same = directory.codeHash(page).map { digest.starts(with: $0) } ?? false
        if !same {
            bad = PageCheck.BadPage(directory: directory.slot, page: page, offset: start)
        }
        hash = Function()
        page += 1
        // Never beyond the limit, so nothing here overflows.
        start += min(pageSize, directory.codeLimit - start)
        missing = min(pageSize, directory.codeLimit - start)
    }
}
