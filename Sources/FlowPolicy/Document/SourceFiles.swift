// SPDX-License-Identifier: Apache-2.0

// The files of a policy: opened through the caller's door, counted, bounded and hashed.

internal import Crypto
internal import FlowModel

/// Every file that a policy is read from, in the order in which they were opened.
struct SourceFiles {
    private let door: (any PolicyFiles)?
    private(set) var names: [String] = []
    private(set) var texts: [String] = []
    private var bytes = 0
    private var hash = SHA256()

    init(_ door: (any PolicyFiles)?) { self.door = door }

    func name(_ place: Place) -> String { names.indices.contains(place.file) ? names[place.file] : "" }

    /// SHA-256 over all texts, in 64 hexadecimal digits.
    ///
    /// Where a document stands alone it is that of its text, so any tool can check it. Each further file adds a zero
    /// byte, its path as the policy has it, a zero byte, its size, a zero byte and its text: the same files in another
    /// folder have the same digest, and no two policies can be taken for each other, because a document that holds a
    /// zero byte is refused.
    var digest: String {
        hash.finalize().map { byte in
            let digits = String(byte, radix: 16)
            return digits.utf8.count == 1 ? "0" + digits : digits
        }.joined()
    }

    /// Takes a text in; the first is the document.
    mutating func add(_ name: String, path: String, _ text: String) -> Int {
        if !names.isEmpty { hash.update(data: Array("\0\(path)\0\(text.utf8.count)\0".utf8)) }
        hash.update(data: Array(text.utf8))
        names.append(name)
        texts.append(text)
        bytes += text.utf8.count
        return names.count - 1
    }

    /// Opens a file, or says why not.
    fileprivate mutating func open(
        _ path: String, namedBy document: String, _ limit: Limit
    ) throws(DocumentText.Fault) -> Int {
        guard let door else {
            throw .init(.unreadable, Place(), "files cannot be named here: write their content into the document")
        }
        guard names.count < PolicyLimits.files.value else {
            throw .init(
                .tooMany, Place(), "this is more than \(PolicyLimits.files.value) files in one policy: join some")
        }
        let file: PolicyFile
        do throws(PolicyFileProblem) {
            file = try door.text(of: path, namedBy: document)
        } catch {
            throw .init(.unreadable, Place(), "`\(Quoted.short(path))` cannot be read: \(error)")
        }
        guard file.text.utf8.count <= limit.value else {
            throw .init(
                .tooLarge, Place(), "`\(Quoted.short(path))` has more than \(limit.value) bytes: split it")
        }
        guard bytes + file.text.utf8.count <= PolicyLimits.totalBytes.value else {
            throw .init(
                .tooLarge, Place(),
                "with `\(Quoted.short(path))` the files of this policy have more than "
                    + "\(PolicyLimits.totalBytes.value) bytes together: take out what it need not hold")
        }
        return add(file.name, path: path, file.text)
    }
}

extension NodeReading {
    /// Opens the file that a node names; notes why where it cannot be had.
    mutating func open(_ node: DocumentNode, _ what: String, _ limit: Limit) -> Int? {
        guard let path = line(node, what, PolicyLimits.pathCharacters) else {
            isIncomplete = true
            return nil
        }
        do throws(DocumentText.Fault) {
            return try sources.open(path, namedBy: sources.name(node.place), limit)
        } catch {
            note(error.code, node, error.message)
            isIncomplete = true
            return nil
        }
    }

    /// The tree of a file; notes why where it cannot be read.
    mutating func compose(_ file: Int) -> DocumentNode? {
        do throws(DocumentText.Fault) {
            return try DocumentText.compose(sources.texts[file], file: file)
        } catch {
            var place = error.place
            place.file = file
            let rest = " (the rest of this file was not read)"
            note(error.code, place, error.message + (error.code == .missingKey ? "" : rest))
            isIncomplete = true
            return nil
        }
    }
}
