// SPDX-License-Identifier: Apache-2.0

// A policy with all its files in one signed file, as an administrator ships it.

internal import FlowModel

/// A policy and the files it names, signed as a whole; immutable, and never unpacked.
///
/// A bundle is text where its files are:
/// ```
/// weir-policy-bundle 1
/// signature BASE64            Ed25519, over the first line and all lines from `key` to the empty one
/// key BASE64
/// name laptops
/// version 17
/// created 2026-11-24
/// file BYTES SHA256 policy.yaml
/// file BYTES SHA256 lists/hosts.txt
///                             an empty line, then the files without anything between or behind them
/// ```
/// Nothing after `key` is looked at before the signature holds, and no file before its digest does.
public struct PolicyBundle: Sendable {
    static let heading = "weir-policy-bundle 1\n"

    public let name: String
    /// 1…999,999,999; a machine takes no lower one than it has had.
    public let version: Int
    /// `2026-11-24`; for people.
    public let created: String
    /// The key that signed it.
    public let key: BundleKey
    /// SHA-256 of what was signed, 64 hexadecimal digits: the same for the same files, name, version and key.
    public let digest: String
    /// The policy document.
    public let document: PolicyFile
    /// All its files, for the reader of the document; there is no way from here to any other file.
    public let files: any PolicyFiles
    /// The paths of its files with their sizes in bytes, the document first.
    public let contents: [(path: String, bytes: Int)]

    /// Reads a bundle that one of some keys must have signed.
    ///
    /// Takes time and memory in proportion to the bytes, whatever they are.
    public static func read(
        _ bytes: [UInt8], trusting keys: [BundleKey]
    ) throws(BundleProblem) -> PolicyBundle {
        try read(bytes) { key, signature, message throws(BundleProblem) in
            guard keys.contains(key) else {
                let trusted = keys.map(\.description).joined(separator: ", ")
                throw BundleProblem(
                    .untrustedKey,
                    "the bundle is signed with the key \(key), and trusted is \(trusted.isEmpty ? "none" : trusted): "
                        + "sign it with a trusted key")
            }
            try check(key, signature, message)
        }
    }

    /// Reads a bundle that anybody may have signed: its files are what its maker put in, and who that was is not proved.
    public static func readUntrusted(_ bytes: [UInt8]) throws(BundleProblem) -> PolicyBundle {
        try read(bytes, check)
    }

    /// Reads a bundle without asking for its signature, so that a fuzzer comes past it.
    @_spi(Fuzzing) public static func readUnsigned(_ bytes: [UInt8]) throws(BundleProblem) -> PolicyBundle {
        try read(bytes) { _, _, _ throws(BundleProblem) in }
    }

    /// Whether bytes want to be a bundle, so that they are read as one or refused, never taken for a document.
    public static func isBundle(_ bytes: [UInt8]) -> Bool { bytes.starts(with: "weir-policy-bundle".utf8) }

    private static func check(_ key: BundleKey, _ signature: [UInt8], _ message: [UInt8]) throws(BundleProblem) {
        guard key.verifies(signature, over: message) else {
            throw BundleProblem(
                .badSignature, "the manifest is not what the key \(key) signed: fetch the bundle again from its maker")
        }
    }

    private static func read(
        _ bytes: [UInt8],
        _ trust: (_ key: BundleKey, _ signature: [UInt8], _ message: [UInt8]) throws(BundleProblem) -> Void
    ) throws(BundleProblem) -> PolicyBundle {
        let limit = PolicyLimits.bundleBytes.value
        guard bytes.count <= limit else {
            throw BundleProblem(.tooLarge, "a bundle has at most \(limit) bytes, this one \(bytes.count): split it")
        }
        guard bytes.starts(with: heading.utf8) else {
            throw isBundle(bytes)
                ? BundleProblem(.otherFormat, "the bundle is of another format than 1: use the weir that made it")
                : BundleProblem(.notABundle, "this is no policy bundle: make one with `weir policy bundle make`")
        }
        var rest = bytes.dropFirst(heading.utf8.count)
        guard let signature = line("signature", of: 88, &rest).flatMap({ Base64Text.bytes($0) }) else {
            throw BundleProblem(.syntax, "the second line of the bundle is no signature: make the bundle again")
        }
        let manifestLimit = PolicyLimits.bundleManifestBytes.value
        guard let manifestBytes = manifest(rest.prefix(manifestLimit)) else {
            throw BundleProblem(
                rest.count > manifestLimit ? .tooLarge : .truncated,
                "the manifest does not end within \(manifestLimit) bytes: make the bundle again")
        }
        rest = rest.dropFirst(manifestBytes.count)
        var keyLine = manifestBytes
        guard let key = line("key", of: 44, &keyLine).flatMap({ BundleKey($0) }) else {
            throw BundleProblem(.syntax, "the third line of the bundle is no key: make the bundle again")
        }
        let message = Array(heading.utf8) + manifestBytes
        try trust(key, signature, message)
        guard let text = String(validating: manifestBytes, as: UTF8.self) else {
            throw BundleProblem(.notText, "the manifest is not UTF-8 text: make the bundle again")
        }
        let manifest = try BundleManifest.read(text)
        return PolicyBundle(manifest, try files(manifest, rest), digest: BundleManifest.sha256(message))
    }

