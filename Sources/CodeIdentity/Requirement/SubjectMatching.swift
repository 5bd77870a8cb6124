// SPDX-License-Identifier: Apache-2.0

// How a value is matched: `Match::operator()` of Apple's `reqinterp.cpp`.
//
// Texts are compared byte for byte. CFString compares UTF-16 units, which for UTF-8 comes to the same, as no search here
// asks for canonical equivalence. An attribute of a certificate that is not UTF-8 (a BMPString, or Latin letters in a
// TeletexString) is compared as its octets stand, where Apple converts it first: it can only fail to match.

import FlowModel

extension CompiledRequirement {
    /// Matches something that is there or not and has no content: an extension or a policy.
    func matches(present: Bool, _ node: Node) -> Bool {
        present ? node.match == .exists : node.match == .absent
    }

    /// Matches a date, in seconds since 2001-01-01 UTC.
    func matches(date: Double, _ node: Node) -> Bool {
        let moment = Double(node.moment)
        return switch node.match {
        case .exists: true
        case .on: date == moment
        case .before: date < moment
        case .after: date > moment
        case .onOrBefore: date <= moment
        case .onOrAfter: date >= moment
        default: false
        }
    }

    /// Matches a text, case-sensitively; an empty operand is contained in nothing.
    func matches(text: some BidirectionalCollection<UInt8>, _ node: Node) -> Bool {
        let operand = slice(node.operand)
        return switch node.match {
        case .exists: true
        case .equal: text.elementsEqual(operand)
        case .contains: contains(text, node)
        case .beginsWith: !operand.isEmpty && text.starts(with: operand)
        case .endsWith: !operand.isEmpty && text.reversed().starts(with: operand.reversed())
        case .less: NumericComparison.compare(text, operand) == .ascending
        case .greater: NumericComparison.compare(text, operand) == .descending
        case .lessOrEqual: NumericComparison.compare(text, operand) != .descending
        case .greaterOrEqual: NumericComparison.compare(text, operand) != .ascending
        case .absent, .on, .before, .after, .onOrBefore, .onOrAfter, .unknown: false
        }
    }

    /// Matches a value of a property list.
    ///
    /// Types are never mixed: numbers, booleans, data and dictionaries only exist. An array matches when one of its
    /// elements does, at any depth. An error beyond `evaluationNesting`.
    func matches(_ value: PropertyListValue, _ node: Node, level: Int = 0) -> Outcome {
        switch value {
        case .string(let text): return Outcome(matches(text: text.utf8, node))
        case .date(let date): return Outcome(matches(date: date, node))
        case .boolean(let value): return Outcome(node.match == .exists && value)
        case .integer, .real, .data, .dictionary: return Outcome(node.match == .exists)
        case .array(let elements):
            guard level < CodeIdentityLimits.evaluationNesting.value else { return .error }
            for element in elements {
                let outcome = matches(element, node, level: level + 1)
                if outcome != .false { return outcome }
            }
            return Outcome(node.match == .exists)
        }
    }

    private func contains(_ text: some Collection<UInt8>, _ node: Node) -> Bool {
        let (start, count) = (node.operand.start, node.operand.count)
        guard count > 0 else { return false }
        var matched = 0
        for byte in text {
            while matched > 0, operands[start + matched] != byte { matched = borders[node.borders + matched - 1] }
            if operands[start + matched] == byte { matched += 1 }
            if matched == count { return true }
        }
        return false
    }
}
