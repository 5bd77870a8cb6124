// SPDX-License-Identifier: Apache-2.0

// A bundle: a folder that is signed as one, with a main executable that carries the signature.

import FlowModel

/// An application, framework, extension or other bundle, as its files claim it.
///
/// Nothing here is verified: the code directory of the main executable holds the digests of `infoBytes` (slot 1) and
/// `sealBytes` (slot 3).
public struct CodeBundle: Sendable {
    /// Where a bundle keeps what belongs to it.
    public enum Layout: Hashable, Sendable {
        /// In `Contents`.
        case deep
        /// In its own folder.
        case shallow
        /// In `Versions/…`: a framework.
        case versioned(String)
    }

    /// The bundle's folder in the tree.
    public let root: String
    public let layout: Layout
    /// The folder that the resource seal covers, and its paths start from.
    public let base: String
    /// The content of Info.plist; empty when there is none or it could not be read.
    public private(set) var info: [String: PropertyListValue] = [:]
    /// Info.plist as it stands; nil when there is none.
    public private(set) var infoBytes: [UInt8]?
    /// The path of the main executable in the tree; nil when there is none that is a plain file.
    public private(set) var executable: String?
    /// `_CodeSignature/CodeResources` as it stands; nil when there is none.
    public private(set) var sealBytes: [UInt8]?
    /// The parts of a signature that stands in files instead of the executable, by slot; they have no outer blob.
    public private(set) var detached: [UInt32: [UInt8]] = [:]
    /// What could not be read, and what two readers could take differently.
    public private(set) var problems: [CodeProblem] = []

    /// CFBundleIdentifier: a claim, and a label.
    public var identifier: String? { info["CFBundleIdentifier"]?.string }

    /// Reads the bundle at a path of the tree; of a framework, the version asked for or the current one.
    ///
    /// Throws `bundle-layout` when there is no bundle; what is wrong with one is in `problems`.
    public init(_ root: String, version: String? = nil, in tree: some FileTree) throws(CodeProblem) {
        self.root = root
        layout = try Self.layout(root, version: version, in: tree)
        base =
            switch layout {
            case .deep: TreePath.join(root, "Contents")
            case .shallow: root
            case .versioned(let version): TreePath.join(root, "Versions/" + version)
            }
        try readInfo(in: tree)
        findExecutable(in: tree)
        readSignature(in: tree)
    }

    /// The bundle of which the file is the main executable; nil when there is none.
    ///
    /// The path must have no symbolic links: resolve it first. A bundle whose Info.plist cannot be read is also given,
    /// with that problem, when the file lies where its executable would.
    public static func enclosing(_ executable: String, in tree: some FileTree) throws(CodeProblem) -> CodeBundle? {
        var folders = try TreePath.parts(executable).dropLast()
        var version: String?
        if folders.suffix(2) == ["Contents", "MacOS"] {
            folders.removeLast(2)
        } else if folders.count > 2, folders.dropLast().last == "Versions" {
            version = folders.popLast()
            folders.removeLast()
        }
        let bundle: CodeBundle
        do throws(CodeProblem) {
            bundle = try CodeBundle(folders.joined(separator: "/"), version: version, in: tree)
        } catch  where error.code == .bundleLayout {
            return nil
        }
        if bundle.executable == executable { return bundle }
        let isUnreadable = bundle.infoBytes != nil && bundle.problems.contains { $0.code == .bundleInfo }
        return isUnreadable && bundle.layout != .shallow ? bundle : nil
    }

    // MARK: Layout

    private static func layout(
        _ root: String, version: String?, in tree: some FileTree
    ) throws(CodeProblem) -> Layout {
        func kind(_ name: String) throws(CodeProblem) -> FileKind? { try tree.kind(TreePath.join(root, name)) }
        guard try tree.kind(root) == .folder else { throw CodeProblem(.bundleLayout, "\(root) is no folder") }
        if let contents = try kind("Contents") {
            guard contents == .folder else { throw CodeProblem(.bundleLayout, "\(root): Contents is no folder") }
            return .deep
        }
        if try kind("Support Files") != nil {
            throw CodeProblem(.bundleLayout, "\(root): the layout with Support Files is not read")
        }
        if let version {
            guard try kind("Versions/" + version) == .folder else {
                throw CodeProblem(.bundleLayout, "\(root) has no version \(version)")
            }
            return .versioned(version)
        }
        if try kind("Versions") == .folder, case .symbolicLink(let target) = try kind("Versions/Current") {
            let name = target.hasPrefix("./") ? String(target.dropFirst(2)) : target
            guard Self.isName(name), try kind("Versions/" + name) == .folder else {
                throw CodeProblem(.bundleLayout, "\(root): Versions/Current points to no version")
            }
            return .versioned(name)
        }
        let (info, oldInfo) = (try kind("Info.plist"), try kind("Resources/Info.plist"))
        guard info != nil || oldInfo != nil else {
            throw CodeProblem(.bundleLayout, "\(root) is no bundle: it has neither Contents nor Info.plist")
        }
        return .shallow
    }

