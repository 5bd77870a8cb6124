// SPDX-License-Identifier: Apache-2.0

// What was found out of processes, kept by audit token.

/// Identities by token, each of one cdhash.
///
/// It holds two generations: when the younger one has half the capacity, the older one is dropped, and an identity in
/// use moves to the younger. So what was used lately stays, and no step takes longer as the cache grows. What is
/// dropped is returned, so that the caller can let go of it outside its lock.
struct AppleIdentityCache {
    struct Entry {
        var identity: AppleIdentity
        /// When the kernel was last asked.
        var seen: ContinuousClock.Instant
        /// Until when it may be believed; nil for ever.
        var until: ContinuousClock.Instant?
    }

    typealias Generation = [AuditToken: Entry]

    private let half: Int
    private var young: Generation = [:]
    private var old: Generation = [:]

    init(capacity: Int) { half = max(1, capacity / 2) }

    var count: Int { young.count + old.count }

    /// The entry that may still be believed.
    mutating func entry(for token: AuditToken, now: ContinuousClock.Instant) -> Entry? {
        guard let entry = young[token] ?? old[token] else { return nil }
        if let until = entry.until, until <= now {
            young[token] = nil
            old[token] = nil
            return nil
        }
        return entry
    }

    /// Keeps an entry in place of an earlier one and gives what had to go for it.
    mutating func keep(_ entry: Entry) -> Generation {
        old[entry.identity.token] = nil
        young[entry.identity.token] = entry
        guard young.count >= half else { return [:] }
        let dropped = old
        old = young
        young = [:]
        return dropped
    }

    mutating func removeAll() -> [Generation] {
        defer { (young, old) = ([:], [:]) }
        return [young, old]
    }
}
