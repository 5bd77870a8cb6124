// SPDX-License-Identifier: Apache-2.0

// What a flow is told at once and later.

import FlowModel
import Testing

@testable import CodeIdentity

@Suite("AppleIdentityResolver", .timeLimit(.minutes(1))) struct AppleIdentityResolverTests {
    private let token = AuditToken.process(80)

    private func mac(_ status: KernelStatus = .app) throws -> MockMac {
        let mac = try MockMac()
        mac.kernel.run(token, status)
        return mac
    }

    @Test("No token, and the kernel's, are answered without asking anybody")
    func noToken() throws {
        let mac = try MockMac()
        for token in [nil, AuditToken.process(0)] {
            let answer = mac.immediate(token)
            #expect(answer.summary.codeClass == .unknown(.noToken))
            #expect(answer.unknown == .noProcess)
            #expect(answer.standing == .settled)
            #expect(mac.later(token).all == [answer])
        }
        #expect(mac.kernel.count == 0)
    }

    @Test("A program of the system is settled at once and never shown to the oracle")
    func platform() throws {
        let mac = try mac(.trustd)
        let answer = mac.immediate(token)
        #expect(answer.summary == IdentitySummary(.known(.platformInteractive), processID: 80, userID: 501))
        #expect(answer.standing == .settled)
        #expect(mac.later(token).all == [answer])
        mac.work()
        #expect(mac.oracle.asked.isEmpty)
        #expect(mac.wakes.count == 0)
    }

    @Test("Whether a program is the OS is asked of the inventory in force")
    func osPrograms() throws {
        let mac = try mac(.trustd)
        _ = mac.immediate(token)
        mac.resolver.use(try .init(osPrograms: .init(identifiers: ["com.apple.trustd"])))
        #expect(mac.immediate(token).summary.codeClass == .known(.os))
    }

    @Test("Any other program is pending at once, known later, and from memory afterwards")
    func thirdParty() throws {
        let mac = try mac()
        let first = mac.immediate(token)
        #expect(first.standing == .pending)
        #expect(first.unknown == .unexamined)
        #expect(first.summary.codeClass == .unknown(.thirdPartyPending))
        let received = mac.later(token)
        #expect(received.all.isEmpty)
        mac.work()
        let answer = try #require(received.all.first)
        #expect(answer.standing == .settled)
        #expect(answer.summary.codeClass == .known(.thirdParty))
        #expect(answer.summary.executable == "/Applications/App.app/Contents/MacOS/App")
        let asked = mac.kernel.count
        #expect(mac.immediate(token) == answer)
        #expect(mac.kernel.count == asked)
        #expect(mac.oracle.asked == [token])
    }

    @Test("An unsigned program is settled at once: the oracle could add nothing")
    func unsigned() throws {
        let mac = try mac(.unsigned)
        #expect(mac.immediate(token).summary.codeClass == .known(.unsigned))
        #expect(mac.immediate(token).standing == .settled)
        mac.work()
        #expect(mac.oracle.asked.isEmpty)
    }

    @Test("The requirements of policy are asked beside those that prove names")
    func requirements() throws {
        let mac = try MockMac(requirements: ["identifier x"])
        mac.kernel.run(token, .app)
        mac.oracle.answers { _, requirements in
            var examination = CodeExamination.app
            for text in requirements { examination.outcomes[text] = .satisfied }
            return examination
        }
        _ = mac.immediate(token)
        mac.work()
        guard case .apple(let identity) = mac.immediate(token).maker else {
            Issue.record("no identity")
            return
        }
        #expect(identity.outcome(of: "identifier x") == .satisfied)
        #expect(identity.outcome(of: AppleRequirements.team) == .satisfied)
    }

    @Test("More requirements than the limit are refused when they are set")
    func tooManyRequirements() throws {
        let most = CodeIdentityLimits.requirementsAsked.value
        _ = try AppleIdentityResolver.Settings(requirements: Array(repeating: "never", count: most))
        #expect(throws: CodeProblem(.limit, "")) {
            try AppleIdentityResolver.Settings(requirements: Array(repeating: "never", count: most + 1))
        }
    }

    @Test("New settings forget what answered the old questions")
    func newSettings() throws {
        let mac = try mac()
        _ = mac.immediate(token)
        mac.work()
        mac.resolver.use(try .init(requirements: ["always"]))
        #expect(mac.immediate(token).standing == .pending)
        mac.work()
        #expect(mac.oracle.asked.count == 2)
    }

    @Test("One examination serves all who ask for a token while it lasts")
    func singleFlight() throws {
        let mac = try mac()
        let received = (0..<5).map { _ in mac.later(token) }
        mac.work()
        #expect(mac.oracle.asked == [token])
        #expect(mac.wakes.count == 1)
        #expect(received.allSatisfy { $0.all.count == 1 && $0.all == received[0].all })
    }

    @Test("A full queue says busy at once, and later says the same")
    func full() throws {
        let mac = try MockMac(most: 2)
        for pid: UInt32 in 1...3 { mac.kernel.run(.process(pid), .app) }
        #expect(mac.immediate(.process(1)).standing == .pending)
        #expect(mac.immediate(.process(2)).standing == .pending)
        let answer = mac.immediate(.process(3))
        #expect(answer.standing == .busy)
        #expect(answer.unknown == .unexamined)
        #expect(mac.later(.process(3)).all == [answer])
        mac.work()
        #expect(mac.immediate(.process(3)).standing == .pending)
    }

    @Test("Too many who wait are told so at once; those before them still get their answer")
    func tooManyWaiters() throws {
        let mac = try MockMac(mostWaiters: 1)
        mac.kernel.run(token, .app)
        let first = mac.later(token)
        #expect(mac.later(token).all.map(\.standing) == [.busy])
        mac.work()
        #expect(first.all.map(\.standing) == [.settled])
    }

    @Test("An identity that the cache dropped is found out again")
    func eviction() throws {
        let mac = try MockMac(capacity: 4)
        for pid: UInt32 in 1...10 {
            mac.kernel.run(.process(pid), .app)
            _ = mac.immediate(.process(pid))
            mac.work()
        }
        #expect(mac.oracle.asked.count == 10)
        #expect(mac.immediate(.process(10)).standing == .settled)
        #expect(mac.immediate(.process(1)).standing == .pending)
    }

    @Test("A failure that may pass is believed for a while, then asked about again; it is never a denial")
    func transient() throws {
        let mac = try mac()
        mac.oracle.answers { _, _ throws(CodeSigningError) in throw .unix(1) }
        _ = mac.immediate(token)
        mac.work()
        let answer = mac.immediate(token)
        #expect(answer.unknown == .refused)
        #expect(answer.summary.codeClass == .unknown(.unresolved))
        #expect(answer.standing == .settled)
        mac.pass(CodeIdentityLimits.failedExaminationAge.spent)
        mac.oracle.answers { _, _ in .app }
        #expect(mac.immediate(token).standing == .pending)
        mac.work()
        #expect(mac.immediate(token).summary.codeClass == .known(.thirdParty))
    }

    @Test("A signature that does not hold is kept: asking again would bring the same")
    func refuted() throws {
        let mac = try mac()
        mac.oracle.answers { _, _ in CodeExamination(invalidity: .code(.signatureFailed)) }
        _ = mac.immediate(token)
        mac.work()
        mac.pass(.seconds(60))
        #expect(mac.immediate(token).summary.codeClass == .known(.unsigned))
        mac.work()
        #expect(mac.oracle.asked.count == 1)
    }

    @Test("A kernel that refuses is said to, each time anew")
    func kernelRefuses() throws {
        let mac = try mac()
        mac.kernel.refuse(1)
        #expect(mac.immediate(token).unknown == .refused)
        mac.kernel.refuse(nil)
        #expect(mac.immediate(token).standing == .pending)
    }

    @Test("A debugger that comes later shows within the age that a status may have")
    func debuggedLater() throws {
        let mac = try mac()
        _ = mac.immediate(token)
        mac.work()
        #expect(mac.immediate(token).maker?.injection == [])
        var debugged = KernelStatus.app
        debugged.bits = debugged.bits.subtracting([.hard, .kill]).union(.debugged)
        mac.kernel.run(token, debugged)
        mac.pass(CodeIdentityLimits.kernelStatusAge.spent)
        let answer = mac.immediate(token)
        #expect(answer.maker?.injection == [.debugged, .notEnforced])
        #expect(answer.summary.codeClass == .known(.thirdParty))
        #expect(mac.oracle.asked.count == 1)
    }

    @Test("Programs of the system are examined when policy asks, behind a settled answer, and once")
    func examinesPlatform() throws {
        let mac = try MockMac(examinesPlatform: true)
        mac.kernel.run(token, .trustd)
        mac.oracle.answers { _, _ in
            CodeExamination(facts: StaticCodeFacts(path: "/usr/libexec/trustd", cdhash: .numbered(2)))
        }
        #expect(mac.immediate(token).standing == .settled)
        #expect(mac.later(token).all.count == 1)
        mac.work()
        #expect(mac.immediate(token).summary.executable == "/usr/libexec/trustd")
        mac.pass(.seconds(60))
        _ = mac.immediate(token)
        mac.work()
        #expect(mac.oracle.asked == [token])
    }

    @Test("A failed examination of a program of the system changes nothing of its answer")
    func platformFailure() throws {
        let mac = try MockMac(examinesPlatform: true)
        mac.kernel.run(token, .trustd)
        mac.oracle.answers { _, _ throws(CodeSigningError) in throw .code(.signatureUnsupported) }
        let answer = mac.immediate(token)
        mac.work()
        #expect(mac.immediate(token) == answer)
    }
}

extension Limit {
    /// The limit as time that has passed.
    var spent: Duration { .milliseconds(value) }
}