    /// Whether the text can be the name of one file.
    private static func isName(_ text: String) -> Bool {
        !text.isEmpty && text != "." && text != ".." && !text.utf8.contains { $0 == 0 || $0 == 0x2F }
    }

    // MARK: Info.plist

    private mutating func readInfo(in tree: some FileTree) throws(CodeProblem) {
        let places =
            switch layout {
            case .deep: [""]
            case .shallow: ["", "Resources"]
            case .versioned: ["Resources", ""]
            }
        var found: [String] = []
        for place in places {
            let folder = TreePath.join(base, place)
            guard try tree.kind(folder) == .folder else { continue }
            // Apple's bundles prefer the file that is named for the system.
            for name in ["Info.plist", "Info-macos.plist"] where try tree.kind(TreePath.join(folder, name)) != nil {
                found.append(TreePath.join(folder, name))
            }
        }
        guard let path = found.first else {
            problems.append(CodeProblem(.bundleInfo, "\(root) has no Info.plist"))
            return
        }
        if found.count > 1 {
            problems.append(CodeProblem(.bundleLayout, "\(root) has several: \(found.joined(separator: ", "))"))
        }
        do throws(CodeProblem) {
            let bytes = try tree.read(path, limit: CodeIdentityLimits.bundleFileBytes)
            infoBytes = bytes
            guard let entries = try PropertyList.read(bytes).dictionary else {
                throw CodeProblem(.bundleInfo, "it is no dictionary")
            }
            info = entries
        } catch {
            problems.append(CodeProblem(.bundleInfo, at: error.offset, "\(path): \(error)"))
        }
    }

    private mutating func findExecutable(in tree: some FileTree) {
        guard !info.isEmpty else { return }
        // A key with the name of a system or device overrides the plain one, on that system only.
        for key in info.keys where key.hasPrefix("CFBundleExecutable") && key != "CFBundleExecutable" {
            problems.append(CodeProblem(.bundleExecutable, "\(root): \(key) may name another main executable"))
        }
        let name: String
        switch info["CFBundleExecutable"] {
        case .string(let text): name = text
        case nil:
            // Then it is named like the bundle.
            let last = TreePath.split(root, omitEmpty: true).last ?? ""
            name = last.lastIndex(of: ".").map { String(last[..<$0]) } ?? last
        default: name = ""
        }
        do throws(CodeProblem) {
            guard Self.isName(name) else { throw CodeProblem(.bundleExecutable, "\(root) names no main executable") }
            let path = TreePath.join(layout == .deep ? TreePath.join(base, "MacOS") : base, name)
            guard try tree.isFile(path) else { throw CodeProblem(.bundleExecutable, "\(path) is no plain file") }
            executable = path
        } catch {
            // A bundle of resources has none, and names none.
            if info["CFBundleExecutable"] != nil { problems.append(error) }
        }
    }

    // MARK: Signature files

    private mutating func readSignature(in tree: some FileTree) {
        let folder = TreePath.join(base, "_CodeSignature")
        do throws(CodeProblem) {
            guard try tree.kind(folder) == .folder else { return }
            let seal = TreePath.join(folder, "CodeResources")
            if try tree.kind(seal) != nil {
                sealBytes = try tree.read(seal, limit: CodeIdentityLimits.propertyListBytes)
            }
            // A signature in files is whole or is none; most bundles have theirs in the executable.
            guard try tree.kind(TreePath.join(folder, "CodeDirectory")) != nil else { return }
            for (name, slot) in Self.signatureFiles where try tree.kind(TreePath.join(folder, name)) != nil {
                let limit = CodeIdentityLimits.bundleFileBytes
                detached[slot] = try tree.read(TreePath.join(folder, name), limit: limit)
            }
        } catch {
            problems.append(error)
        }
    }

    /// The files of a detached signature, and the slots they stand for (codedirectory.cpp and CSCommonPriv.h).
    static let signatureFiles: [(name: String, slot: UInt32)] =
        [
            ("CodeDirectory", 0), ("CodeRequirements", 2), ("CodeTopDirectory", 4), ("CodeEntitlements", 5),
            ("CodeRepSpecific", 6), ("CodeEntitlementDER", 7), ("LaunchConstraintSelf", 8),
            ("LaunchConstraintParent", 9), ("LaunchConstraintResponsible", 10), ("LibraryConstraint", 11),
            ("CodeSignature", 0x10000),
        ]
        // Apple names the alternate directories after the requirements.
        + (0..<5).map { ("CodeRequirements-\($0 + 1)", 0x1000 + $0) }
}
