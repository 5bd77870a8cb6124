// SPDX-License-Identifier: Apache-2.0

// Random requirements that are the same in every run.

@testable import CodeIdentity

/// Makes random trees, texts and bytes from a seed.
struct RequirementTreeSource: RandomNumberGenerator {
    private var random: SeededRandom

    init(seed: UInt64) { random = SeededRandom(state: seed) }

    mutating func next() -> UInt64 { random.next() }

    mutating func pick<T>(_ values: [T]) -> T { values[Int.random(in: 0..<values.count, using: &self)] }

    /// Bytes of any value.
    mutating func bytes(_ count: ClosedRange<Int>) -> [UInt8] {
        (0..<Int.random(in: count, using: &self)).map { _ in UInt8.random(in: 0...255, using: &self) }
    }

    /// What a text can say wherever a string stands.
    mutating func string() -> [UInt8] {
        let some = [
            "gh", "com.example.tool", "2DC432GLL2", "a b", "", "apple", "leaf", "unit", "say \"hi\"", "x*y", "\t\n",
            "H",
        ]
        return Array(pick(some).utf8)
    }

    mutating func oid() -> [UInt8] {
        pick([[0x2A, 0x86, 0x48, 0x86, 0xF7, 0x63, 0x64, 0x06, 0x01, 0x0D], [0x88, 0x37, 0x03], [0x55, 0x1D, 0x20]])
    }

    mutating func match() -> RequirementMatch {
        let value = pick([string(), string(), bytes(0...9)])
        // The years that text can write.
        let seconds = Int64.random(in: -63_145_526_400...252_423_993_599, using: &self)
        return pick([
            .exists, .absent, .equal(value), .contains(value), .beginsWith(value), .endsWith(value), .less(value),
            .greater(value), .lessOrEqual(value), .greaterOrEqual(value), .on(seconds), .before(seconds),
            .after(seconds), .onOrBefore(seconds), .onOrAfter(seconds),
        ])
    }

    /// A term that Apple's text can say, or one of Linux.
    mutating func term(linux: Bool) -> RequirementExpression {
        let slot = pick([Int32(0), -1, 1, -2, 7, .min, .max])
        let apple: [RequirementExpression] = [
            .never, .always, .identifier(string()), .appleAnchor, .appleGenericAnchor,
            .certificateHash(slot: slot, bytes(20...20)), .cdhash(bytes(20...20)), .info(key: string(), match()),
            .entitlement(key: string(), match()),
            .certificateField(slot: slot, name: Array("subject.".utf8) + string(), match()),
            .certificateExtension(slot: slot, oid: oid(), match()), .certificatePolicy(slot: slot, oid: oid(), match()),
            .certificateTimestamp(slot: slot, oid: oid(), match()), .certificateTrusted(slot: slot), .anchorTrusted,
            .namedAnchor(string()), .namedCode(string()), .platform(Int32.random(in: 0...Int32.max, using: &self)),
            .notarized, .legacyDeveloperID,
        ]
        let path = Array("/".utf8) + string()
        let ours: [RequirementExpression] = [
            .osAnchor, .package(string()), .unit(string()), .path(.equal(path)), .path(.beginsWith(path)),
            .digest(bytes(32...32)), .interpreter, .user(UInt32.random(in: 0...UInt32.max, using: &self)),
        ]
        return pick(linux ? apple + ours : apple)
    }

    mutating func tree(depth: Int, linux: Bool = false) -> RequirementExpression {
        guard depth > 1, Int.random(in: 0..<5, using: &self) > 0 else { return term(linux: linux) }
        switch Int.random(in: 0..<5, using: &self) {
        case 0: return .not(tree(depth: depth - 1, linux: linux))
        case 1, 2: return .and(tree(depth: depth - 1, linux: linux), tree(depth: depth - 1, linux: linux))
        default: return .or(tree(depth: depth - 1, linux: linux), tree(depth: depth - 1, linux: linux))
        }
    }
}

extension RequirementExpression {
    /// The tree with chains of one operator nested to the left, as text nests them.
    var leftNested: RequirementExpression {
        switch self {
        case .not(let operand): return .not(operand.leftNested)
        case .and(let left, .and(let middle, let right)): return Self.and(.and(left, middle), right).leftNested
        case .or(let left, .or(let middle, let right)): return Self.or(.or(left, middle), right).leftNested
        case .and(let left, let right): return .and(left.leftNested, right.leftNested)
        case .or(let left, let right): return .or(left.leftNested, right.leftNested)
        default: return self
        }
    }
}

/// The code of the problem that something throws; nil when it throws none.
func problemCode(_ body: () throws(CodeProblem) -> Void) -> CodeProblem.Code? {
    do throws(CodeProblem) {
        try body()
        return nil
    } catch {
        return error.code
    }
}
