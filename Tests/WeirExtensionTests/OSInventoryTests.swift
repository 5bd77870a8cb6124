// SPDX-License-Identifier: Apache-2.0

// The inventory of the system: used when it is of this build, and what is said when it is not.

import AppleIntake
import CodeIdentity
import EngineAssembly
import EventStore
import FlowModel
import Foundation
import Testing

@testable import WeirExtension

@Suite(.timeLimit(.minutes(2))) struct OSInventoryTests {
    private let machine: Machine
    private static let release = "macOS 26.1 (25B78)"
    /// A daemon, a tool, and a tool that borrows the daemon's identifier.
    private static let programs = [
        program("/usr/libexec/trustd", "com.apple.trustd", hash: 1, runsForSystem: true),
        program("/usr/bin/curl", "com.apple.curl", hash: 2),
        program("/usr/libexec/shared", "com.apple.shared", hash: 3, runsForSystem: true),
        program("/usr/bin/shared", "com.apple.shared", hash: 4),
    ]

    init() throws { machine = try Machine() }

    private static func program(
        _ path: String, _ identifier: String, hash: UInt8, runsForSystem: Bool = false
    ) -> InventoryProgram {
        let slice = InventoryProgram.Slice(
            arch: "arm64e", signing: "cms", identifier: identifier, cdhash: cdhash(hash)?.description,
            signer: SignerClass.apple.rawValue)
        return InventoryProgram(
            path: path, kind: .machO, size: 1, slices: [slice], runsForSystem: runsForSystem)
    }

    private static func cdhash(_ byte: UInt8) -> CDHash? { CDHash([UInt8](repeating: byte, count: 20)) }

    private func write(system: String = release, folders: [String] = ["/System", "/usr"]) throws {
        try StateDirectory.create(machine.folder + "/state")
        let header = InventoryHeader(system: system, folders: folders, takenAt: 0)
        try InventoryFile.write(
            Inventory(header: header, programs: Self.programs), to: machine.folder + "/state/inventory.jsonl")
    }

    private func read() -> OSInventory { OSInventory.read(in: machine.folder + "/state", release: Self.release) }

    @Test func `Of an inventory of this build the system's own programs are known, by hash and by identifier`() throws {
        try write()
        let inventory = read()
        #expect(inventory.problem == nil)
        #expect(inventory.programs?.cdhashes == Set([1, 3].compactMap(Self.cdhash)))
        #expect(inventory.programs?.identifiers == ["com.apple.trustd"], "a shared identifier names neither")
    }

    @Test func `Without an inventory of the whole of this build nothing is known, and it is said why`() throws {
        #expect(read().problem?.code == "inventory-missing")
        try write(system: "macOS 26.0 (25A354)")
        #expect(read().problem?.code == "inventory-stale")
        try write(folders: ["/usr"])
        #expect(read().problem?.code == "inventory-partial")
        try Data("{}".utf8).write(to: URL(filePath: machine.folder + "/state/inventory.jsonl"))
        #expect(read().problem?.code == "inventory-unreadable")
        #expect(read().programs == nil)
    }

    @Test func `An inventory that comes while it runs is used after a reload, and its lack is told once`() async throws
    {
        let runtime = machine.boot(release: Self.release, kernel: OneKernel(isPlatform: true))
        let services = try await runtime.services(policy: try machine.policy())
        let token = AuditToken(fields: [501, 501, 20, 501, 20, 4711, 100_007, 1])
        let told: [String] = try await eventually {
            let all = try await notices()
            return all.isEmpty ? nil : all
        }
        #expect(told == ["inventory-missing"])
        #expect(services.identities.immediate(token, now: .now).summary.codeClass == .unknown(.platformUnresolved))
        try write()
        try await runtime.reload()
        let known: IdentitySummary.Class = try await eventually {
            let found = services.identities.immediate(token, now: .now).summary.codeClass
            return found == .unknown(.platformUnresolved) ? nil : found
        }
        #expect(known == .known(.platformInteractive))
        await runtime.close()
        #expect(try await self.notices() == ["inventory-missing"])
    }

    private func notices() async throws -> [String] {
        var query = EventQuery()
        query.kinds = [.notice]
        var codes: [String] = []
        for try await event in try EventReader.open(at: machine.folder + "/state").events(query) {
            if case .notice(let notice) = event, notice.reason.code.hasPrefix("inventory") {
                codes.append(notice.reason.code)
            }
        }
        return codes
    }
}
