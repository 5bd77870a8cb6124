// SPDX-License-Identifier: Apache-2.0

// Programs of the system are left alone, and whoever only calls itself one is not.

import FlowModel
import Foundation
import NetworkSimulation
import Testing

@testable import AppleIntake
@testable import NetworkExtension

@Suite(.timeLimit(.minutes(2))) struct IdentityPlatformTests {
    private static let apple = ServicesRig.place("17.57.146.20", 5223)

    @Test(arguments: [
        ("apsd", "17.57.146.20", 5223), ("apsd", "17.57.146.20", 443), ("trustd", "17.253.1.2", 80),
        ("mDNSResponder", "203.0.113.53", 853), ("configd", "203.0.113.7", 80), ("timed", "203.0.113.7", 443),
        ("mdmclient", "203.0.113.40", 443), ("captiveagent", "17.253.1.3", 80),
    ])
    func `A program that the system runs itself is declined at once, and nothing of it is examined`(
        _ name: String, _ host: String, _ port: Int
    ) async throws {
        let rig = try await ServicesRig()
        let daemon = rig.mac.launch(.system("com.apple.\(name)"), user: 0)
        #expect(try await rig.isLeftAlone(daemon, to: ServicesRig.place(host, UInt16(port))))
        #expect(rig.code.examinations.read { $0 } == 0)
        #expect(rig.weir.world.dialled.read { $0.isEmpty })
        #expect(rig.mac.log.count(.claimed) == 0)
        try await rig.end()
    }

    @Test(arguments: [
        ("timed", "203.0.113.123", 123), ("mDNSResponder", "224.0.0.251", 5353), ("mDNSResponder", "ff02::fb", 5353),
        ("configd", "255.255.255.255", 67), ("configd", "192.168.1.1", 67), ("configd", "ff02::1:2", 547),
        ("app", "203.0.113.123", 123), ("app", "239.255.255.250", 1900),
    ])
    func `Time, DHCP and multicast are excluded by rule, so that no code of the provider ever sees them`(
        _ name: String, _ host: String, _ port: Int
    ) async throws {
        let rig = try await ServicesRig()
        let process = rig.mac.launch(name == "app" ? .app("app") : .system("com.apple.\(name)"))
        let socket = process.datagramSocket()
        try? socket.send(Data("x".utf8), to: ServicesRig.place(host, UInt16(port)))
        let way = await socket.state.wait { $0.way == .undecided ? nil : $0.way }
        #expect(way == .excluded)
        #expect(rig.mac.log.count(.excluded) == 1)
        #expect(rig.mac.log.count(.offered) == 0)
        socket.close()
        try await rig.end()
    }

    @Test(arguments: ["fe80::1%en0", "fe80::a1b2%awdl0", "169.254.10.1"])
    func `AirDrop, device pairing and other neighbours on the link are excluded by rule, scope or not`(_ host: String)
        async throws
    {
        let rig = try await ServicesRig()
        for program in [SimulatedProgram.system("com.apple.remotepairingd"), .app("app")] {
            let endpoint = ServicesRig.place(host, 8770)
            // Nobody is there: the kernel itself finds that out, without us.
            _ = await errno { _ = try await rig.mac.launch(program).connect(to: endpoint) }
        }
        #expect(rig.mac.log.count(.excluded) == 2)
        #expect(rig.mac.log.count(.offered) == 0)
        try await rig.end()
    }

    @Test(arguments: [5223, 443], [true, false])
    func `An impostor that calls itself the push daemon is claimed, and its card is masked`(
        _ port: Int, _ isAdHoc: Bool
    ) async throws {
        let rig = try await ServicesRig()
        let program: SimulatedProgram =
            isAdHoc
            ? .adHoc("apsd", identifier: "com.apple.apsd") : .app("apsd", identifier: "com.apple.apsd")
        #expect(try await rig.isMasked(rig.mac.launch(program), to: ServicesRig.place("17.57.146.20", UInt16(port))))
        try await rig.end()
    }

    @Test(arguments: ["com.apple.curl", "com.apple.Safari"])
    func `A program of the system that does what its user wants is inspected`(_ identifier: String) async throws {
        let rig = try await ServicesRig()
        #expect(try await rig.isMasked(rig.mac.launch(.system(identifier))))
        try await rig.end()
    }

    @Test func `A program that nobody has signed is inspected, and is not examined`() async throws {
        let rig = try await ServicesRig()
        #expect(try await rig.isMasked(rig.mac.launch(.unsigned("tool"))))
        #expect(rig.code.examinations.read { $0 } == 0)
        let record = try await rig.record(of: ServicesRig.site)
        #expect(record.facts.identity.codeClass == .known(.unsigned))
        try await rig.end()
    }

    @Test func `An interpreter is judged as itself, whatever script it runs and whoever started it`() async throws {
        let rig = try await ServicesRig()
        let daemon = rig.mac.launch(.system("com.apple.trustd"))
        let child = daemon.fork()
        child.exec(.app("python3.13", identifier: "org.python.python", team: "BMM5U3QVKW"))
        #expect(try await rig.isMasked(child))
        // The interpreter of the system is its user's too.
        #expect(try await rig.isMasked(rig.mac.launch(.system("com.apple.python3"))))
        try await rig.end()
    }

    @Test func `A background transfer is the application's for which it is made, and is inspected without one too`()
        async throws
    {
        let rig = try await ServicesRig()
        let daemon = rig.mac.launch(.system("com.apple.nsurlsessiond"))
        let app = rig.mac.launch(.app("mail"))
        #expect(try await rig.isMasked(daemon, delegate: app))
        #expect(try await rig.record(of: ServicesRig.site).facts.identity.codeClass == .known(.thirdParty))
        // The catalogue knows that it carries what applications upload, so it is not the system's alone.
        #expect(try await rig.isMasked(daemon))
        // And a daemon of the system for which it works stays left alone.
        #expect(try await rig.isLeftAlone(daemon, delegate: rig.mac.launch(.system("com.apple.apsd"))))
        try await rig.end()
    }
}
