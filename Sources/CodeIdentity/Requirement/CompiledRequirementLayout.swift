// SPDX-License-Identifier: Apache-2.0

// How the tree of a requirement becomes an array, without recursion.

import FlowModel

extension CompiledRequirement {
    struct Layout {
        private(set) var nodes: [Node] = []
        private(set) var operands: [UInt8] = []
        private(set) var keys: [String] = []
        private(set) var borders: [Int] = []
        private(set) var defects: [CodeProblem] = []

        mutating func add(_ root: RequirementExpression) throws(CodeProblem) {
            struct Pending {
                var expression: RequirementExpression
                var level: Int
                /// The operator whose right operand this is.
                var rightOf: Int?
            }
            let depth = CodeIdentityLimits.evaluationDepth.value
            let most = CodeIdentityLimits.evaluationNodes.value
            let bytes = CodeIdentityLimits.evaluationOperands.value
            var pending = [Pending(expression: root, level: 1, rightOf: nil)]
            while let next = pending.popLast() {
                guard next.level < depth else {
                    throw CodeProblem(
                        .evaluationTooDeep, "more than \(depth - 1) levels; each and, or and ! of a chain is one")
                }
                guard nodes.count < most else {
                    throw CodeProblem(.limit, "requirement.nodes: more than \(most) atoms and operators")
                }
                let index = nodes.count
                if let owner = next.rightOf { nodes[owner].number = index }
                switch next.expression {
                case .and(let left, let right), .or(let left, let right):
                    if case .and = next.expression {
                        nodes.append(Node(operation: .and))
                    } else {
                        nodes.append(Node(operation: .or))
                    }
                    pending.append(Pending(expression: right, level: next.level + 1, rightOf: index))
                    pending.append(Pending(expression: left, level: next.level + 1, rightOf: nil))
                case .not(let operand):
                    nodes.append(Node(operation: .not))
                    pending.append(Pending(expression: operand, level: next.level + 1, rightOf: nil))
                default:
                    nodes.append(atom(next.expression))
                    guard operands.count <= bytes else {
                        throw CodeProblem(.limit, "requirement.operands: more than \(bytes) bytes in operands")
                    }
                }
            }
        }

        /// Operands before operators, and of two operands the one first that needs the larger stack.
        ///
        /// The order does not change the result, as nothing is short-circuited. A tree then needs n places only if it
        /// has 2^(n-1) atoms (Sethi and Ullman 1970), so the bound on nodes is one on the stack.
        func evaluationOrder() -> [Int] {
            var need = [UInt8](repeating: 1, count: nodes.count)
            for index in nodes.indices.reversed() {
                switch nodes[index].operation {
                case .not: need[index] = need[index + 1]
                case .and, .or:
                    let (left, right) = (need[index + 1], need[nodes[index].number])
                    need[index] = left == right ? left + 1 : max(left, right)
                default: break
                }
            }
            var order: [Int] = []
            order.reserveCapacity(nodes.count)
            var pending: [(index: Int, operandsDone: Bool)] = [(0, false)]
            while let (index, operandsDone) = pending.popLast() {
                switch nodes[index].operation {
                case .not where !operandsDone:
                    pending.append((index, true))
                    pending.append((index + 1, false))
                case .and where !operandsDone, .or where !operandsDone:
                    let (left, right) = (index + 1, nodes[index].number)
                    pending.append((index, true))
                    pending.append((need[left] < need[right] ? left : right, false))
                    pending.append((need[left] < need[right] ? right : left, false))
                default: order.append(index)
                }
            }
            return order
        }

        private mutating func atom(_ expression: RequirementExpression) -> Node {
            switch expression {
            case .and, .or, .not: defect(.evaluationUnsupported, "not an atom")
            case .never: Node(operation: .never)
            case .always: Node(operation: .always)
            case .identifier(let name): Node(operation: .identifier, operand: store(name))
            case .cdhash(let hash): Node(operation: .cdhash, operand: store(hash))
            case .platform(let number): Node(operation: .platform, number: Int(number))
            case .notarized: Node(operation: .notarized)
            case .legacyDeveloperID: Node(operation: .legacyDeveloperID)
            case .appleAnchor: Node(operation: .appleAnchor)
            case .appleGenericAnchor: Node(operation: .appleGenericAnchor)
            case .anchorTrusted: Node(operation: .anchorTrusted)
            case .certificateTrusted(let slot): Node(operation: .certificateTrusted, number: Int(slot))
            case .certificateHash(let slot, let hash):
                if hash.count == 20 {
                    Node(operation: .certificateHash, number: Int(slot), operand: store(hash))
                } else {
                    defect(.evaluationOperand, "a certificate's hash is a SHA-1 of 20 bytes, not \(hash.count)")
                }
            case .certificateField(let slot, let name, let match): field(slot, name, match)
            case .certificateExtension(let slot, let oid, let match):
                matching(
                    Node(operation: .certificateExtension, number: Int(slot), key: store(oid)), match, text: false)
            case .certificatePolicy(let slot, let oid, let match):
                matching(Node(operation: .certificatePolicy, number: Int(slot), key: store(oid)), match, text: false)
            case .certificateTimestamp(let slot, let oid, let match):
                matching(
                    Node(operation: .certificateTimestamp, number: Int(slot), key: store(oid)), match, text: false)
            case .info(let key, let match): entry(.info, key, match)
            case .legacyInfoValue(let key, let value): entry(.info, key, .equal(value))
            case .entitlement(let key, let match): entry(.entitlement, key, match)
            case .namedAnchor, .namedCode:
                defect(.evaluationUnsupported, "requirements by name are files of Security.framework; write it out")
            case .unknown(let opcode, _), .skipped(let opcode, _, _):
                defect(.evaluationUnsupported, "opcode 0x\(String(opcode, radix: 16)) is not known")
            case .osAnchor: Node(operation: .osAnchor)
            case .package(let name): Node(operation: .package, operand: store(name))
            case .unit(let name): Node(operation: .unit, operand: store(name))
            case .path(let match): path(match)
            case .digest(let hash):
                if hash.count == 32 {
                    Node(operation: .digest, operand: store(hash))
                } else {
                    defect(.evaluationOperand, "a digest is a SHA-256 of 32 bytes, not \(hash.count)")
                }
            case .interpreter: Node(operation: .interpreter)
            case .user(let number): Node(operation: .user, number: Int(number))
            }
        }

