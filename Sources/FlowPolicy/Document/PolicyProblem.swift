// SPDX-License-Identifier: Apache-2.0

// What can be wrong with a policy document, and where.

/// A detector that exists, as the caller of the reader knows it.
public struct DetectorName: Hashable, Sendable {
    /// For example `payment-card`.
    public let id: String
    /// What `family/*` selects it by, for example `secret`.
    public let family: String

    public init(id: String, family: String) {
        self.id = id
        self.family = family
    }
}

/// One problem of a policy document: what is wrong, where, and what to do.
public struct PolicyProblem: Error, Sendable, CustomStringConvertible {
    /// What kind of problem it is; stable, for programs.
    public enum Code: String, Sendable, CaseIterable {
        case tooLarge = "too-large"
        case tooDeep = "too-deep"
        case tooMany = "too-many"
        case syntax
        case duplicateKey = "duplicate-key"
        case alias
        case tag
        case unknownKey = "unknown-key"
        case missingKey = "missing-key"
        case wrongType = "wrong-type"
        case badValue = "bad-value"
        case duplicateName = "duplicate-name"
        case unknownDetector = "unknown-detector"
        case unknownProfile = "unknown-profile"
        case notBuilt = "not-built"
        /// The keys are good one by one and make no sense together.
        case contradiction
        /// A rule that allows on a label alone.
        case unproved
        case unreachable
        /// A file that the policy names cannot be had.
        case unreadable
        /// A file leads back to itself.
        case cycle
        /// There is no requirement, list, catalogue, row, rule, preset or user of this name.
        case unknownName = "unknown-name"
        /// A code requirement cannot be read.
        case badRequirement = "bad-requirement"
    }

    public let code: Code
    public let file: String
    /// From 1.
    public let line: Int
    /// From 1, in Unicode scalars.
    public let column: Int
    /// What is wrong and what to do.
    public let message: String

    /// `file:line:column: message (code)`.
    public var description: String { "\(file):\(line):\(column): \(message) (\(code.rawValue))" }
}

/// All problems of a document and its files that one run found, in their order; never empty.
public struct PolicyProblems: Error, Sendable, CustomStringConvertible {
    public let problems: [PolicyProblem]
    /// How many more there were than are listed.
    public let unlisted: Int

    /// One line a problem.
    public var description: String {
        let more = unlisted == 0 ? [] : ["… and \(unlisted) more"]
        return (problems.map(\.description) + more).joined(separator: "\n")
    }
}
