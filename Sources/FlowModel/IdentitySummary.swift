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
    /// The flow names no process: no audit token came with it, or the kernel itself opened it.
    case noToken = "no-token"
    /// The process had gone before it could be looked up.
    case exited
    /// It is a program of the system, and no inventory of this build says whether the system itself runs it.
    case platformUnresolved = "platform-unresolved"
    /// It is no program of the system, and its signature or package is still being examined.
    case thirdPartyPending = "third-party-pending"
    /// The system did not answer in time, or refused.
    case unresolved
    /// What is said of it cannot all be true.
    case contradictory
}

/// How the code behind a flow stands to the requirements of one policy.
///
/// Worked out once for each program and policy, kept with the identity, and only read when a flow is admitted.
public struct RequirementResults: Hashable, Sendable {
    /// The policy that asked; the results say nothing to another.
    public let policy: UInt64
    private let words: [UInt64]

    /// Makes results for the requirements of a policy, in its order.
    public init(policy: UInt64, _ satisfied: some Sequence<Bool>) {
        self.policy = policy
        var words: [UInt64] = []
        for (index, holds) in satisfied.enumerated() {
            if index % 64 == 0 { words.append(0) }
            if holds { words[index / 64] |= 1 << UInt64(index % 64) }
        }
        self.words = words
    }

    /// Whether the requirement with this number holds; one that was not asked does not.
    public func satisfies(_ requirement: Int) -> Bool {
        let word = requirement / 64
        guard requirement >= 0, word < words.count else { return false }
        return words[word] & (1 << UInt64(requirement % 64)) != 0
    }

    /// Calls `visit` with the number of each requirement that holds, in order.
    public func forEachSatisfied(_ visit: (Int) -> Void) {
        for (place, word) in words.enumerated() {
            var rest = word
            while rest != 0 {
                visit(place * 64 + rest.trailingZeroBitCount)
                rest &= rest - 1
            }
        }
    }
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
    /// What stands for the user in records where policy wants no names; `userID` is nil then.
    public var userPseudonym: String?
    /// The name that is proved, for people: `platform:com.apple.curl`, `AB12CD34EF:com.example.app`, `package curl`.
    public var provedName: String?
    /// Why the class is what it is: the catalogue row or the facts that decided it.
    public var classReason: String?
    /// The catalogue row by which the proved code is never taken, whatever the rules say; nil for everything else.
    public var neverRow: String?
    /// The requirements of a policy that the code meets; nil when no policy has asked.
    public var requirements: RequirementResults?

    public init(
        _ codeClass: Class, executable: String? = nil, processID: Int32? = nil, userID: UInt32? = nil,
        provedName: String? = nil, classReason: String? = nil, neverRow: String? = nil,
        requirements: RequirementResults? = nil
    ) {
        self.codeClass = codeClass
        self.executable = executable
        self.processID = processID
        self.userID = userID
        self.provedName = provedName
        self.classReason = classReason
        self.neverRow = neverRow
        self.requirements = requirements
    }
}
