// SPDX-License-Identifier: Apache-2.0

// Whether one set of host names lies within another, and one pattern of paths within another.

internal import FlowModel

extension HostSet {
    /// Whether every name of this lies in the other; false, too, when the budget ends.
    func isWithin(_ other: HostSet, _ budget: inout CheckBudget) -> Bool {
        if other.below.isEmpty, !below.isEmpty || exact.count > other.exact.count { return false }
        return exact.allSatisfy { budget.spend() && (other.exact.contains($0) || other.holdsParent(of: $0)) }
            && below.allSatisfy { budget.spend() && (other.below.contains($0) || other.holdsParent(of: $0)) }
    }

    /// Whether no name lies in both; false, too, when the budget ends.
    func isDisjoint(with other: HostSet, _ budget: inout CheckBudget) -> Bool {
        // What both have must show at an entry of one that the other has, or has a parent of.
        for (one, two) in [(self, other), (other, self)] {
            let isClear =
                one.exact.allSatisfy { budget.spend() && !two.exact.contains($0) && !two.holdsParent(of: $0) }
                && one.below.allSatisfy { budget.spend() && !two.below.contains($0) && !two.holdsParent(of: $0) }
            guard isClear else { return false }
        }
        return true
    }

    /// Whether everything below a domain is in this, the domain itself aside.
    func holdsAll(below domain: Substring) -> Bool { below.contains(domain) || holdsParent(of: domain) }

    /// Those of its entries that mean nothing outside the other, as far as the budget goes.
    func entries(within other: HostSet, _ budget: inout CheckBudget) -> [HostPattern] {
        texts.lazy.compactMap { HostPattern($0) }.filter { entry in
            let name = entry.name.description[...]
            return budget.spend()
                && (other.holdsParent(of: name) || (entry.isBelow ? other.below : other.exact).contains(name))
        }
    }

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
    /// Whether every path that this matches is matched by the other; false where that is not plain.
    ///
    /// A `*` of this can only fall to a `*` of the other, which then takes whatever this one stands for.
    func isWithin(_ other: ExecutablePattern) -> Bool { other.matches(text) }

    /// Whether no path is matched by both; false where that is not plain.
    func isDisjoint(with other: ExecutablePattern) -> Bool {
        if !text.utf8.contains(UInt8(ascii: "*")) { return !other.matches(text) }
        if !other.text.utf8.contains(UInt8(ascii: "*")) { return !matches(other.text) }
        return zip(text.utf8, other.text.utf8).first { $0 != $1 || $0 == Self.star }.map(Self.differs) == true
            || zip(text.utf8.reversed(), other.text.utf8.reversed()).first { $0 != $1 || $0 == Self.star }
                .map(Self.differs) == true
    }

    private static let star = UInt8(ascii: "*")

    private static func differs(_ a: UInt8, _ b: UInt8) -> Bool { a != star && b != star }
}
