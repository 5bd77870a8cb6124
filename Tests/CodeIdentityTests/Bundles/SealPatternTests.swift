// SPDX-License-Identifier: Apache-2.0

// The regular expressions of a seal's rules: what they match, what is refused, and how long it takes.

import FlowModel
import Testing

@testable import CodeIdentity

@Suite("SealPattern") struct SealPatternTests {
    private func matches(_ pattern: String, _ path: String) throws -> Bool {
        var pattern = try SealPattern(pattern)
        var steps = 0
        return pattern.matches(Array(path.utf8), steps: &steps)
    }

    @Test(
        "Apple's own rules match what they are meant to, and no more",
        arguments: [
            ("^.*", ["", "a", "a/b"], []),
            ("^Info\\.plist$", ["Info.plist"], ["Info_plist", "a/Info.plist", "Info.plist2", "Info.plist/a"]),
            ("^[^/]+$", ["a", "a.b"], ["", "a/b", "/"]),
            ("^(.*/)?\\.DS_Store$", [".DS_Store", "a/b/.DS_Store"], ["a.DS_Store", ".DS_Store2", "a/xDS_Store"]),
            (".*\\.dSYM($|/)", ["a.dSYM", "x/a.dSYM/b", ".dSYM"], ["a.dSYM2", "adSYM/"]),
            (
                "^Resources/.*\\.lproj/", ["Resources/de.lproj/x", "Resources/a/de.lproj/"],
                ["Resources/de.lproj", "de.lproj/x"]
            ),
            (
                "^Resources/.*\\.lproj/locversion.plist$", ["Resources/de.lproj/locversion.plist"],
                ["Resources/locversion.plist"]
            ),
            (
                SealSample.codePlaces,
                ["Frameworks/a", "MacOS/b", "Library/Spotlight/c", "Plug-ins/x"],
                ["Library/a", "Library/SystemExtensions/a", "xMacOS/a", "MacOS", "Frameworks.x/a"]
            ),
        ])
    func apple(_ pattern: String, _ yes: [String], _ no: [String]) throws {
        for path in yes { #expect(try matches(pattern, path), "\(pattern) and \(path)") }
        for path in no { #expect(try !matches(pattern, path), "\(pattern) and \(path)") }
    }

    @Test(
        "Every part of the language does what POSIX says",
        arguments: [
            ("ab*c", ["ac", "abbbc", "xacx"], ["abb", "c"]), ("ab+c", ["abc", "abbc"], ["ac"]),
            ("^ab?c$", ["ac", "abc"], ["abbc"]),
            ("^(ab)*$", ["", "abab"], ["aba"]), ("^(a|b+|cd)x$", ["ax", "bbx", "cdx"], ["x", "cx"]),
            ("a|b$", ["ab", "ac", "xb"], ["bc"]),
            ("^[a-c0-9_]+$", ["ab09_"], ["d", "A"]), ("^[]x]$", ["]", "x"], ["a"]), ("^[^]x]$", ["a"], ["]", "x"]),
            ("^[-a]$", ["-", "a"], ["b"]),
            ("^[a-]$", ["-", "a"], ["b"]), ("^\\[\\.\\^\\$\\(\\)\\*\\+\\?\\\\\\{$", ["[.^$()*+?\\{"], [""]),
            ("^a.c$", ["abc", "a\nc"], ["ac"]),
            ("(^|/)a", ["a", "x/a"], ["xa"]), ("^((a))$", ["a"], ["aa"]), ("é+$", ["éé"], ["e"]),
            ("a}]", ["a}]"], ["a"]),
        ])
    func language(_ pattern: String, _ yes: [String], _ no: [String]) throws {
        for path in yes { #expect(try matches(pattern, path), "\(pattern) and \(path)") }
        for path in no { #expect(try !matches(pattern, path), "\(pattern) and \(path)") }
    }

    @Test(
        "What is undefined, or means something else elsewhere, is refused",
        arguments: [
            "", "a|", "|a", "a||b", "()", "(|a)", "(a", "a)", "*a", "^*", "$+", "a**", "a+?", "(*a)", "a|*", "a{2}",
            "{", "\\",
            "\\d", "\\b", "\\1", "[", "[]", "[a", "[[:alpha:]]", "[[.a.]]", "[\\d]", "[z-a]", "[a-Z]", "[!-~]", "[é]",
            "[^]",
        ])
    func refused(_ pattern: String) {
        #expect { _ = try SealPattern(pattern) } throws: { ($0 as? CodeProblem)?.code == .sealRule }
    }

    @Test("Groups stand inside each other up to the limit; length has one too")
    func bounded() {
        let depth = CodeIdentityLimits.sealPatternDepth.value
        func nested(_ depth: Int) -> String {
            String(repeating: "(", count: depth) + "a" + String(repeating: ")", count: depth)
        }
        #expect(throws: Never.self) { _ = try SealPattern(nested(depth)) }
        #expect { _ = try SealPattern(nested(depth + 1)) } throws: { ($0 as? CodeProblem)?.code == .limit }
        let length = CodeIdentityLimits.sealPatternBytes.value
        #expect { _ = try SealPattern(String(repeating: "(", count: length)) } throws: {
            ($0 as? CodeProblem)?.code == .limit
        }
        #expect(throws: Never.self) { _ = try SealPattern(String(repeating: "a", count: length)) }
        #expect { _ = try SealPattern(String(repeating: "a", count: length + 1)) } throws: {
            ($0 as? CodeProblem)?.code == .limit
        }
    }

    @Test(
        "Patterns that make others take exponential time take steps in proportion",
        arguments: ["^(a+)+$", "^(a*)*b$", "^(a|a)*$", "(.*)(.*)(.*)(.*)x$", "^((a?)*)*$", "(a|aa)+$"])
    func catastrophe(_ source: String) throws {
        var pattern = try SealPattern(source)
        let path = [UInt8](repeating: 0x61, count: 4000) + [0x21]
        var steps = 0
        #expect(!pattern.matches(path, steps: &steps) || source.hasPrefix("^((a?)"))
        #expect(steps < 4001 * 4 * source.utf8.count)
    }

    @Test("An anchored pattern that has failed is not looked at further")
    func anchored() throws {
        var pattern = try SealPattern("^Resources/")
        var steps = 0
        #expect(!pattern.matches(Array("Frameworks/a/very/long/path/that/nobody/reads".utf8), steps: &steps))
        #expect(steps < 6)
    }

    @Test("Any pattern matches as a plain backtracking matcher says", arguments: 1...300 as ClosedRange<UInt64>)
    func differential(_ seed: UInt64) throws {
        var random = PropertyListSeed(state: seed)
        let node = Self.node(&random, depth: 3)
        var pattern = try SealPattern(node.text)
        for _ in 0..<40 {
            let path = (0..<Int.random(in: 0..<7, using: &random)).map { _ in
                "ab/".utf8.randomElement(using: &random) ?? 0
            }
            var steps = 0
            let expected = (0...path.count).contains { start in node.ends(path, start).contains { _ in true } }
            #expect(
                pattern.matches(path, steps: &steps) == expected,
                "\(node.text) and \(String(decoding: path, as: UTF8.self))")
        }
    }

    /// A pattern as text, and the ends of all its matches from a start.
    private struct Node {
        let text: String
        let ends: ([UInt8], Int) -> Set<Int>
    }

    private static func node(_ random: inout PropertyListSeed, depth: Int) -> Node {
        switch Int.random(in: 0..<(depth == 0 ? 4 : 9), using: &random) {
        case 0: return Node(text: "a") { path, start in start < path.count && path[start] == 0x61 ? [start + 1] : [] }
        case 1:
            return Node(text: "[^/]") { path, start in start < path.count && path[start] != 0x2F ? [start + 1] : [] }
        case 2:
            return Node(text: "(^|a)") { path, start in
                Set(start == 0 ? [0] : []).union(start < path.count && path[start] == 0x61 ? [start + 1] : [])
            }
        case 3:
            return Node(text: "(/|$)") { path, start in
                Set(start == path.count ? [start] : []).union(
                    start < path.count && path[start] == 0x2F ? [start + 1] : [])
            }
        case 4, 5:
            let (first, second) = (node(&random, depth: depth - 1), node(&random, depth: depth - 1))
            return Node(text: first.text + second.text) { path, start in
                first.ends(path, start).reduce(into: Set<Int>()) { $0.formUnion(second.ends(path, $1)) }
            }
        case 6:
            let (first, second) = (node(&random, depth: depth - 1), node(&random, depth: depth - 1))
            return Node(text: "(\(first.text)|\(second.text))") { path, start in
                first.ends(path, start).union(second.ends(path, start))
            }
        default:
            let inner = node(&random, depth: depth - 1)
            let sign = ["*", "+", "?"].randomElement(using: &random) ?? "*"
            return Node(text: "(\(inner.text))\(sign)") { path, start in
                var ends: Set<Int> = sign == "+" ? [] : [start]
                var fresh: Set<Int> = [start]
                repeat {
                    fresh = fresh.reduce(into: Set<Int>()) { $0.formUnion(inner.ends(path, $1)) }.subtracting(ends)
                    ends.formUnion(fresh)
                } while !fresh.isEmpty && sign != "?"
                return ends
            }
        }
    }
}
