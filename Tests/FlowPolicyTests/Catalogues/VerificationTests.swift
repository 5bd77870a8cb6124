// SPDX-License-Identifier: Apache-2.0

import CodeIdentity
import FlowModel
import Testing

@testable import FlowPolicy

@Suite struct VerificationTests {
    private typealias Outcome = CatalogueVerification.Outcome

    private func inventory(_ system: String, _ programs: [InventoryProgram]) -> Inventory {
        Inventory(header: InventoryHeader(system: system, folders: ["/"], takenAt: 0), programs: programs)
    }

    private func signed(_ path: String, _ slices: (identifier: String, team: String?, signer: String?)...)
        -> InventoryProgram
    {
        InventoryProgram(
            path: path, kind: .machO, size: 1,
            slices: slices.map {
                InventoryProgram.Slice(
                    arch: "arm64", signing: $0.signer == nil ? "adhoc" : "cms", identifier: $0.identifier,
                    team: $0.team, signer: $0.signer)
            })
    }

    private func packaged(_ path: String, _ package: String?, _ verdict: PackageVerdict = .intact) -> InventoryProgram {
        var program = InventoryProgram(path: path, kind: .elf, size: 1)
        program.package = package.map { InventoryProgram.Package(PackageClaim(package: $0, verdict: verdict)) }
        return program
    }

    private func outcome(of row: String, _ system: String, _ programs: [InventoryProgram]) throws -> Outcome {
        let verification = Catalogues.shipped.verify(against: inventory(system, programs))
        return try #require(verification.findings.first { $0.row.row == row }).outcome
    }

    @Test func `An identifier is confirmed where all slices of a program that has it are signed by Apple`() throws {
        let row = "macos-daemons/com.apple.trustd"
        let mac = "macOS 26.1 (25B78)"
        let id = "com.apple.trustd"
        #expect(try outcome(of: row, mac, [signed("/usr/libexec/trustd", (id, nil, "apple"))]) == .confirmed)
        #expect(try outcome(of: row, mac, [signed("/usr/libexec/other", ("com.apple.x", nil, "apple"))]) == .absent)
        #expect(try outcome(of: row, mac, [signed("/tmp/tool", (id, nil, nil))]) == .contradicted)
        #expect(try outcome(of: row, mac, [signed("/tmp/tool", (id, "AB12CD34EF", "developer-id"))]) == .contradicted)
        #expect(try outcome(of: row, mac, [signed("/tmp/tool", (id, nil, "apple"), (id, nil, nil))]) == .contradicted)
        let both = [signed("/tmp/tool", (id, nil, nil)), signed("/usr/libexec/trustd", (id, nil, "apple"))]
        #expect(try outcome(of: row, mac, both) == .confirmed)
    }

    @Test func `A row of a team is confirmed only by a certificate in which Apple names the team`() throws {
        let row = "pinned-apps/org.whispersystems.signal-desktop"
        let id = "org.whispersystems.signal-desktop"
        for (team, signer, expected) in [
            ("U68MSDN6DR", "developer-id", Outcome.confirmed), ("U68MSDN6DR", "other", .contradicted),
            ("U68MSDN6DR", nil, .contradicted), ("AB12CD34EF", "developer-id", .contradicted),
        ] {
            #expect(try outcome(of: row, "macOS 26.1", [signed("/Applications/S", (id, team, signer))]) == expected)
        }
    }

    @Test func `A row of a package is confirmed by the intact file, and contradicted by another owner`() throws {
        let row = "linux-daemons/systemd-timesyncd"
        let debian = "Debian GNU/Linux 12 (bookworm)"
        // Debian 12 still names the folder without /usr.
        let path = "/lib/systemd/systemd-timesyncd"
        #expect(try outcome(of: row, debian, [packaged(path, "systemd-timesyncd")]) == .confirmed)
        #expect(try outcome(of: row, debian, [packaged("/usr" + path, "systemd-timesyncd")]) == .confirmed)
        #expect(try outcome(of: row, debian, [packaged(path, "other")]) == .contradicted)
        #expect(try outcome(of: row, debian, [packaged(path, nil)]) == .contradicted)
        #expect(try outcome(of: row, debian, [packaged(path, "systemd-timesyncd", .modified)]) == .contradicted)
        #expect(try outcome(of: row, debian, []) == .absent)
        // A row without paths speaks of the whole package.
        #expect(try outcome(of: "platform-interactive/curl", debian, [packaged("/usr/bin/curl", "curl")]) == .confirmed)
    }

    @Test func `Only rows of the inventory's system are judged, and each once`() throws {
        let linux = Catalogues.shipped.verify(against: inventory("Debian GNU/Linux 12", []))
        let mac = Catalogues.shipped.verify(against: inventory("macOS 26.1", []))
        #expect(linux.findings.count + mac.findings.count == Catalogues.shipped.programs.count)
        #expect(!linux.findings.isEmpty && !mac.findings.isEmpty)
        #expect(linux.listing.title == "rows of programs against the inventory of Debian GNU/Linux 12")
        #expect(linux.listing.jsonLines.count == linux.findings.count)
        #expect(linux.listing.text.contains("absent (\(linux.findings.count))"))
    }
}
