// SPDX-License-Identifier: Apache-2.0

// Why a requirement came out as it did: its tree, with what each atom saw.

import FlowModel

/// The tree of a requirement with the result of each part.
///
/// A chain of one operator is one part with many children, as people read it. Depth and texts are bounded, bytes that a
/// terminal would act on are never shown raw.
public struct RequirementExplanation: Sendable, Hashable, Codable {
    public enum Result: String, Sendable, Hashable, Codable {
        case `true`
        case `false`
        case error
        /// Asked of the other system's program, or not known; false at the root, and its negation is undecided too.
        case undecided
    }

    /// The atom, or `and`, `or`, `!`.
    public let text: String
    public let result: Result
    /// What was there, of an atom; nil for an operator.
    public let saw: String?
    public let children: [RequirementExplanation]

    /// Indented lines for people, ended by a line feed each.
    public func rendered() -> String {
        var lines = ""
        render(into: &lines, indentation: "")
        return lines
    }

    /// Recurses as deep as `explanationDepth`.
    private func render(into lines: inout String, indentation: String) {
        let column = result.rawValue + String(repeating: " ", count: 10 - result.rawValue.count)
        lines += "\(indentation)\(column)\(text)\n"
        if let saw { lines += "\(indentation)          saw: \(saw)\n" }
        for child in children { child.render(into: &lines, indentation: indentation + "  ") }
    }
}

extension RequirementExplanation.Result {
    init(_ outcome: Outcome) {
        self =
            switch outcome {
            case .true: .true
            case .false: .false
            case .undecided: .undecided
            case .error: .error
            }
    }
}

extension CompiledRequirement {
    /// Evaluates and says why; the result at the root agrees with `evaluate`, where `undecided` is false.
    ///
    /// Atoms stand in canonical text, the values they saw as quoted text or hexadecimal.
    public func explain(
        _ subject: RequirementSubject, rules: EvaluationRules = .init()
    ) -> RequirementExplanation {
        switch subject {
        case .apple(let code):
            tree { node in
                let outcome = outcome(of: node, for: code, rules)
                let problem = outcome == .error ? problem(of: node, for: code, rules).description : nil
                return (outcome, problem ?? sight(of: node, for: code))
            }
        case .linux(let identity):
            tree { node in
                let outcome = outcome(of: node, for: identity)
                return (outcome, outcome == .error ? defect(of: node).description : sight(of: node, for: identity))
            }
        }
    }

    /// Builds the tree from its end to its beginning, where operands stand before their operator.
    private func tree(_ look: (Node) -> (Outcome, String)) -> RequirementExplanation {
        let deepest = CodeIdentityLimits.explanationDepth.value
        let (head, parent, level) = chains()
        var atoms = self.atoms
        var outcomes = [Outcome](repeating: .false, count: nodes.count)
        /// The parts of each chain, last first.
        var parts = [[RequirementExplanation]](repeating: [], count: nodes.count)
        for index in nodes.indices.reversed() {
            let node = nodes[index]
            var text: String
            var saw = level[index] == deepest ? "its parts are not shown, they lie too deep" : nil
            switch node.operation {
            case .and: (outcomes[index], text) = (outcomes[index + 1] & outcomes[node.number], "and")
            case .or: (outcomes[index], text) = (outcomes[index + 1] | outcomes[node.number], "or")
            case .not: (outcomes[index], text) = (!outcomes[index + 1], "!")
            default:
                (outcomes[index], saw) = look(node)
                text = ExplanationText.cut(atoms.popLast().map { RequirementPrinter.text($0) } ?? "")
            }
            guard head[index] == index, level[index] <= deepest else { continue }
            let part = RequirementExplanation(
                text: text, result: .init(outcomes[index]), saw: saw, children: parts[index].reversed())
            if index == 0 { return part }
            parts[parent[index]].append(part)
        }
        return RequirementExplanation(text: "", result: .error, saw: nil, children: [])
    }

    /// For each node the first of the chain it belongs to, that one's operator, and how deep the chain lies.
    private func chains() -> (head: [Int], parent: [Int], level: [Int]) {
        var head = Array(nodes.indices)
        var parent = [Int](repeating: 0, count: nodes.count)
        var level = [Int](repeating: 1, count: nodes.count)
        for (index, node) in nodes.enumerated() where node.operation.isOperator {
            for child in node.operation == .not ? [index + 1] : [index + 1, node.number] {
                parent[child] = head[index]
                if node.operation != .not, nodes[child].operation == node.operation {
                    head[child] = head[index]
                    level[child] = level[index]
                } else {
                    level[child] = level[index] + 1
                }
            }
        }
        return (head, parent, level)
    }

    /// The atoms in the order of the text.
    private var atoms: [RequirementExpression] {
        var atoms: [RequirementExpression] = []
        var pending = [expression]
        while let next = pending.popLast() {
            switch next {
            case .and(let left, let right), .or(let left, let right): pending += [right, left]
            case .not(let operand): pending.append(operand)
            default: atoms.append(next)
            }
        }
        return atoms
    }
}

extension Outcome {
    static func & (a: Outcome, b: Outcome) -> Outcome {
        a == .error || b == .error ? .error : a.rawValue < b.rawValue ? a : b
    }

    static func | (a: Outcome, b: Outcome) -> Outcome { a.rawValue > b.rawValue ? a : b }

    static prefix func ! (outcome: Outcome) -> Outcome {
        switch outcome {
        case .true: .false
        case .false: .true
        case .undecided, .error: outcome
        }
    }
}
