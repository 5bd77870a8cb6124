// SPDX-License-Identifier: Apache-2.0

// Reading dpkg's database, file by file, into the index.

import FlowModel

/// The index while it is filled.
struct DpkgFilling {
    static let folder = "var/lib/dpkg/"

    private(set) var packages: [DpkgPackage]
    private(set) var table = PackagePathTable()
    let folders: MergedFolders
    let journalPending: Bool
    private(set) var problems = ProblemList()
    private let files: any PackageFiles
    private let diversions: DpkgDiversions
    /// Bytes that may still be read.
    private var budget = CodeIdentityLimits.packageDatabaseBytes.value
    private var full = false

    /// Reads everything but the packages' own files.
    init(_ files: any PackageFiles) throws(CodeProblem) {
        self.files = files
        var problems = ProblemList()
        var status = DpkgStatus()
        status.read(
            try files.read(Self.folder + "status", limit: CodeIdentityLimits.packageFileBytes.value), file: "status",
            problems: &problems)
        journalPending = Self.readJournal(files, into: &status, &problems)
        packages = status.packages
        folders = MergedFolders(of: files, problems: &problems)
        diversions = Self.readDiversions(files, &problems)
        self.problems = problems
    }

    /// Applies the changes that dpkg has not yet written into the status file; true when there are any.
    private static func readJournal(
        _ files: any PackageFiles, into status: inout DpkgStatus, _ problems: inout ProblemList
    ) -> Bool {
        guard files.key(of: folder + "updates") != nil else { return false }
        do {
            // dpkg numbers them; what has another name is about to be one.
            let names = try files.names(in: folder + "updates", limit: CodeIdentityLimits.packageNames.value)
            for name in names.sorted() where name.utf8.allSatisfy({ $0 >= 0x30 && $0 <= 0x39 }) {
                let bytes = try files.read(
                    folder + "updates/" + name, limit: CodeIdentityLimits.packageFileBytes.value)
                status.read(bytes, file: "updates/" + name, replacing: true, problems: &problems)
            }
            return !names.isEmpty
        } catch {
            problems.add(error)
            return true
        }
    }

    private static func readDiversions(_ files: any PackageFiles, _ problems: inout ProblemList) -> DpkgDiversions {
        guard files.key(of: folder + "diversions") != nil else { return DpkgDiversions() }
        do {
            let bytes = try files.read(folder + "diversions", limit: CodeIdentityLimits.packageFileBytes.value)
            return DpkgDiversions(bytes, file: "diversions", problems: &problems)
        } catch {
            problems.add(error)
            return DpkgDiversions()
        }
    }

    /// Reads the lists and digests of all packages.
    mutating func readAll() {
        var present: Set<String>
        do {
            present = Set(try files.names(in: Self.folder + "info", limit: CodeIdentityLimits.packageNames.value))
        } catch {
            problems.add(error)
            return
        }
        // Backwards, because the owner added last is the first one told: so owners keep the order of the file.
        for number in packages.indices.reversed() where packages[number].state != .notInstalled {
            let package = packages[number]
            // A package has the name for the other case while it changes from one to the other.
            let stems = [package.stem, package.name, "\(package.name):\(package.architecture)"]
            guard let stem = stems.first(where: { present.contains($0 + ".list") }) else {
                problems.add(CodeProblem(.packageList, "\(package.stem) has no list of files"))
                continue
            }
            // What is left over in the end is nobody's.
            present.remove(stem + ".list")
            guard let list = read("info/\(stem).list") else { continue }
            let number = UInt16(truncatingIfNeeded: number)
            addPaths(list, file: "info/\(stem).list", number)
            // Of a removed package only configuration files are left, and nothing that vouches for them.
            if package.state == .configFiles { continue }
            if present.contains(stem + ".md5sums"), let digests = read("info/\(stem).md5sums") {
                addDigests(digests, file: "info/\(stem).md5sums", number)
            }
            for conffile in package.conffiles {
                table.set(conffile.digest, conffile: true, of: place(conffile.path, package.name), package: number)
            }
        }
        let lists = present.count { $0.hasSuffix(".list") }
        if lists > 0 { problems.add(CodeProblem(.packageList, "\(lists) lists of files belong to no package")) }
    }

