// SPDX-License-Identifier: Apache-2.0

import FlowModel
import Foundation
import Testing

@testable import FlowPolicy

@Suite struct ShippedTests {
    @Test func `Every row of every file that ships can be read`() {
        #expect(Catalogues.shippedProblems == [])
    }

    @Test func `Every line of every data file but the headings is a row`() throws {
        let folder = "Sources/FlowPolicy/Catalogues/Data/"
        var lines: [String: Int] = [:]
        for description in Catalogues.shipped.descriptions {
            let text = try #require(PolicyVector.text(folder + description.name + ".csv"), "\(description.name)")
            lines[description.name] = text.split(separator: "\n").count - 1
        }
        let shipped = Catalogues.shipped
        let rows =
            shipped.protocols.map(\.catalogue) + shipped.programs.map(\.catalogue) + shipped.hosts.map(\.catalogue)
        let counts = rows.reduce(into: [String: Int]()) { counts, name in
            counts[name.hasPrefix("home/") ? "home" : name == "apple-core-ports" ? "apple-ports" : name, default: 0] +=
                1
        }
        #expect(counts == lines)
    }

    @Test func `The edition is the day of the last change to any file`() {
        #expect(Catalogues.shipped.edition == "2026-11-24")
        #expect(Catalogues.shipped.descriptions.allSatisfy { $0.edition <= Catalogues.shipped.edition })
    }

    @Test func `No name stands twice in a catalogue`() {
        let shipped = Catalogues.shipped
        for names in [shipped.protocols.map(\.row), shipped.programs.map(\.row)] {
            #expect(Dictionary(names.map { ($0, 1) }, uniquingKeysWith: +).filter { $0.value > 1 } == [:])
        }
        let hosts = shipped.hosts.map { "\($0.catalogue)/\($0.pattern)" }
        #expect(Dictionary(hosts.map { ($0, 1) }, uniquingKeysWith: +).filter { $0.value > 1 } == [:])
    }
}
