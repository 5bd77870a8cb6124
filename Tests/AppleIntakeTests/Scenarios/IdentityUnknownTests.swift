// SPDX-License-Identifier: Apache-2.0

// Programs of which Weir knows nothing, or not yet: gone, changed, without a token, or still being examined.

import CodeIdentity
import Dispatch
import FlowEngine
import FlowModel
import Foundation
import NetworkSimulation
import Testing

@testable import AppleIntake
@testable import NetworkExtension

@Suite(.timeLimit(.minutes(2))) struct IdentityUnknownTests {
    /// A policy with a verdict for each kind of program.
    private static func policy(exited: String = "hold", deferred: String = "") -> String {
        """
        version: 1
        mode: enforce
        unknown: {exited: \(exited), third-party-pending: hold, no-token: bypass}
        \(deferred)
        vendor: {teams: [WEIR012345]}
        rules:
          - {name: system, when: {class: os}, then: bypass}
          - {name: ours, when: {class: vendor}, then: bypass}
          - {name: nobody's, when: {class: unsigned}, then: block}
          - {name: look, then: inspect, profile: strict}
        profiles: {strict: {detect: [payment-card], outbound: redact, on_failure: {before_takeover: block}}}
        """
    }

    @Test func `A tool that exits while it is examined is recorded as gone, and nothing of its flow stays`()
        async throws
    {
        let rig = try await ServicesRig(Self.policy())
        try await rig.serve()
        let tool = rig.mac.launch(.app("tool"))
        rig.code.before.change { $0 = { process in process?.exit() } }
        // Its own socket has gone with it; that Weir keeps nothing of it is the point.
        #expect(await errno { _ = try await tool.connect(to: ServicesRig.site) } != nil)
        let record = try await rig.record(of: ServicesRig.site)
        #expect(record.facts.identity.codeClass == .unknown(.exited))
        try await rig.end()
    }

    @Test(arguments: ["hold", "relay", "block"])
    func `A transfer for an application that has ended meanwhile goes as the policy says of that cause`(
        _ verdict: String
    ) async throws {
        let rig = try await ServicesRig(Self.policy(exited: verdict))
        let daemon = rig.mac.launch(.system("com.apple.nsurlsessiond"))
        let app = rig.mac.launch(.app("mail"))
        app.exit()
        switch verdict {
        case "hold": #expect(try await rig.isMasked(daemon, delegate: app))
        case "relay": #expect(try await rig.isLeftAlone(daemon, delegate: app))
        default:
            let origin = try await rig.serve()
            let socket = try await daemon.connect(to: ServicesRig.site, delegate: app)
            try await socket.send(Data("GET / HTTP/1.1\r\nHost: shop.example\r\n\r\n".utf8))
            #expect(String(decoding: try await socket.receive(), as: UTF8.self).hasPrefix("HTTP/1.1 403"))
            #expect(origin.received.isEmpty)
            socket.close()
        }
        #expect(rig.code.examinations.read { $0 } == 0)
        try await rig.end()
    }

    @Test func `A connection is judged as the program that opened it, and the next one after exec as the new one`()
        async throws
    {
        let rig = try await ServicesRig()
        try await rig.serve()
        let process = rig.mac.launch(.system("com.apple.trustd"))
        let old = try await process.connect(to: ServicesRig.site)
        process.exec(.app("app"))
        #expect(old.way == .declined)
        #expect(try await old.upload() == MacRig.ok)
        #expect(try await rig.isMasked(process))
        process.exec(.system("com.apple.trustd"))
        #expect(try await rig.isLeftAlone(process))
        old.close()
        try await rig.end()
    }

    @Test func `A process that gets the number of one that was known is judged anew`() async throws {
        let rig = try await ServicesRig()
        let daemon = rig.mac.launch(.system("com.apple.apsd"))
        #expect(try await rig.isLeftAlone(daemon))
        daemon.exit()
        let impostor = rig.mac.launch(.adHoc("apsd", identifier: "com.apple.apsd"), pid: daemon.pid)
        #expect(impostor.pid == daemon.pid)
        #expect(try await rig.isMasked(impostor))
        try await rig.end()
    }

    @Test func `Flows of the kernel, and others that name no process, are left alone`() async throws {
        let rig = try await ServicesRig()
        let kernel = rig.mac.launch(SimulatedProgram("kernel", isKernel: true))
        let nameless = rig.mac.launch(SimulatedProgram("nameless", hasToken: false))
        #expect(try await rig.isLeftAlone(kernel))
        #expect(try await rig.isLeftAlone(nameless))
        try await rig.end()
    }

    @Test func `A program that was replaced on disk while it runs is not denied, and is examined again`() async throws {
        let rig = try await ServicesRig()
        rig.code.before.change { $0 = { _ throws(CodeSigningError) in throw .code(.staticCodeChanged) } }
        let app = rig.mac.launch(.app("app"))
        #expect(try await rig.isMasked(app))
        let record = try await rig.record(of: ServicesRig.site)
        #expect(record.facts.identity.codeClass == .unknown(.unresolved))
        rig.code.before.change { $0 = nil }
        // A failure that may pass is believed for a while only.
        try await rig.eventually("it is examined again") {
            let token = app.auditToken.flatMap { AuditToken($0) }
            return rig.weir.services.read { $0 }?.identities.immediate(token, now: .now + .seconds(60))
                .summary.codeClass == .known(.thirdParty)
        }
        try await rig.end()
    }

    @Test func `While hundreds of examinations hang or fail, the system is left alone at once and nobody is denied`()
        async throws
    {
        let rig = try await ServicesRig()
        try await rig.serve()
        let isOver = Gate(false)
        let release = DispatchSemaphore(value: 0)
        rig.code.before.change {
            $0 = { _ throws(CodeSigningError) in
                if !isOver.read({ $0 }) {
                    release.wait()
                    release.signal()
                }
                throw .code(.internalError)
            }
        }
        let most = CodeIdentityLimits.examinationsWaiting.value + 50
        let apps = (0..<most).map { rig.mac.launch(.app("app\($0)")) }
        let uploads = Task {
            await withTaskGroup(of: Bool.self) { group in
                for app in apps {
                    group.addTask {
                        guard let socket = try? await app.connect(to: ServicesRig.site) else { return false }
                        defer { socket.close() }
                        return (try? await socket.upload()) == MacRig.ok
                    }
                }
                var carried = 0
                for await isCarried in group where isCarried { carried += 1 }
                return carried
            }
        }
        try await rig.eventually("all are offered") { rig.mac.log.count(.offered) == most }
        let daemon = rig.mac.launch(.system("com.apple.trustd"))
        let socket = try await daemon.connect(to: ServicesRig.site)
        #expect(socket.way == .declined)
        socket.close()
        #expect(rig.code.examinations.read { $0 } <= CodeIdentityLimits.examinationsAtOnce.value)
        isOver.change { $0 = true }
        release.signal()
        #expect(await uploads.value == most)
        #expect(rig.weir.counts.read { $0[CodeIdentityLimits.examinationsWaiting.metric.description] ?? 0 } > 0)

        // No failure is kept as an answer: the same program, examined, is itself again.
        rig.code.before.change { $0 = nil }
        let token = apps[0].auditToken.flatMap { AuditToken($0) }
        try await rig.eventually("it is known") {
            rig.weir.services.read { $0 }?.identities.immediate(token, now: .now + .seconds(60)).summary.codeClass
                == .known(.thirdParty)
        }
        try await rig.end()
    }

    @Test func `An examination that needs the network through the same provider does not wait for itself`()
        async throws
    {
        let rig = try await ServicesRig()
        let revocation = ServicesRig.place("17.253.1.9", 80)
        let check = try await rig.serve(revocation)
        let trustd = rig.mac.launch(.system("com.apple.trustd"))
        let ways = Gate<[SimulatedSocket.Way]>([])
        rig.code.before.change {
            $0 = { _ in
                let done = DispatchSemaphore(value: 0)
                Task {
                    if let socket = try? await trustd.connect(to: revocation) {
                        if (try? await socket.upload()) == MacRig.ok { ways.change { $0.append(socket.way) } }
                        socket.close()
                    }
                    done.signal()
                }
                done.wait()
            }
        }
        #expect(try await rig.isMasked(rig.mac.launch(.app("app"))))
        #expect(ways.read { $0 } == [.declined])
        #expect(check.received.isEmpty == false)
        try await rig.end()
    }

    @Test func `A held flow of what turns out to be ours is relayed untouched, because it cannot be given back`()
        async throws
    {
        let rig = try await ServicesRig(Self.policy())
        let helper = rig.mac.launch(.app("helper", team: "WEIR012345"))
        let (way, arrived) = try await rig.upload(helper)
        #expect(way == ServicesRig.claimed && arrived.contains(ServicesRig.card))
        #expect(try await rig.record(of: ServicesRig.site).notes.contains { $0.code == "bypass-relayed" })
        // Known now, the next one need not be held.
        #expect(try await rig.isLeftAlone(helper))
        try await rig.end()
    }

    @Test func `A held flow that turns out to be blocked reaches no server, and the application hears so`()
        async throws
    {
        let rig = try await ServicesRig(Self.policy())
        let origin = try await rig.serve()
        rig.code.before.change { $0 = { _ throws(CodeSigningError) in throw .code(.signatureFailed) } }
        let app = rig.mac.launch(.app("broken"))
        let socket = try await app.connect(to: ServicesRig.site)
        try await socket.send(Data("GET / HTTP/1.1\r\nHost: shop.example\r\n\r\n".utf8))
        let answer = String(decoding: try await socket.receive(), as: UTF8.self)
        #expect(answer.hasPrefix("HTTP/1.1 403"))
        #expect(origin.received.isEmpty && rig.weir.world.dialled.read { $0.isEmpty })
        socket.close()
        try await rig.end()
    }

    @Test func `A flow whose examination never ends is let go at the deadline of the policy, as the policy says`()
        async throws
    {
        let rig = try await ServicesRig(Self.policy(deferred: "deferred: {within: 250ms, then: relay}"))
        let release = DispatchSemaphore(value: 0)
        rig.code.before.change { $0 = { _ in release.wait() } }
        let (way, arrived) = try await rig.upload(rig.mac.launch(.app("app")))
        #expect(way == ServicesRig.claimed && arrived.contains(ServicesRig.card))
        rig.code.before.change { $0 = nil }
        release.signal()
        try await rig.end()
    }
}