    /// Gives back what only filling needs.
    consuming func finish() -> DpkgFilling {
        table.finish()
        for number in packages.indices { packages[number].conffiles = [] }
        return self
    }

    /// Notes the paths of a `.list`: one a line, folders too.
    ///
    /// A line whose next line lies below it is a folder, and left out; the few other folders do no harm, because
    /// nobody asks for them.
    private mutating func addPaths(_ bytes: [UInt8], file: String, _ package: UInt16) {
        var lines = DpkgLines(bytes, file: file)
        let name = packages[Int(package)].name
        var before: Range<Int>?
        while let line = lines.next() {
            defer { before = line }
            guard let before else { continue }
            if !Self.isFolder(before, of: line, bytes) { addPath(before, lines, name, package) }
        }
        if let before { addPath(before, lines, name, package) }
        if let cut = lines.cut { problems.add(cut) }
    }

    private mutating func addPath(_ line: Range<Int>, _ lines: DpkgLines, _ name: String, _ package: UInt16) {
        let bytes = lines.bytes[line]
        // The root folder itself.
        if bytes.elementsEqual("/.".utf8) { return }
        guard bytes.first == UInt8(ascii: "/") else {
            problems.add(lines.problem(at: line.lowerBound, "a path that does not begin with /, up to here"))
            return
        }
        switch table.add(place(Array(bytes), name), package: package) {
        case .added, .known: break
        case .malformed: problems.add(lines.problem(at: line.lowerBound, "no path of a file, up to here"))
        case .full:
            if !full { problems.add(CodeProblem(.limit, "\(lines.file): \(CodeIdentityLimits.packagePaths.name)")) }
            full = true
        }
    }

    private static func isFolder(_ line: Range<Int>, of next: Range<Int>, _ bytes: [UInt8]) -> Bool {
        next.count > line.count && bytes[next.lowerBound + line.count] == UInt8(ascii: "/")
            && bytes[next].starts(with: bytes[line])
    }

    /// Notes the digests of a `.md5sums`: 32 digits, two spaces and the path without `/` in front, a line.
    private mutating func addDigests(_ bytes: [UInt8], file: String, _ package: UInt16) {
        var lines = DpkgLines(bytes, file: file)
        let name = packages[Int(package)].name
        let span = bytes.span
        var path: [UInt8] = []
        while let line = lines.next() {
            guard line.count > 34, span[line.lowerBound + 32] == UInt8(ascii: " "),
                let digest = MD5Digest(hexadecimal: span.extracting(line.lowerBound..<line.lowerBound + 32))
            else {
                problems.add(lines.problem(at: line.lowerBound, "no digest and path"))
                continue
            }
            path.removeAll(keepingCapacity: true)
            path.append(UInt8(ascii: "/"))
            path.append(contentsOf: bytes[line.lowerBound + 34..<line.upperBound])
            table.set(digest, conffile: false, of: place(path, name), package: package)
        }
        if let cut = lines.cut { problems.add(cut) }
    }

    /// Where the file that a package calls `path` lies.
    private func place(_ path: [UInt8], _ package: String) -> [UInt8] {
        let path = diversions.target(of: path, in: package) ?? path
        return folders.folded(path) ?? path
    }

    private mutating func read(_ path: String) -> [UInt8]? {
        do {
            let limit = min(budget, CodeIdentityLimits.packageFileBytes.value)
            let bytes = try files.read(Self.folder + path, limit: limit)
            budget -= bytes.count
            return bytes
        } catch {
            problems.add(error)
            return nil
        }
    }
}
