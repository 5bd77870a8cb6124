// SPDX-License-Identifier: Apache-2.0

// Patterns of detectors.

import Testing

@testable import FlowPolicy

@Suite("Patterns of detectors")
struct DetectorPatternsTests {
    private let patterns = DetectorPatterns(Sample.detectors)

    @Test("A pattern selects one by id, a family, or all")
    func expand() {
        #expect(patterns.expand("private-key")?.ids == ["private-key"])
        #expect(patterns.expand("secret/*")?.ids.sorted() == ["aws-access-key", "github-token", "private-key"])
        #expect(patterns.expand("*")?.ids.count == Sample.detectors.count)
        #expect(patterns.expand("secret") == nil)
        #expect(patterns.expand("sec*") == nil)
        #expect(patterns.expand("") == nil)
    }

    @Test("Where no detectors exist, even the star selects nothing")
    func none() {
        #expect(DetectorPatterns([]).expand("*") == nil)
    }
}
