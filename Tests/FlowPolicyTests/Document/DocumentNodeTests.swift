// SPDX-License-Identifier: Apache-2.0

// Merge patches.

import Testing

@testable import FlowPolicy

@Suite("Nodes of a document")
struct DocumentNodeTests {
    /// A node as JSON without quotes, keys in order.
    private static func words(_ node: DocumentNode) -> String {
        switch node.content {
        case .text(let text, _): return text
        case .list(let items): return "[" + items.map(words).joined(separator: ",") + "]"
        case .mapping(let pairs):
            return "{" + pairs.map { "\($0.key.word ?? ""):\(words($0.value))" }.joined(separator: ",") + "}"
        case .tagged(let tag): return tag
        }
    }

    // RFC 7396, appendix A, as far as YAML has it; a null under a key that was not there stays, to be refused later.
    @Test(
        "A patch merges mappings, replaces all else and takes out what is null",
        arguments: [
            ("{a: b}", "{a: c}", "{a:c}"), ("{a: b}", "{b: c}", "{a:b,b:c}"), ("{a: b}", "{a: null}", "{}"),
            ("{a: b, b: c}", "{a: null}", "{b:c}"), ("{a: [b]}", "{a: c}", "{a:c}"), ("{a: c}", "{a: [b]}", "{a:[b]}"),
            ("{a: {b: c}}", "{a: {b: d, c: null}}", "{a:{b:d,c:null}}"), ("{a: [{b: c}]}", "{a: [1]}", "{a:[1]}"),
            ("[a, b]", "[c, d]", "[c,d]"), ("{a: b}", "[c]", "[c]"), ("{a: foo}", "null", "null"),
            ("{a: b}", "{a: \"null\"}", "{a:null}"),
        ])
    func patch(base: String, change: String, result: String) throws {
        let base = try DocumentText.compose(base, file: 0)
        let change = try DocumentText.compose(change, file: 1)
        #expect(Self.words(base.patched(by: change)) == result)
    }

    @Test("What a patch brings keeps its own place, and what it leaves keeps its")
    func places() throws {
        let base = try DocumentText.compose("a: 1\nb: {c: 2, d: 3}\n", file: 0)
        let change = try DocumentText.compose("\n\nb: {d: 4}\n", file: 1)
        let merged = try #require(base.patched(by: change)["b"])
        #expect(merged["c"]?.place == Place(file: 0, line: 2, column: 8))
        #expect(merged["d"]?.place == Place(file: 1, line: 3, column: 8))
    }

    @Test("A shallow patch replaces the values of keys whole")
    func shallow() throws {
        let base = try DocumentText.compose("{when: {port: 1, class: os}, then: block}", file: 0)
        let change = try DocumentText.compose("{when: {port: 2}}", file: 1)
        #expect(Self.words(base.patched(by: change, isDeep: false)) == "{when:{port:2},then:block}")
    }
}
