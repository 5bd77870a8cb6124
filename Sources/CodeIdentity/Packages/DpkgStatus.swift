// SPDX-License-Identifier: Apache-2.0

// dpkg's status file and its journal: which packages there are, in which state, with which configuration files.

import FlowModel

/// One package as the status file tells it (deb822; dpkg's `lib/dpkg/parse.c`).
struct DpkgPackage: Sendable {
    enum State: Sendable {
        case notInstalled
        /// Removed: only configuration files are left.
        case configFiles
        /// Half way between two versions, or not set up.
        case unsettled
        case settled
    }

    struct Conffile: Sendable {
        let path: [UInt8]
        let digest: MD5Digest
    }

    var name = ""
    var architecture = ""
    var version = ""
    var state: State?
    /// `Multi-Arch: same`: several architectures may be installed side by side, so files are named for each.
    var coinstallable = false
    /// Those with a digest.
    var conffiles: [Conffile] = []

    /// How this package's files in dpkg's `info` begin.
    var stem: String { coinstallable && !architecture.isEmpty ? "\(name):\(architecture)" : name }
}

/// The packages of a status file, with its journal applied.
struct DpkgStatus: Sendable {
    /// In the order of the file.
    private(set) var packages: [DpkgPackage] = []
    private var places: [Instance: Int] = [:]

    private struct Instance: Hashable {
        let name: String
        let architecture: String
    }

    /// Reads the entries of a status file, or of a file of the journal, whose entries replace earlier ones.
    mutating func read(_ bytes: [UInt8], file: String, replacing: Bool = false, problems: inout ProblemList) {
        var lines = DpkgLines(bytes, file: file)
        var package = DpkgPackage()
        var begin: Int?
        var inConffiles = false
        while let line = lines.next() {
            guard let first = bytes[line].first else {
                if let begin { add(package, begin, lines, replacing, &problems) }
                package = DpkgPackage()
                begin = nil
                inConffiles = false
                continue
            }
            if begin == nil { begin = line.lowerBound }
            if first == UInt8(ascii: " ") || first == UInt8(ascii: "\t") {
                if inConffiles { readConffile(line, lines, into: &package, &problems) }
                continue
            }
            inConffiles = readField(line, lines, into: &package, &problems)
        }
        if let cut = lines.cut {
            // The entry lacks an end, and what it lacks may be its state.
            problems.add(cut)
        } else if let begin {
            add(package, begin, lines, replacing, &problems)
        }
    }

    private mutating func add(
        _ package: DpkgPackage, _ begin: Int, _ lines: DpkgLines, _ replacing: Bool, _ problems: inout ProblemList
    ) {
        guard !package.name.isEmpty, package.state != nil else {
            problems.add(lines.problem(.packageEntry, at: begin, "an entry ends here without Package or Status"))
            return
        }
        let instance = Instance(name: package.name, architecture: package.architecture)
        if let place = places[instance] {
            if !replacing { problems.add(lines.problem(.packageEntry, at: begin, "\(package.name) a second time")) }
            packages[place] = package
        } else if packages.count < CodeIdentityLimits.packageCount.value {
            places[instance] = packages.count
            packages.append(package)
        } else {
            problems.add(lines.problem(.limit, at: begin, "\(package.name): \(CodeIdentityLimits.packageCount.name)"))
        }
    }

    /// Reads one field; true when it is the one whose further lines are wanted.
    private func readField(
        _ line: Range<Int>, _ lines: DpkgLines, into package: inout DpkgPackage, _ problems: inout ProblemList
    ) -> Bool {
        guard let colon = lines.bytes[line].firstIndex(of: UInt8(ascii: ":")), colon > line.lowerBound else {
            problems.add(lines.problem(at: line.lowerBound, "a field without a colon"))
            return false
        }
        // The longest name that is wanted; the others may have any length.
        guard colon - line.lowerBound <= 12 else { return false }
        let name = lines.text(line.lowerBound..<colon).lowercased()
        if name == "conffiles" { return true }
        guard ["package", "status", "architecture", "version", "multi-arch"].contains(name) else { return false }
        let value = lines.bytes[(colon + 1)..<line.upperBound].trimmed
        guard value.count <= CodeIdentityLimits.packagePathBytes.value else {
            problems.add(lines.problem(at: line.lowerBound, "the value of \(name) has \(value.count) bytes"))
            return false
        }
        switch name {
        case "package": package.name = lines.text(value.indices)
        case "architecture": package.architecture = lines.text(value.indices)
        case "version": package.version = lines.text(value.indices)
        case "multi-arch": package.coinstallable = lines.text(value.indices) == "same"
        default:
            package.state = Self.state(lines.text(value.indices))
            if package.state == nil { problems.add(lines.problem(at: line.lowerBound, "an unknown package state")) }
        }
        return false
    }

    /// The state in `want flag state`; nil when there is no such (dpkg's `lib/dpkg/namevalue.c`).
    private static func state(_ text: String) -> DpkgPackage.State? {
        let words = text.split(separator: " ")
        guard words.count == 3 else { return nil }
        let state: DpkgPackage.State
        switch words[2] {
        // Waiting for another package's trigger: the files are in place and set up.
        case "installed", "triggers-awaited", "triggers-pending": state = .settled
        case "half-installed", "unpacked", "half-configured": state = .unsettled
        case "config-files": state = .configFiles
        case "not-installed": state = .notInstalled
        default: return nil
        }
        return words[1] == "ok" || state == .notInstalled ? state : .unsettled
    }

    /// Reads ` PATH MD5 [obsolete] [remove-on-upgrade]`; the path may hold spaces, so it is read from its end.
    private func readConffile(
        _ line: Range<Int>, _ lines: DpkgLines, into package: inout DpkgPackage, _ problems: inout ProblemList
    ) {
        var rest = lines.bytes[line].trimmed
        var word = rest.takeLastWord()
        while word.elementsEqual("obsolete".utf8) || word.elementsEqual("remove-on-upgrade".utf8) {
            word = rest.takeLastWord()
        }
        guard rest.first == UInt8(ascii: "/") else {
            problems.add(lines.problem(at: line.lowerBound, "a configuration file without path or digest"))
            return
        }
        // Not set up yet, so there is no digest.
        if word.elementsEqual("newconffile".utf8) { return }
        guard let digest = MD5Digest(hexadecimal: word.span) else {
            problems.add(lines.problem(at: line.lowerBound, "a configuration file's digest is no MD5"))
            return
        }
        package.conffiles.append(.init(path: Array(rest), digest: digest))
    }
}

extension ArraySlice<UInt8> {
    fileprivate var trimmed: ArraySlice<UInt8> {
        var rest = drop { $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "\t") }
        while let last = rest.last, last == UInt8(ascii: " ") || last == UInt8(ascii: "\t") { rest.removeLast() }
        return rest
    }

    /// Cuts off and gives the part behind the last space; the whole when there is none.
    fileprivate mutating func takeLastWord() -> ArraySlice<UInt8> {
        guard let space = lastIndex(of: UInt8(ascii: " ")) else {
            defer { self = [] }
            return self
        }
        let word = self[(space + 1)...]
        self = self[..<space].trimmed
        return word
    }
}
