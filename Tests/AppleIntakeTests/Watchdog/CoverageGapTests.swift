// SPDX-License-Identifier: Apache-2.0

// Tests of the notice on connections that were open before flows were taken.

import CodeIdentity
import FlowModel
import FlowPolicy
import Synchronization
import Testing

@testable import AppleIntake

@Suite("Connections that are not covered", .timeLimit(.minutes(2)))
struct CoverageGapTests {
    /// Takes TCP, but for the bank.
    private static let plan: CapturePlan? = try? Policy.read(
        yaml: """
            version: 1
            mode: enforce
            dns: {others: pass}
            rules:
              - {name: bank, when: {address: 192.0.2.0/24}, then: bypass}
              - {name: web, when: {transport: tcp}, then: inspect, profile: p}
              - {name: rest, then: bypass}
            profiles: {p: {detect: "*"}}
            """, file: "test.yaml",
        PolicyEnvironment(detectors: [DetectorName(id: "payment-card", family: "payment-card")])
    ).capturePlan(for: .networkExtension)

    private struct Machine: OpenConnections {
        var processes: [ProcessSockets]
        func list() -> [ProcessSockets] { processes }
    }

    /// Proves the programs of even process numbers.
    private struct Identities: SystemCode {
        func immediate(_ process: AuditToken?, now: ContinuousClock.Instant) -> MakerAnswer {
            guard let number = process?.processID, number % 2 == 0 else {
                return MakerAnswer(summary: IdentitySummary(.unknown(.exited)), unknown: .exited)
            }
            return MakerAnswer(summary: IdentitySummary(.known(.thirdParty), provedName: "TEAM:\(number)"))
        }
        func later(
            _ process: AuditToken?, now: ContinuousClock.Instant, _ receive: @escaping @Sendable (MakerAnswer) -> Void
        ) { receive(immediate(process, now: now)) }
    }

    private func token(_ process: Int32) -> AuditToken {
        AuditToken(fields: SIMD8(0, 0, 0, 0, 0, UInt32(bitPattern: process), 0, 1))
    }

    private func process(_ number: Int32, _ path: String?, token: Bool = true, _ sockets: [OpenSocket])
        -> ProcessSockets
    {
        ProcessSockets(
            processID: number, token: token ? self.token(number) : nil, executable: path, sockets: sockets)
    }

    private func tcp(_ local: UInt16, _ remote: String?) -> OpenSocket {
        OpenSocket(.tcp, localPort: local, remote: remote.flatMap { Endpoint($0) })
    }

    private func notice(
        _ processes: [ProcessSockets], own: Int32 = 1, _ cause: CoverageGap.Cause = .start
    ) throws -> NoticeRecord {
        CoverageGap(connections: Machine(processes: processes), identities: Identities(), ownProcess: own)
            .notice(cause, plan: try #require(Self.plan), at: 77)
    }

    @Test("Connections are counted by program, with the name that is proved, most first")
    func byProgram() throws {
        let notice = try notice([
            process(2, "/a", [tcp(1_000, "198.51.100.1:443")]),
            process(3, "/b", [tcp(1_001, "198.51.100.1:443"), tcp(1_002, "[2001:db8::1]:443")]),
            process(5, "/b", [tcp(1_003, "198.51.100.1:443")]),
            process(4, "/a", token: false, [tcp(1_004, "198.51.100.1:443")]),
            process(7, nil, token: false, [tcp(1_005, "198.51.100.1:443")]),
        ])
        #expect(notice.at == 77 && notice.severity == .warning && notice.reason.code == "coverage-gap")
        #expect(
            notice.facts == [
                .init("open-connections", 6), .init("programs", 4), .init("program", 3, executable: "/b"),
                .init("program", 1), .init("program", 1, executable: "/a"),
                .init("program", 1, executable: "/a", provedName: "TEAM:2"),
            ])
    }

    @Test("What would not have been taken does not count")
    func plan() throws {
        let notice = try notice([
            process(
                2, "/a",
                [
                    tcp(1, "192.0.2.5:443"), tcp(2, "127.0.0.1:443"), tcp(3, "198.51.100.1:0"), tcp(4, nil),
                    OpenSocket(.udp, localPort: 5, remote: Endpoint("198.51.100.1:443")),
                ])
        ])
        #expect(notice.severity == .info)
        #expect(notice.facts == [.init("open-connections", 0), .init("programs", 0)])
    }

    @Test("What a server accepted is no outbound connection, whichever process listens")
    func accepted() throws {
        let notice = try notice([
            process(2, "/launcher", [tcp(8_080, nil)]),
            process(
                3, "/server",
                [tcp(8_080, "198.51.100.1:50000"), tcp(8_081, "198.51.100.1:50001")]),
            // The same port of another transport listens to other things.
            process(4, "/other", [OpenSocket(.udp, localPort: 8_081, remote: nil)]),
        ])
        #expect(notice.facts.first?.count == 1)
    }

    @Test("The provider's own connections do not count, and a shared descriptor counts once")
    func ownAndShared() throws {
        let shared = tcp(1_000, "198.51.100.1:443")
        let notice = try notice(
            [
                process(9, "/weir", [tcp(2_000, "198.51.100.1:443")]), process(3, "/parent", [shared]),
                process(5, "/child", [shared]),
            ], own: 9)
        #expect(
            notice.facts
                == [
                    .init("open-connections", 1), .init("programs", 1), .init("program", 1, executable: "/parent"),
                ])
    }

    @Test("Of many programs those with most connections are named, and the rest is counted")
    func many() throws {
        let most = AppleIntakeLimits.gapPrograms.value
        let processes = (1...40).map { number in
            process(
                Int32(number) * 2 + 1, "/\(number)",
                (0..<number).map { tcp(UInt16(number * 100 + $0), "198.51.100.1:443") })
        }
        let notice = try notice(processes)
        #expect(notice.facts.count == most + 3)
        #expect(notice.facts[0].count == 820 && notice.facts[1].count == 40)
        #expect(notice.facts[2] == .init("program", 40, executable: "/40"))
        #expect(notice.facts.dropFirst(2).reduce(0) { $0 + $1.count } == 820)
        #expect(notice.facts.last?.code == "other-programs")
    }

    @Test("Each cause has its own words")
    func causes() throws {
        let words = try [CoverageGap.Cause.start, .death, .upgrade, .pause].map { try notice([], $0).reason.detail }
        #expect(Set(words).count == 4)
    }

    @Test("A report asks the system on another thread, and comes as one record")
    func reported() async throws {
        let (notices, taken) = AsyncStream<NoticeRecord>.makeStream()
        let gate = Gate()
        let gap = CoverageGap(connections: SlowMachine(gate: gate), identities: Identities(), ownProcess: 1)
        // Would never return if it asked the system itself.
        gap.report(.start, plan: try #require(Self.plan), at: 77, to: Sink(taken: taken))
        gate.open()
        #expect(await notices.first { _ in true }?.reason.code == "coverage-gap")
    }

    private final class Gate: Sendable {
        private let isOpen = Mutex(false)
        func open() { isOpen.withLock { $0 = true } }
        func pass() { while !isOpen.withLock({ $0 }) {} }
    }

    private struct SlowMachine: OpenConnections {
        let gate: Gate
        func list() -> [ProcessSockets] {
            gate.pass()
            return []
        }
    }

    private struct Sink: FlowSink {
        let taken: AsyncStream<NoticeRecord>.Continuation
        func record(flow: FlowRecord) {}
        func record(message: MessageRecord) {}
        func record(finding: FindingRecord) {}
        func record(notice: NoticeRecord) { taken.yield(notice) }
    }
}
