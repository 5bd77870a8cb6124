// SPDX-License-Identifier: Apache-2.0

import FlowModel
import Testing

@testable import FlowPolicy

@Suite struct CommaSeparatedValuesTests {
    /// All records, a defect as its text.
    private func read(_ bytes: [UInt8]) -> [[String]] {
        var reader = CommaSeparatedValues(bytes)
        var records: [[String]] = []
        while true {
            do {
                guard let record = try reader.next() else { return records }
                records.append(record)
            } catch {
                records.append(["defect", error.rawValue])
            }
        }
    }

    private func read(_ text: String) -> [[String]] { read(Array(text.utf8)) }

    @Test(arguments: [
        ("", []), ("a", [["a"]]), ("a,b\nc,d\n", [["a", "b"], ["c", "d"]]), ("a,b\r\nc,d", [["a", "b"], ["c", "d"]]),
        (",\n", [["", ""]]), ("\"a,\"\"b\"\"\",c\n", [["a,\"b\"", "c"]]), ("\"two\nlines\",x", [["two\nlines", "x"]]),
        ("\"\"", [[""]]), ("größe,日本", [["größe", "日本"]]), ("\n", [[""]]),
    ])
    func `Records are read as RFC 4180 has them`(_ text: String, _ records: [[String]]) {
        #expect(read(text) == records)
    }

    @Test(arguments: [
        ("a\"b\nnext", CommaSeparatedValues.Defect.strayQuote), ("\"a\"b\nnext", .textAfterQuote),
        ("a\rb\nnext", .control),
        ("a\u{0}b\nnext", .control), ("a\u{7f}\nnext", .control),
        (String(repeating: "a", count: PolicyLimits.catalogueField.value + 1) + "\nnext", .longField),
        (String(repeating: ",", count: PolicyLimits.catalogueColumns.value) + "\nnext", .manyFields),
    ])
    func `A defect costs its line and no more`(_ text: String, _ defect: CommaSeparatedValues.Defect) {
        #expect(read(text) == [["defect", defect.rawValue], ["next"]])
    }

    @Test func `A quote that is never closed and bytes that are no UTF-8 are defects`() {
        #expect(read("a,\"b\nc") == [["defect", CommaSeparatedValues.Defect.openQuote.rawValue]])
        #expect(read([0xff, 0x0a, 0x61]) == [["defect", CommaSeparatedValues.Defect.encoding.rawValue], ["a"]])
    }

    @Test func `Lines are counted through quoted line ends and defects`() {
        var reader = CommaSeparatedValues(Array("\"a\nb\",c\nx\"y\nz".utf8))
        _ = try? reader.next()
        #expect(reader.line == 3)
        _ = try? reader.next()
        #expect(reader.line == 4)
    }

    @Test func `Whatever happens to the bytes of a catalogue, reading it ends and tells what it dropped`() throws {
        var dice = Dice(20261124)
        for name in ["core-protocols", "pinned-apps", "home"] {
            let text = try #require(PolicyVector.text("Sources/FlowPolicy/Catalogues/Data/\(name).csv"))
            let bytes = Array(text.utf8)
            for _ in 0..<40 {
                var bytes = bytes
                for _ in 0...dice.roll(6) {
                    let place = dice.roll(bytes.count)
                    switch dice.roll(4) {
                    case 0: bytes[place] = UInt8(dice.roll(256))
                    case 1: bytes[place] = dice.pick(Array("\",;-\n\r*.".utf8))
                    case 2: bytes.removeSubrange(place..<min(bytes.count, place + dice.roll(50)))
                    default: bytes.insert(contentsOf: bytes[place..<min(bytes.count, place + dice.roll(50))], at: place)
                    }
                    if bytes.isEmpty { break }
                }
                let (catalogues, problems) = Catalogues.read([(name, bytes)])
                let rows = catalogues.protocols.count + catalogues.programs.count + catalogues.hosts.count
                let lines = bytes.split(separator: 0x0a, omittingEmptySubsequences: false).count
                #expect(rows + problems.count <= lines)
                #expect(
                    catalogues.exclusions(for: PolicySettings(), on: .both).allSatisfy { $0.scope != .prefixes([]) })
            }
        }
    }

    @Test func `A file that is too large is not read, and a heading that is broken leaves nothing`() {
        let large = [UInt8](repeating: 0x61, count: PolicyLimits.catalogueBytes.value + 1)
        for bytes in [large, Array("host,host\na,b\n".utf8), Array("ho\"st\na\n".utf8)] {
            let (catalogues, problems) = Catalogues.read([("pinned-hosts", bytes)])
            #expect(catalogues.hosts.isEmpty && problems.count == 1)
        }
    }
}
