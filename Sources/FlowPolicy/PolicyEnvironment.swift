// SPDX-License-Identifier: Apache-2.0

// What a policy document is read against: everything it may refer to that does not stand in it.

/// Gives the text of files that a policy names.
///
/// This room opens no file; a program that reads policies from a disk, a bundle or a test supplies the door.
public protocol PolicyFiles: Sendable {
    /// The text of a file; `path` is as the document has it, `document` is the file that names it.
    func text(of path: String, namedBy document: String) throws(PolicyFileProblem) -> PolicyFile
}

/// A file that a policy names.
public struct PolicyFile: Sendable {
    /// What to call it in problems; also tells whether two paths lead to the same file.
    public let name: String
    public let text: String

    public init(name: String, text: String) {
        self.name = name
        self.text = text
    }
}

/// Why a file cannot be had, in a few words that end a sentence: `there is no such file`.
public struct PolicyFileProblem: Error, Sendable, CustomStringConvertible {
    public let description: String

    public init(_ description: String) { self.description = description }
}

/// Everything a policy document may refer to that does not stand in it.
public struct PolicyEnvironment: Sendable {
    /// The detectors that exist.
    public var detectors: [DetectorName]
    public var catalogues: Catalogues
    /// The system whose flows are judged: its rows of the catalogues are left alone.
    public var system: CatalogueSystem = .current
    /// Nil where no file can be named.
    public var files: (any PolicyFiles)?
    /// The number of a user of this machine.
    public var userID: @Sendable (String) -> UInt32?
    /// Names this device for roll-outs: any text that stays the same.
    ///
    /// Nil takes part in no partial roll-out.
    public var device: String?
    /// Where the rings of a roll-out stand on this device, by its salt; nil for one that begins.
    public var ringState: @Sendable (String) -> RolloutRings.State? = { _ in nil }
    /// The most that a policy may do on this machine for now; nil for all of it.
    public var modeCap: ModeCap?

    public init(
        detectors: [DetectorName], catalogues: Catalogues = .shipped, files: (any PolicyFiles)? = nil,
        userID: @escaping @Sendable (String) -> UInt32? = { _ in nil }, device: String? = nil,
        modeCap: ModeCap? = nil
    ) {
        self.detectors = detectors
        self.catalogues = catalogues
        self.files = files
        self.userID = userID
        self.device = device
        self.modeCap = modeCap
    }
}
