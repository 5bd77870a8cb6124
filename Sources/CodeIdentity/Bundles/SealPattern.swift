// SPDX-License-Identifier: Apache-2.0

// The regular expressions of a seal's rules, matched without backtracking: they come from whoever made the bundle.

import FlowModel

/// A POSIX extended regular expression over bytes, as far as the rules of seals use them.
///
/// Literals, escapes, `.`, `^`, `$`, groups, `|`, `*`, `+`, `?` and plain bracket expressions. What POSIX leaves
/// undefined, and the rest (intervals, classes by name), is refused. Matching takes time proportional to path times
/// pattern, by following all alternatives at once (K. Thompson, 1968).
struct SealPattern {
    private enum Instruction {
        case byte(UInt8)
        case any
        case set(SIMD4<UInt64>)
        case begin
        case end
        case split(Int, Int)
        case jump(Int)
        case match
    }

    let source: String
    private var program: [Instruction] = []
    /// Whether a match can only begin where the path begins.
    private var isAnchored = false

    // Kept from match to match, so that none allocates.
    private var current: [Int] = []
    private var next: [Int] = []
    private var pending: [Int] = []
    /// For each instruction, at which turn it was last taken up.
    private var turns: [Int] = []
    private var turn = 0

    /// Throws `seal-rule` for what is not understood, with the offset in the pattern.
    init(_ source: String) throws(CodeProblem) {
        let limit = CodeIdentityLimits.sealPatternBytes
        guard source.utf8.count <= limit.value else { throw .beyond(limit, "bytes of a pattern") }
        self.source = source
        var reader = SealPatternReader(source)
        emit(try reader.whole())
        program.append(.match)
        turns = Array(repeating: 0, count: program.count)
        var steps = 0
        // If nothing can follow from the start anywhere but at the beginning, nothing ever will.
        turn += 1
        isAnchored = !follow(0, isBegin: false, isEnd: true, &steps) && next.isEmpty
        next.removeAll()
    }

    private mutating func emit(_ node: SealPatternNode) {
        switch node {
        case .byte(let byte): program.append(.byte(byte))
        case .any: program.append(.any)
        case .set(let members): program.append(.set(members))
        case .begin: program.append(.begin)
        case .end: program.append(.end)
        case .sequence(let nodes): for node in nodes { emit(node) }
        case .choice(let nodes):
            var jumps: [Int] = []
            for node in nodes.dropLast() {
                let split = program.count
                program.append(.match)
                emit(node)
                jumps.append(program.count)
                program.append(.match)
                program[split] = .split(split + 1, program.count)
            }
            if let last = nodes.last { emit(last) }
            for jump in jumps { program[jump] = .jump(program.count) }
        case .zeroOrOne(let node):
            let split = program.count
            program.append(.match)
            emit(node)
            program[split] = .split(split + 1, program.count)
        case .zeroOrMore(let node):
            let split = program.count
            program.append(.match)
            emit(node)
            program.append(.jump(split))
            program[split] = .split(split + 1, program.count)
        case .oneOrMore(let node):
            let start = program.count
            emit(node)
            program.append(.split(start, program.count + 1))
        }
    }

    /// Whether the pattern matches anywhere in the path; adds what that took to `steps`.
    mutating func matches(_ path: [UInt8], steps: inout Int) -> Bool {
        current.removeAll(keepingCapacity: true)
        for position in 0...path.count {
            turn += 1
            steps += 1
            next.removeAll(keepingCapacity: true)
            let isEnd = position == path.count
            if position > 0 {
                let byte = path[position - 1]
                steps += current.count
                for place in current where accepts(program[place], byte) {
                    if follow(place + 1, isBegin: false, isEnd: isEnd, &steps) { return true }
                }
            }
            if position == 0 || !isAnchored {
                if follow(0, isBegin: position == 0, isEnd: isEnd, &steps) { return true }
            }
            if isAnchored && next.isEmpty { return false }
            swap(&current, &next)
        }
        return false
    }

    private func accepts(_ instruction: Instruction, _ byte: UInt8) -> Bool {
        switch instruction {
        case .byte(let wanted): byte == wanted
        case .any: true
        case .set(let members): members[Int(byte >> 6)] >> UInt64(byte & 63) & 1 == 1
        case .begin, .end, .split, .jump, .match: false
        }
    }

    /// Takes up everything that can be reached from an instruction without a byte; true when that is a match.
    private mutating func follow(_ start: Int, isBegin: Bool, isEnd: Bool, _ steps: inout Int) -> Bool {
        pending.removeAll(keepingCapacity: true)
        pending.append(start)
        while let place = pending.popLast() {
            if turns[place] == turn { continue }
            turns[place] = turn
            steps += 1
            switch program[place] {
            case .match: return true
            case .jump(let target): pending.append(target)
            case .split(let first, let second):
                pending.append(second)
                pending.append(first)
            case .begin: if isBegin { pending.append(place + 1) }
            case .end: if isEnd { pending.append(place + 1) }
            case .byte, .any, .set: next.append(place)
            }
        }
        return false
    }
}
