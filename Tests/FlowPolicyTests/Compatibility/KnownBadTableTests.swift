// SPDX-License-Identifier: Apache-2.0

// The table of combinations that go wrong: the shipped one, its reader, and who matches.

import FlowModel
import FlowPolicy
import Testing

@Suite struct KnownBadTableTests {
    private static func mac(
        _ version: String, _ build: String, _ hardware: String = "Apple M5 Pro", others: Set<String>? = []
    ) -> SystemFacts {
        SystemFacts(build: .macOS(version: version, build: build), hardware: ["Mac17,1", hardware], others: others)
    }

    @Test("The shipped table is read, and a row that rests on memory only warns")
    func shipped() throws {
        let text = try #require(PolicyVector.text("Sources/FlowPolicy/Catalogues/Data/known-bad.csv"))
        let table = try KnownBadTable(csv: text)
        #expect(table.rows == KnownBadTable.shipped.rows)
        #expect(table.rows.count >= 8)
        #expect(table.rows.allSatisfy { $0.evidence != .recalled || $0.cap == nil })
        // On macOS `decide` still declines each flow, which is what a kernel that stops on declined flows must be spared.
        #expect(table.rows.allSatisfy { $0.kind != .panic || $0.cap == .off })
    }

    struct Machine: Sendable {
        var facts: SystemFacts
        var mode: Policy.Mode?
        init(_ facts: SystemFacts, _ mode: Policy.Mode?) { (self.facts, self.mode) = (facts, mode) }
    }

    @Test(
        "The shipped table holds down the machines it is about, and no other",
        arguments: [
            Machine(mac("26.3", "25D125", others: ["content-filter"]), .off),
            Machine(mac("26.4.1", "25E253", "Apple A18 Pro", others: ["vpn", "endpoint-security"]), .off),
            Machine(mac("26.4", "25E246", others: nil), .off),
            Machine(mac("26.4", "25E246", others: ["vpn"]), nil),
            Machine(mac("26.4", "25E246", "Apple M4", others: ["content-filter"]), nil),
            Machine(mac("26.2", "25C56", others: ["content-filter"]), nil),
            Machine(mac("26.5", "25F5058e", "Apple M1"), .off), Machine(mac("26.5", "25F71", "Apple M1"), nil),
            Machine(mac("15.7.8", "24G817", "Intel Core i7"), .off),
            Machine(mac("15.7.8", "24G818", "Intel Core i7", others: nil), nil),
            Machine(
                SystemFacts(build: .linux(osRelease: "", kernel: "26.3"), hardware: ["M5"], others: ["tailscale"]), nil),
            Machine(SystemFacts(build: .macOS(version: "", build: ""), hardware: [], others: nil), nil),
        ])
    func matching(machine: Machine) {
        #expect(KnownBadTable.shipped.cap(for: machine.facts)?.mode == machine.mode)
    }

    @Test("A row that only warns is shown and caps nothing")
    func warns() {
        let linux = SystemFacts(
            build: .linux(osRelease: "", kernel: "6.1"), hardware: [], others: ["tailscale", "vpn"])
        #expect(KnownBadTable.shipped.rows(for: linux).map(\.id) == ["tailscale-src-valid-mark"])
        #expect(KnownBadTable.shipped.cap(for: linux) == nil)
        let unsure = Self.mac("15.7.8", "24G818", "Intel", others: nil)
        #expect(KnownBadTable.shipped.rows(for: unsure).isEmpty)
    }

    private static let header = "id,system,versions,builds,hardware,others,kind,cap,reason,remedy,evidence,source\n"

    @Test("Quoted fields hold commas, quotes and line feeds; lists are trimmed")
    func quoting() throws {
        let row = "a,linux,6.1-6.9,,x86_64; arm64 ,,breaks,observe,\"one, \"\"two\"\"\nthree\",r,seen,s\r\n"
        let table = try KnownBadTable(csv: Self.header + row)
        let read = try #require(table.rows.first)
        #expect(read.reason == "one, \"two\"\nthree")
        #expect(read.hardware == ["x86_64", "arm64"])
        let facts = { SystemFacts(build: .linux(osRelease: "", kernel: $0), hardware: ["arm64"], others: []) }
        #expect(["6.1", "6.5.7", "6.9.12-rc1"].allSatisfy { table.cap(for: facts($0))?.mode == .observe })
        #expect(["6.0.9", "6.10", "7", "", "6"].allSatisfy { table.cap(for: facts($0)) == nil })
    }

    @Test(
        "A table with a mistake is refused, and the row is named",
        arguments: [
            ("a,linux,,,,,breaks,,r,m,seen", "row 2: 11 fields"),
            ("a,linux,,,,,breaks,,r,m,seen,s\na,linux,,,,,breaks,,r,m,seen,s", "row 3: `a` stands twice"),
            (",linux,,,,,breaks,,r,m,seen,s", "row 2: `id` is empty"),
            ("a,linux,,,,,breaks,,,m,seen,s", "row 2: `reason` is empty"),
            ("a,both,,,,,breaks,,r,m,seen,s", "row 2: `system` is `both`"),
            ("a,windows,,,,,breaks,,r,m,seen,s", "row 2: `system` is `windows`: one of macos"),
            ("a,linux,,,,,hurts,,r,m,seen,s", "row 2: `kind`"), ("a,linux,,,,,breaks,most,r,m,seen,s", "row 2: `cap`"),
            ("a,linux,6.9-6.1,,,,breaks,,r,m,seen,s", "row 2: `versions`"),
            ("a,linux,6-7-8,,,,breaks,,r,m,seen,s", "row 2: `versions`"),
            ("a,linux,six,,,,breaks,,r,m,seen,s", "row 2: `versions`"),
            ("a,linux,-6,,,,breaks,,r,m,seen,s", "row 2: `versions`"),
            ("a,linux,6.x,,,,breaks,,r,m,seen,s", "row 2: `versions`"),
        ])
    func mistakes(rows: String, start: String) {
        let error = #expect(throws: KnownBadProblem.self) { try KnownBadTable(csv: Self.header + rows + "\n") }
        #expect(error?.description.hasPrefix(start) == true, "\(error?.description ?? "")")
    }

    @Test("Other columns, no columns and too many rows are refused; noise never traps")
    func hostile() {
        for text in ["", "\n", "id,system\n", "\"", String(repeating: ",", count: 10_000)] {
            #expect(throws: KnownBadProblem.self) { try KnownBadTable(csv: text) }
        }
        let many = (0...PolicyLimits.knownBadRows.value).map { "r\($0),linux,,,,,breaks,,r,m,seen,s\n" }.joined()
        #expect(throws: KnownBadProblem.self) { try KnownBadTable(csv: Self.header + many) }
        var seed = 7 as UInt64
        func random(_ bound: Int) -> Int {
            seed = seed &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int(seed >> 33) % bound
        }
        let letters = Array(Self.header + "a,linux,6-7,;;,\"\"\"\n,off,panic,seen\r\n\u{301}é")
        for _ in 0..<2_000 {
            let noise = (0..<random(80)).map { _ in letters[random(letters.count)] }
            _ = try? KnownBadTable(csv: Self.header + String(noise))
        }
    }
}
