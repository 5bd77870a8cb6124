// SPDX-License-Identifier: Apache-2.0

// "Did you mean": the known word nearest to a mistyped one.

/// Finds what somebody probably meant.
enum NearMiss {
    /// ` Did you mean ...?` with the nearest candidate, or nothing when none is near.
    static func hint(_ word: String, among candidates: some Sequence<String>) -> String {
        let typed = folded(word)
        guard (1...64).contains(typed.count) else { return "" }
        let allowed = max(1, typed.count / 3)
        var best: (word: String, distance: Int)?
        for candidate in candidates {
            let other = folded(candidate)
            guard other.count <= 64, abs(other.count - typed.count) <= allowed else { continue }
            let distance = distance(typed, other)
            if distance <= allowed, distance < best?.distance ?? .max { best = (candidate, distance) }
        }
        return best.map { " Did you mean `\($0.word)`?" } ?? ""
    }

    /// Case and the choice between `-` and `_` are no difference.
    private static func folded(_ word: String) -> [UInt8] {
        word.lowercased().utf8.map { $0 == UInt8(ascii: "_") ? UInt8(ascii: "-") : $0 }
    }

    /// Insertions, deletions, replacements and swaps of neighbours that make one word of the other.
    private static func distance(_ a: [UInt8], _ b: [UInt8]) -> Int {
        var beforeLast: [Int] = []
        var last = Array(0...b.count)
        for i in a.indices {
            var row = [i + 1]
            for j in b.indices {
                var cost = min(last[j] + (a[i] == b[j] ? 0 : 1), last[j + 1] + 1, row[j] + 1)
                if i > 0, j > 0, a[i] == b[j - 1], a[i - 1] == b[j] { cost = min(cost, beforeLast[j - 1] + 1) }
                row.append(cost)
            }
            beforeLast = last
            last = row
        }
        return last[b.count]
    }
}