    private init(_ manifest: BundleManifest, _ files: [PolicyFile], digest: String) {
        name = manifest.name
        version = manifest.version
        created = manifest.created
        key = manifest.key
        self.digest = digest
        // There is at least one: `BundleManifest.check`.
        document = files.first ?? PolicyFile(name: "", text: "")
        self.files = BundleFiles(texts: Dictionary(files.map { ($0.name, $0.text) }) { first, _ in first })
        contents = manifest.files.map { ($0.path, $0.bytes) }
    }

    /// What follows a word on a line of known length; nil when the line is another.
    private static func line(_ word: String, of count: Int, _ rest: inout ArraySlice<UInt8>) -> String? {
        let line = rest.prefix(word.utf8.count + 1 + count + 1)
        guard line.starts(with: "\(word) ".utf8), line.count == word.utf8.count + count + 2,
            line.last == UInt8(ascii: "\n")
        else { return nil }
        rest = rest.dropFirst(line.count)
        return String(validating: line.dropFirst(word.utf8.count + 1).dropLast(), as: UTF8.self)
    }

    /// The lines up to the empty one, which belongs to them; nil when there is none.
    private static func manifest(_ bytes: ArraySlice<UInt8>) -> ArraySlice<UInt8>? {
        var before: UInt8 = 0
        for (index, byte) in zip(bytes.indices, bytes) {
            if byte == UInt8(ascii: "\n"), before == byte { return bytes[...index] }
            before = byte
        }
        return nil
    }

    private static func files(
        _ manifest: BundleManifest, _ bodies: ArraySlice<UInt8>
    ) throws(BundleProblem) -> [PolicyFile] {
        var rest = bodies
        var files: [PolicyFile] = []
        for file in manifest.files {
            guard file.bytes <= rest.count else {
                throw BundleProblem(
                    .truncated,
                    "the bundle ends inside `\(file.path)`, \(file.bytes - rest.count) bytes early: fetch it again")
            }
            let body = rest.prefix(file.bytes)
            rest = rest.dropFirst(file.bytes)
            guard BundleManifest.sha256(body) == file.sha256 else {
                throw BundleProblem(
                    .alteredFile, "`\(file.path)` is not the file that was signed: fetch the bundle again")
            }
            guard let text = String(validating: body, as: UTF8.self) else {
                throw BundleProblem(.notText, "`\(file.path)` is not UTF-8 text: save it as UTF-8 and sign it again")
            }
            files.append(PolicyFile(name: file.path, text: text))
        }
        guard rest.isEmpty else {
            throw BundleProblem(
                .extraBytes, "\(rest.count) bytes behind the last file belong to no file: fetch the bundle again")
        }
        return files
    }
}

/// The files of a bundle, found by their paths inside it.
struct BundleFiles: PolicyFiles {
    let texts: [String: String]

    func text(of path: String, namedBy document: String) throws(PolicyFileProblem) -> PolicyFile {
        guard !path.hasPrefix("/") else {
            throw PolicyFileProblem("a bundle reaches no file outside itself: name it from the document's folder")
        }
        // As from a disk: from the folder of the file that names it.
        var names = document.split(separator: "/").dropLast()
        for name in path.split(separator: "/") where name != "." {
            if name != ".." {
                names.append(name)
            } else if names.popLast() == nil {
                throw PolicyFileProblem("a bundle reaches no file outside itself")
            }
        }
        let inside = names.joined(separator: "/")
        guard let text = texts[inside] else {
            throw PolicyFileProblem("the bundle holds no file `\(Quoted.short(inside))`")
        }
        return PolicyFile(name: inside, text: text)
    }
}
