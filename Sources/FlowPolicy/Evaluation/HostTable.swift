// SPDX-License-Identifier: Apache-2.0

// All the host names of a policy in one table.

internal import FlowModel

/// Says which of many sets of hosts hold a name, with one look-up for each label of the name.
///
/// A name that stands in several sets points to a chain of them. Chains that are alike are one, so a list of a hundred
/// thousand hosts costs a hundred thousand entries and one link, and no more when five hundred rules use it.
struct HostTable: Sendable {
    private struct Entry {
        /// The chain of the sets that hold the name itself, and of those that hold what lies below it; -1 for none.
        var exact: Int32 = -1
        var below: Int32 = -1
    }

    private struct Link: Hashable {
        let set: Int32
        /// The next link, or -1.
        let next: Int32
    }

    private var entries: [Substring: Entry] = [:]
    private var links: [Link] = []
    private var hasBelow = false

    init(_ sets: [HostSet.Part]) {
        var known: [Link: Int32] = [:]
        entries.reserveCapacity(sets.reduce(0) { $0 + $1.exact.count + $1.below.count })
        for (number, set) in sets.enumerated() {
            func chained(_ next: Int32) -> Int32 {
                let link = Link(set: Int32(truncatingIfNeeded: number), next: next)
                if let place = known[link] { return place }
                links.append(link)
                let place = Int32(truncatingIfNeeded: links.count - 1)
                known[link] = place
                return place
            }
            for name in set.exact {
                let next = entries[name]?.exact ?? -1
                entries[name, default: Entry()].exact = chained(next)
            }
            for name in set.below {
                let next = entries[name]?.below ?? -1
                entries[name, default: Entry()].below = chained(next)
            }
            hasBelow = hasBelow || !set.below.isEmpty
        }
    }

    /// Calls `visit` with the number of each set that holds the name.
    func forEachSet(holding name: HostName, _ visit: (Int) -> Void) {
        guard !entries.isEmpty else { return }
        follow(entries[name.description[...]]?.exact, visit)
        guard hasBelow else { return }
        for parent in name.parents { follow(entries[parent]?.below, visit) }
    }

    private func follow(_ chain: Int32?, _ visit: (Int) -> Void) {
        var place = Int(chain ?? -1)
        while place >= 0 {
            visit(Int(links[place].set))
            place = Int(links[place].next)
        }
    }
}
