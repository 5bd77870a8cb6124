// SPDX-License-Identifier: Apache-2.0

// What is weak about a requirement: the ways in which code that nobody meant could meet it.

import FlowModel

/// A reason not to admit code by a requirement.
public enum RequirementWeakness: Hashable, Sendable, CustomStringConvertible {
    /// One way to meet it names code by what its author wrote; the way, in the language.
    case unproved(String)
    /// One way to meet it is met by every certificate that Apple ever issued.
    case anyAppleCertificate(String)
    /// One way to meet it asks only what code is not, or has not.
    case negativeOnly(String)
    /// A certificate is told by its SHA-1.
    case sha1Certificate
    /// It has more ways to be met than are looked at.
    case tooManyWays

    public var description: String {
        switch self {
        case .unproved(let way):
            "met by whoever writes it: \(way); add `anchor apple`, or `anchor apple generic` with the team "
                + "(`certificate leaf[subject.OU] = …`), or on Linux `package` or `digest`"
        case .anyAppleCertificate(let way):
            "met by every certificate that Apple issued, to anybody: \(way); add the team "
                + "(`certificate leaf[subject.OU] = …`)"
        case .negativeOnly(let way): "met by whatever is not something: \(way); say what the code must be"
        case .sha1Certificate: "a certificate is named by its SHA-1, which collides; prefer an anchor and a team"
        case .tooManyWays: "there are too many ways to meet it to look at each; make it simpler"
        }
    }
}

extension RequirementWeakness {
    /// The weaknesses of a requirement, each once, in the order of its text.
    ///
    /// Looks at every way to meet it, which is every choice of one side at each `or`, up to `requirement.ways` of them.
    public static func all(of expression: RequirementExpression) -> [RequirementWeakness] {
        guard let ways = ways(to: expression, met: true) else { return [.tooManyWays] }
        var found: [RequirementWeakness] = []
        for weakness in ways.flatMap(weaknesses) where !found.contains(weakness) { found.append(weakness) }
        return found
    }

    /// One atom of a way, and whether it must be true or false.
    private struct Term {
        let atom: RequirementExpression
        let isTrue: Bool
    }

    /// The ways for the expression to come out as wanted; nil for too many, or too deep a tree.
    private static func ways(
        to expression: RequirementExpression, met: Bool, depth: Int = 0
    ) -> [[Term]]? {
        guard depth < CodeIdentityLimits.weaknessDepth.value else { return nil }
        switch expression {
        case .not(let operand): return ways(to: operand, met: !met, depth: depth + 1)
        case .and(let left, let right), .or(let left, let right):
            guard let left = ways(to: left, met: met, depth: depth + 1),
                let right = ways(to: right, met: met, depth: depth + 1)
            else { return nil }
            let needsBoth = if case .and = expression { met } else { !met }
            if !needsBoth {
                let ways = left + right
                return ways.count <= CodeIdentityLimits.weaknessWays.value ? ways : nil
            }
            guard left.count * right.count <= CodeIdentityLimits.weaknessWays.value else { return nil }
            return left.flatMap { one in right.map { one + $0 } }
        case .never: return met ? [] : [[]]
        case .always: return met ? [[Term(atom: .always, isTrue: true)]] : []
        default: return [[Term(atom: expression, isTrue: met)]]
        }
    }

    private static func weaknesses(of way: [Term]) -> [RequirementWeakness] {
        let text = way.map { ($0.isTrue ? "" : "! ") + RequirementPrinter.text($0.atom) }.joined(separator: " and ")
        let positive = way.filter(\.isTrue).map(\.atom)
        var found: [RequirementWeakness] = []
        if positive.contains(where: { if case .certificateHash = $0 { true } else { false } }) {
            found.append(.sha1Certificate)
        }
        if positive.contains(where: \.isProof) { return found }
        let isApple = positive.contains(.appleGenericAnchor)
        if isApple, positive.contains(where: \.namesSigner) { return found }
        if isApple { return found + [.anyAppleCertificate(text)] }
        return found + [positive.allSatisfy(\.asksForAbsence) ? .negativeOnly(text) : .unproved(text)]
    }
}

extension RequirementExpression {
    /// Whether the atom by itself can only be met by the code it means.
    fileprivate var isProof: Bool {
        switch self {
        case .appleAnchor, .certificateHash, .cdhash, .certificateTrusted, .anchorTrusted, .notarized, .osAnchor,
            .package, .digest, .unit:
            true
        default: false
        }
    }

    /// Whether the atom, below an Apple root, narrows the signer to one team or one of Apple's own programmes.
    fileprivate var namesSigner: Bool {
        switch self {
        case .certificateField(0, let name, .equal):
            name == Array("subject.OU".utf8) || name == Array("subject.CN".utf8)
        // The Mac App Store signs with its own leaf; every other marker is in the hands of developers.
        case .certificateExtension(0, AppleMarkers.macAppStore, .exists): true
        default: false
        }
    }

    fileprivate var asksForAbsence: Bool {
        switch self {
        case .info(_, .absent), .entitlement(_, .absent), .certificateField(_, _, .absent),
            .certificateExtension(_, _, .absent), .certificatePolicy(_, _, .absent),
            .certificateTimestamp(_, _, .absent):
            true
        default: false
        }
    }
}
