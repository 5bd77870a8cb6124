// SPDX-License-Identifier: Apache-2.0

// Whether one set of host names lies within another, and one pattern of paths within another.

internal import FlowModel

extension Region.Names {
    /// Whether every name of this lies in the other; false, too, when the budget ends.
    func isWithin(_ other: Self, _ budget: inout CheckBudget) -> Bool {
        sets.allSatisfy { set in
            set.exact.allSatisfy { name in budget.spend() && other.sets.contains { $0.holds(name) } }
                && set.below.allSatisfy { name in budget.spend() && other.holdsAll(below: name) }
        }
    }

    /// Whether no name lies in both; false, too, when the budget ends.
    func isDisjoint(with other: Self, _ budget: inout CheckBudget) -> Bool {
        // What both have must show at an entry of one that the other has, or has a parent of.
        for (one, two) in [(self, other), (other, self)] {
            for set in one.sets {
                let isClear =
                    set.exact.allSatisfy { name in budget.spend() && !two.sets.contains { $0.holds(name) } }
                    && set.below.allSatisfy { name in budget.spend() && !two.holdsAll(below: name) }
                guard isClear else { return false }
            }
        }
        return true
    }

    /// Whether everything below a domain is in this.
    func holdsAll(below domain: Substring) -> Bool { sets.contains { $0.holdsAll(below: domain) } }
}

extension HostSet {
    /// Whether everything below a domain is in this, the domain itself aside.
    func holdsAll(below domain: Substring) -> Bool { below.contains(domain) || holdsParent(of: domain) }

    /// Those of its entries that mean nothing outside the other, in order, as far as the budget goes.
    func entries(within other: HostSet, _ budget: inout CheckBudget) -> [HostPattern] {
        let names = exact.filter { budget.spend() && (other.exact.contains($0) || other.holdsParent(of: $0)) }
        let suffixes = below.filter { budget.spend() && (other.below.contains($0) || other.holdsParent(of: $0)) }
        return names.sorted().compactMap { HostPattern($0) } + suffixes.sorted().compactMap { HostPattern("*.\($0)") }
    }

    fileprivate func holds(_ name: Substring) -> Bool { exact.contains(name) || holdsParent(of: name) }

    private func holdsParent(of name: Substring) -> Bool {
        guard !below.isEmpty else { return false }
        var rest = name
        while let dot = rest.utf8.firstIndex(of: UInt8(ascii: ".")) {
            rest = rest[rest.utf8.index(after: dot)...]
            if below.contains(rest) { return true }
        }
        return false
    }
}

extension HostPattern {
    /// Whether every name that this means is meant by the other.
    func isWithin(_ other: HostPattern) -> Bool {
        self == other || (other.isBelow && name != other.name && name.isWithin(other.name))
    }
}

extension ExecutablePattern {
    /// Whether every path that this matches is matched by the other; false where that is not plain, or the budget ends.
    ///
    /// A `*` of this can only fall to a `*` of the other, which then takes whatever this one stands for.
    func isWithin(_ other: ExecutablePattern, _ budget: inout CheckBudget) -> Bool {
        budget.spend(cost(other)) && other.matches(text)
    }

    /// Whether no path is matched by both; false where that is not plain, or the budget ends.
    func isDisjoint(with other: ExecutablePattern, _ budget: inout CheckBudget) -> Bool {
        guard budget.spend(cost(other)) else { return false }
        if !text.utf8.contains(Self.star) { return !other.matches(text) }
        if !other.text.utf8.contains(Self.star) { return !matches(other.text) }
        let first = zip(text.utf8, other.text.utf8).first { $0 != $1 || $0 == Self.star }
        let last = zip(text.utf8.reversed(), other.text.utf8.reversed()).first { $0 != $1 || $0 == Self.star }
        return first.map(Self.differs) == true || last.map(Self.differs) == true
    }

    /// Matching may retry a run of characters at every place of the path.
    private func cost(_ other: ExecutablePattern) -> Int { 1 + text.utf8.count * other.text.utf8.count / 64 }

    private static let star = UInt8(ascii: "*")

    private static func differs(_ a: UInt8, _ b: UInt8) -> Bool { a != star && b != star }
}
