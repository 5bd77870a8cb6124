// SPDX-License-Identifier: Apache-2.0

// dpkg's diversions: files that one package has moved aside for its own.

/// Where files really lie (`dpkg-divert(1)`; dpkg's `lib/dpkg/db-fsys-divert.c`).
///
/// The file is three lines for each: the path, the path it is moved to, and the package that moves it, `:` for the
/// administrator. The package that diverts keeps the path, every other package's file lies at the second one.
struct DpkgDiversions: Sendable {
    private struct Diversion {
        let target: [UInt8]
        /// `:` for the administrator's, which is no package's name and so holds for all of them.
        let by: String
    }

    private var diversions: [[UInt8]: Diversion] = [:]
    /// The lengths of the diverted paths, modulo 64: most paths are none of them, and this says so at once.
    private var lengths: UInt64 = 0

    init() {}

    init(_ bytes: [UInt8], file: String, problems: inout ProblemList) {
        var lines = DpkgLines(bytes, file: file)
        var entry: [Range<Int>] = []
        while let line = lines.next() {
            entry.append(line)
            guard entry.count == 3 else { continue }
            let path = bytes[entry[0]]
            let target = bytes[entry[1]]
            let package = lines.text(line)
            if path.first != UInt8(ascii: "/") || target.first != UInt8(ascii: "/") || package.isEmpty {
                problems.add(lines.problem(at: entry[0].lowerBound, "a diversion of no path, to no path or by nobody"))
            } else if diversions[Array(path)] != nil {
                problems.add(lines.problem(at: entry[0].lowerBound, "\(lines.text(entry[0])) is diverted twice"))
            } else {
                diversions[Array(path)] = Diversion(target: Array(target), by: package)
                lengths |= 1 << UInt64(path.count & 63)
            }
            entry = []
        }
        if let problem = lines.cut {
            problems.add(problem)
        } else if let line = entry.first {
            problems.add(lines.problem(.packageCut, at: line.lowerBound, "the last diversion has not three lines"))
        }
    }

    /// Where the file that a package calls `path` lies; nil when there.
    func target(of path: [UInt8], in package: String) -> [UInt8]? {
        guard lengths & 1 << UInt64(path.count & 63) != 0, let diversion = diversions[path] else { return nil }
        return diversion.by == package ? nil : diversion.target
    }
}
