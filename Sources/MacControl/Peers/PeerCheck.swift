// SPDX-License-Identifier: Apache-2.0

// Who may ask what: one table.

internal import FlowModel

/// Who is at the other end, as the system says, never as the peer says.
public struct ControlCaller: Hashable, Sendable {
    /// The effective user of the peer's audit token.
    public var user: UInt32
    /// Whether its code was proved to meet our requirement, by its audit token.
    public var isOurs: Bool

    public init(user: UInt32, isOurs: Bool) {
        self.user = user
        self.isOurs = isOurs
    }
}

/// Knows which users administer the machine.
public protocol AdministratorDirectory: Sendable {
    /// Asks the directory; may wait.
    func isAdministrator(_ user: UInt32) -> Bool
}

/// Whether a caller may ask something, and of whose events it is told.
///
/// | caller | state, bypasses | events | pause, resume, off, rearm, reload |
/// |---|---|---|---|
/// | code not proved ours | refused | refused | refused |
/// | ours, some user | granted | own | refused |
/// | ours, administrator | granted | everybody's | granted |
public enum PeerCheck {
    /// Whose events a caller is told of.
    public enum Reach: Hashable, Sendable {
        case own(user: UInt32)
        case everybody
    }

    public static func decide(
        _ request: ControlRequest, from caller: ControlCaller, isAdministrator: Bool
    ) throws(ControlRefusal) -> Reach {
        guard caller.isOurs else {
            throw ControlRefusal(.notOurs, "only the app that came with this extension may ask it")
        }
        switch request {
        case .state, .bypasses, .events:
            return isAdministrator ? .everybody : .own(user: caller.user)
        case .pause, .resume, .off, .rearm, .reload:
            guard isAdministrator else {
                throw ControlRefusal(.needsAdministrator, "only an administrator of this Mac may do this")
            }
            return .everybody
        case .unknown(let word):
            throw ControlRefusal(.unknownRequest, "\(word): this extension does not know this request; update it")
        }
    }
}