        private mutating func field(_ slot: Int32, _ name: [UInt8], _ match: RequirementMatch) -> Node {
            if name.elementsEqual("email".utf8) {
                return defect(.evaluationUnsupported, "certificate[email] is not evaluated")
            }
            let oid = SubjectField.objectIdentifier(name) ?? []
            return matching(Node(operation: .certificateField, number: Int(slot), key: store(oid)), match)
        }

        private mutating func entry(_ operation: Operation, _ key: [UInt8], _ match: RequirementMatch) -> Node {
            guard let text = String(validating: key, as: UTF8.self) else {
                return defect(.evaluationOperand, "the key is not UTF-8, so no property list can hold it")
            }
            keys.append(text)
            return matching(Node(operation: operation, number: keys.count - 1), match)
        }

        private mutating func path(_ match: RequirementMatch) -> Node {
            switch match {
            case .equal, .beginsWith: matching(Node(operation: .path), match)
            default: defect(.evaluationUnsupported, "path takes = \"…\" and = \"…\"* only")
            }
        }

        /// Adds the match.
        ///
        /// A text that is not UTF-8 is a defect: whether Apple's evaluator takes it for unequal or fails is not known, and
        /// neither it nor its negation may come true. `text` is false where no text is compared.
        private mutating func matching(_ node: Node, _ match: RequirementMatch, text: Bool = true) -> Node {
            var node = node
            switch match {
            case .exists: node.match = .exists
            case .absent: node.match = .absent
            case .equal(let value): (node.match, node.operand) = (.equal, store(value))
            case .contains(let value):
                (node.match, node.operand) = (.contains, store(value))
                node.borders = storeBorders(value)
            case .beginsWith(let value): (node.match, node.operand) = (.beginsWith, store(value))
            case .endsWith(let value): (node.match, node.operand) = (.endsWith, store(value))
            case .less(let value): (node.match, node.operand) = (.less, store(value))
            case .greater(let value): (node.match, node.operand) = (.greater, store(value))
            case .lessOrEqual(let value): (node.match, node.operand) = (.lessOrEqual, store(value))
            case .greaterOrEqual(let value): (node.match, node.operand) = (.greaterOrEqual, store(value))
            case .on(let moment): (node.match, node.moment) = (.on, moment)
            case .before(let moment): (node.match, node.moment) = (.before, moment)
            case .after(let moment): (node.match, node.moment) = (.after, moment)
            case .onOrBefore(let moment): (node.match, node.moment) = (.onOrBefore, moment)
            case .onOrAfter(let moment): (node.match, node.moment) = (.onOrAfter, moment)
            case .unknown: node.match = .unknown
            }
            let operand = operands[node.operand.start..<node.operand.start + node.operand.count]
            if text, String(validating: operand, as: UTF8.self) == nil {
                return defect(.evaluationOperand, "the text to compare with is not UTF-8")
            }
            return node
        }

        private mutating func defect(_ code: CodeProblem.Code, _ detail: String) -> Node {
            defects.append(CodeProblem(code, detail))
            return Node(operation: .invalid, number: defects.count - 1)
        }

        private mutating func store(_ bytes: [UInt8]) -> Bytes {
            let start = operands.count
            operands += bytes
            return Bytes(start: start, count: bytes.count)
        }

        /// Knuth, Morris and Pratt's table, so that a long text and a long operand do not make a quadratic search.
        private mutating func storeBorders(_ pattern: [UInt8]) -> Int {
            let start = borders.count
            var border = 0
            for (index, byte) in pattern.enumerated() {
                while border > 0, pattern[border] != byte { border = borders[start + border - 1] }
                if index > 0, pattern[border] == byte { border += 1 }
                borders.append(border)
            }
            return start
        }
    }
}
