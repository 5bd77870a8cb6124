// SPDX-License-Identifier: Apache-2.0

// Looking fields up.

import Testing

@testable import FlowEngine

@Suite("HTTP/1.1 fields")
struct HTTP1FieldTests {
    @Test("Names are found in any case, first and all of them, in order")
    func names() throws {
        let head = try #require(http1Request("GET", "X-A: 1", "x-b: 2", "x-A:3", "X-AA: 4"))
        #expect(head.text(of: "x-a") == "1")
        #expect(head.text(of: "X-B") == "2")
        #expect(head.text(of: "x-c") == nil)
        #expect(head.values(of: "x-a").map { head.text($0.valueRange) } == ["1", "3"])
        #expect(head.count(of: "x-a") == 2)
        #expect(head.count(of: "") == 0)
    }

    @Test("Only letters have a case")
    func caseOfLetters() throws {
        // These differ in the bit that is the case of a letter.
        let head = try #require(http1Request("GET", "x^: 1", "x@: 2".replacing("@", with: "~")))
        #expect(head.text(of: "x~") == "2")
        #expect(head.text(of: "X^") == "1")
    }

    @Test("A token is found as a whole member of a comma list")
    func tokens() throws {
        let head = try #require(http1Request("GET", "C: a ,B,, c\td", "c: \te\t", "D:", "E: ,"))
        for (token, found) in [
            ("a", true), ("A", true), ("b", true), ("e", true), ("c", false), ("d", false), ("a ", false), ("f", false),
        ] {
            #expect(head.contains(token: token, in: "C") == found, "\(token)")
        }
        #expect(head.contains(token: "", in: "D"))
        #expect(head.contains(token: "a", in: "d") == false)
        #expect(head.contains(token: "a", in: "none") == false)
    }

    @Test("A range outside the bytes has no text")
    func outside() throws {
        let head = try #require(http1Request())
        #expect(head.text(-1..<2) == "")
        #expect(head.text(0..<10_000) == "")
    }
}
