// SPDX-License-Identifier: Apache-2.0

// What may still be learnt of a flow after it has arrived.

internal import FlowModel

/// Facts of a flow that may still be learnt.
public struct Awaited: OptionSet, Sendable, Hashable {
    public let rawValue: UInt8

    public init(rawValue: UInt8) { self.rawValue = rawValue }

    /// The name that the application claims (SNI, `Host`), and the protocol, which the same first bytes tell.
    public static let claimed = Awaited(rawValue: 1)
    /// The certificate's proof of the claimed name.
    public static let proved = Awaited(rawValue: 2)
    /// The program behind the flow.
    public static let identity = Awaited(rawValue: 4)

    /// Nothing: what is known now is all that will be known.
    static let final: Awaited = []
    /// The names alone.
    static let early: Awaited = [.claimed, .proved]

    /// What must be learnt for a name to be known so well; a resolver's word is never waited for.
    init(_ proof: NameProof) { self = proof == .proved ? .proved : .claimed }

    /// In words for programs: `claimed-name`, `proved-name`, `identity`.
    public var words: [String] {
        [(Awaited.claimed, "claimed-name"), (.proved, "proved-name"), (.identity, "identity")]
            .filter { contains($0.0) }.map(\.1)
    }
}
