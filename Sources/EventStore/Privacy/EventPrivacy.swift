// SPDX-License-Identifier: Apache-2.0

// What a policy allows the store to keep of people: under which name, and for how long.

internal import FlowModel

/// What the store may keep of people, as the policy says.
///
/// It is applied to each record as it is recorded, so that every reader, printer and export has it. A change holds for
/// what comes after; what is stored stays as it is until it is too old.
public struct EventPrivacy: Sendable {
    /// How users are named.
    public enum Users: Sendable {
        /// By number, with the names that home directories have.
        case names
        /// By pseudonym; the address a connection came from is not kept unless it is this machine's loopback.
        case pseudonyms(UserPseudonym)
    }

    public var users: Users
    /// Days after which an event is removed.
    public internal(set) var keepDays: Int

    /// Takes the days of a policy, at most `EventStoreLimits.keepDaysMost`; nil for the store's own limit.
    public init(users: Users = .names, keepDays: Int? = nil) {
        self.users = users
        let days = keepDays ?? EventStoreLimits.keepDays.value
        self.keepDays = min(max(days, 1), EventStoreLimits.keepDaysMost.value)
    }

    /// The record as it may be kept.
    func kept(_ record: FlowRecord) -> FlowRecord {
        guard case .pseudonyms(let pseudonym) = users else { return record }
        let homes = HomeNames(pseudonym: pseudonym)
        var record = record
        if let user = record.facts.identity.userID {
            record.facts.identity.userPseudonym = pseudonym.ofUser(user)
            record.facts.identity.userID = nil
        }
        record.facts.identity.executable = record.facts.identity.executable.map(homes.hidden(inPath:))
        record.facts.identity.provedName = record.facts.identity.provedName.map(homes.hidden(inText:))
        record.facts.identity.classReason = record.facts.identity.classReason.map(homes.hidden(inText:))
        // The address of another machine is a person's as a rule; a loopback port is nobody's.
        if record.facts.source?.address?.isLoopback != true { record.facts.source = nil }
        record.verdict.reason = homes.hidden(in: record.verdict.reason)
        record.notes = record.notes.map(homes.hidden(in:))
        return record
    }

    func kept(_ record: MessageRecord) -> MessageRecord {
        guard case .pseudonyms(let pseudonym) = users else { return record }
        let homes = HomeNames(pseudonym: pseudonym)
        var record = record
        record.verdict.reason = homes.hidden(in: record.verdict.reason)
        record.notes = record.notes.map(homes.hidden(in:))
        return record
    }

    func kept(_ record: NoticeRecord) -> NoticeRecord {
        guard case .pseudonyms(let pseudonym) = users else { return record }
        let homes = HomeNames(pseudonym: pseudonym)
        var record = record
        record.reason = homes.hidden(in: record.reason)
        for index in record.facts.indices {
            record.facts[index].executable = record.facts[index].executable.map(homes.hidden(inPath:))
            record.facts[index].provedName = record.facts[index].provedName.map(homes.hidden(inText:))
        }
        return record
    }

    func kept(_ record: FindingRecord) -> FindingRecord {
        guard case .pseudonyms(let pseudonym) = users else { return record }
        var record = record
        record.finding.restraint = record.finding.restraint.map(HomeNames(pseudonym: pseudonym).hidden(in:))
        return record
    }
}
