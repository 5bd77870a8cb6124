// SPDX-License-Identifier: Apache-2.0

// Why the provider does not do what it was asked to.

public import Foundation

/// A failure of the provider; the code is stable and decides equality, the detail is for people.
public struct ProviderFailure: Error, Sendable, Equatable, CustomStringConvertible {
    public enum Code: String, Sendable, Codable, CaseIterable {
        /// What the provider works with could not be made.
        case services
        case servicesOverdue = "services-overdue"
        /// The system, or our own check before it, refuses the rules.
        case rules
        /// The system has not answered to new rules.
        case rulesOverdue = "rules-overdue"
        /// The session is over, or ends.
        case stopped
        /// The provider ended itself.
        case cancelled
        /// An app message that is too large, cannot be read, or is one too many.
        case message
        /// An app message of a version that is not spoken.
        case version
    }

    public let code: Code
    /// One sentence or less; never content of a flow.
    public let detail: String

    public init(_ code: Code, _ detail: String) {
        self.code = code
        self.detail = detail
    }

    public var description: String { "\(code.rawValue): \(detail)" }

    public static func == (a: ProviderFailure, b: ProviderFailure) -> Bool { a.code == b.code }
}

extension ProviderFailure: LocalizedError {
    /// What the system hands to the app as the error of a start.
    public var errorDescription: String? { description }
}
