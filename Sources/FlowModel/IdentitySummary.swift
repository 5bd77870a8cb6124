// SPDX-License-Identifier: Apache-2.0

// Who made a flow, in the few words that policy and events need.

/// The classes of code that policy tells apart.
public enum CodeClass: String, Sendable, Codable, CaseIterable {
    case os
    case platformInteractive = "platform-interactive"
    case userCarryingPinned = "user-carrying-pinned"
    case vendor
    case thirdParty = "third-party"
    case unsigned
}

/// Why the code behind a flow is not known.
///
/// Each cause can have its own verdict.
public enum UnknownCause: String, Sendable, Codable, CaseIterable {
    /// The intake cannot know, for example a connection from another machine.
    case notAsked = "not-asked"
    /// The process had gone before it could be looked up.
    case exited
    /// The system did not answer in time, or refused.
    case unresolved
}

/// What is known of the code behind a flow.
///
/// `executable` is a label for people: it proves nothing, and policy treats it so.
public struct IdentitySummary: Hashable, Sendable {
    public enum Class: Hashable, Sendable {
        case known(CodeClass)
        case unknown(UnknownCause)
    }

    public var codeClass: Class
    /// The path of the executable as the system names it.
    public var executable: String?
    public var processID: Int32?
    public var userID: UInt32?

    public init(_ codeClass: Class, executable: String? = nil, processID: Int32? = nil, userID: UInt32? = nil) {
        self.codeClass = codeClass
        self.executable = executable
        self.processID = processID
        self.userID = userID
    }
}
