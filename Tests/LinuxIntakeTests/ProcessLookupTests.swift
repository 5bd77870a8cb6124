// SPDX-License-Identifier: Apache-2.0

// Real connections, looked up while they live and after.

import CodeIdentity
import FlowModel
import Foundation
import Glibc
import Synchronization
import Testing

@testable import LinuxIntake

/// Counts what is added.
final class CountingSink: MetricSink {
    private let counts = Mutex<[String: Int]>([:])
    func add(_ counter: StaticString, _ amount: Int) { counts.withLock { $0["\(counter)", default: 0] += amount } }
    subscript(counter: StaticString) -> Int { counts.withLock { $0["\(counter)"] ?? 0 } }
}

/// Knows every process as the same one, and remembers which it was asked about.
final class OneIdentity: SystemCode {
    let identity: IdentitySummary
    private let processes = Mutex<[ProcessInstance]>([])

    init(_ identity: IdentitySummary) { self.identity = identity }

    var asked: [ProcessInstance] { processes.withLock { $0 } }

    func immediate(_ process: ProcessInstance?, now: ContinuousClock.Instant) -> MakerAnswer {
        MakerAnswer(summary: IdentitySummary(.unknown(.unresolved)), standing: .pending, unknown: .unexamined)
    }

    func later(
        _ process: ProcessInstance?, now: ContinuousClock.Instant, _ receive: @escaping @Sendable (MakerAnswer) -> Void
    ) {
        if let process { processes.withLock { $0.append(process) } }
        // From another thread, as after an examination.
        DispatchQueue.global().async { receive(MakerAnswer(summary: self.identity)) }
    }
}

extension KernelTests {
    @Suite struct ProcessLookupTests {
        @Test("A connection of this process is found to be its own")
        func ownConnection() async throws {
            let lookup = try ProcessLookup()
            let pair = try LoopbackPair()
            let owner = await lookup.lookup(local: pair.clientEndpoint, remote: pair.serverEndpoint)
            #expect(owner.codeClass == .unknown(.unresolved))
            #expect(owner.processID == getpid())
            #expect(owner.userID == getuid())
            #expect(owner.executable == (try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")))
            pair.close()
        }

        @Test("The owner gets the class and the program that are found out of its process; the user is the socket's")
        func identified() async throws {
            let code = OneIdentity(
                IdentitySummary(.known(.os), executable: "/usr/bin/tool", processID: 1, userID: 4_000_000))
            let lookup = try ProcessLookup(code: code)
            let pair = try LoopbackPair()
            let owner = await lookup.lookup(local: pair.clientEndpoint, remote: pair.serverEndpoint)
            #expect(
                owner
                    == IdentitySummary(
                        .known(.os), executable: "/usr/bin/tool", processID: getpid(), userID: getuid()))
            let stat = try String(contentsOfFile: "/proc/self/stat", encoding: .utf8)
            // Behind the command, which ends with a bracket, the state is field 3 and the start time field 22.
            let fields = try #require(stat.split(separator: ")").last).split(separator: " ")
            #expect(code.asked == [ProcessInstance(pid: getpid(), startTicks: try #require(UInt64(fields[19])))])
            pair.close()
        }

        @Test("What policy sees in the program comes with it; process and user stay the socket's")
        func judged() async throws {
            let code = OneIdentity(IdentitySummary(.known(.os), executable: "/usr/bin/tool", processID: 1, userID: 1))
            let results = RequirementResults(policy: 7, [true, false])
            let lookup = try ProcessLookup(code: code) { answer in
                var summary = answer.summary
                summary.codeClass = .known(.vendor)
                summary.provedName = "package tool"
                summary.neverRow = "a row"
                summary.requirements = results
                return summary
            }
            let pair = try LoopbackPair()
            let owner = await lookup.lookup(local: pair.clientEndpoint, remote: pair.serverEndpoint)
            #expect(
                owner
                    == IdentitySummary(
                        .known(.vendor), executable: "/usr/bin/tool", processID: getpid(), userID: getuid(),
                        provedName: "package tool", neverRow: "a row", requirements: results))
            pair.close()
        }

        @Test(
            "An owner of whom no more is found out keeps its program as a label, and says why",
            arguments: [UnknownCause.unresolved, .exited])
        func unidentified(cause: UnknownCause) async throws {
            let lookup = try ProcessLookup(code: OneIdentity(IdentitySummary(.unknown(cause))))
            let pair = try LoopbackPair()
            let owner = await lookup.lookup(local: pair.clientEndpoint, remote: pair.serverEndpoint)
            #expect(owner.codeClass == .unknown(cause))
            #expect(owner.processID == getpid())
            #expect(owner.executable == (try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")))
            pair.close()
        }

        @Test("After the client has closed, the owner has exited, and is not root")
        func closed() async throws {
            let code = OneIdentity(IdentitySummary(.known(.os)))
            let lookup = try ProcessLookup(code: code)
            let pair = try LoopbackPair()
            close(pair.client)
            let owner = await lookup.lookup(local: pair.clientEndpoint, remote: pair.serverEndpoint)
            #expect(owner == IdentitySummary(.unknown(.exited)))
            #expect(code.asked.isEmpty)
            close(pair.accepted)
        }

        @Test("After both have closed, the owner has exited")
        func gone() async throws {
            let lookup = try ProcessLookup()
            let pair = try LoopbackPair()
            pair.close()
            let owner = await lookup.lookup(local: pair.clientEndpoint, remote: pair.serverEndpoint)
            #expect(owner == IdentitySummary(.unknown(.exited)))
        }

        @Test("What cannot be asked stays unresolved")
        func unanswerable() async throws {
            let lookup = try ProcessLookup()
            let named = try #require(Endpoint("example.com:443"))
            let four = try #require(Endpoint("1.2.3.4:443"))
            let six = try #require(Endpoint("[::1]:443"))
            for (local, remote) in [(named, four), (four, named), (four, six), (six, four)] {
                #expect(await lookup.lookup(local: local, remote: remote) == IdentitySummary(.unknown(.unresolved)))
            }
            let broken = ProcessLookup(diagnostics: -1)
            #expect(await broken.lookup(local: four, remote: four) == IdentitySummary(.unknown(.unresolved)))
        }

        @Test("A holder outside the process namespace is not taken, but the user is known")
        func otherNamespace() async throws {
            let sink = CountingSink()
            let lookup = ProcessLookup(diagnostics: try diagnosticsOfHost(), processNamespace: 1, metrics: sink)
            let pair = try LoopbackPair()
            let owner = await lookup.lookup(local: pair.clientEndpoint, remote: pair.serverEndpoint)
            #expect(owner == IdentitySummary(.unknown(.unresolved), userID: getuid()))
            pair.close()
        }

        @Test("More connections at once than may wait are let go, and every one is answered")
        func flood() async throws {
            let sink = CountingSink()
            let lookup = try ProcessLookup(metrics: sink)
            let pair = try LoopbackPair()
            let count = LinuxIntakeLimits.lookupWaiting.value * 4
            let found = await withTaskGroup(of: IdentitySummary.self) { group in
                for _ in 0..<count {
                    group.addTask { await lookup.lookup(local: pair.clientEndpoint, remote: pair.serverEndpoint) }
                }
                return await group.reduce(into: 0) { $0 += $1.processID == getpid() ? 1 : 0 }
            }
            #expect(
                found + sink[LinuxIntakeLimits.lookupWaiting.metric] + sink[LinuxIntakeLimits.lookupPatience.metric]
                    >= count)
            #expect(found > 0)
            pair.close()
        }

        @Test(
            "A connection of a command is found to be its program's, of both versions",
            arguments: [
                (0, "AF_INET", "pack_sockaddr_in(443, inet_aton('1.2.3.4'))", "1.2.3.4:443"),
                (1, "AF_INET6", "pack_sockaddr_in6(443, inet_pton(AF_INET6, '2606::1'))", "[2606::1]:443"),
                (0, "AF_INET6", "pack_sockaddr_in6(80, inet_pton(AF_INET6, '::ffff:9.8.7.6'))", "9.8.7.6:80"),
            ])
        func command(listener: Int, family: String, address: String, destination: String) async throws {
            let running = try RunningNamespace(perl: connecting(family, address))
            let lookup = ProcessLookup(
                diagnostics: running.sockets.diagnostics, processNamespace: running.namespace.processNamespace)
            let connection = try running.accept(listener)
            let peer = try #require(peerEndpoint(of: connection))
            let owner = await lookup.lookup(local: peer, remote: try #require(Endpoint(destination)))
            #expect(owner.executable.map { $0.hasSuffix("/perl") || $0.contains("/perl5") } == true)
            let pid = try #require(owner.processID)
            let link = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/\(pid)/ns/pid")
            #expect(link == "pid:[\(running.namespace.processNamespace)]")
            write(connection, "world", 5)
            #expect(await running.namespace.outcome() == .exited(0))
            close(connection)
            for descriptor in running.sockets.tcp + running.sockets.dns { close(descriptor) }
        }

        @Test("A command that has sent and gone has exited")
        func sentAndGone() async throws {
            let running = try RunningNamespace(
                perl: connecting("AF_INET", "pack_sockaddr_in(443, inet_aton('1.2.3.4'))", then: "exit 0;"))
            let lookup = ProcessLookup(
                diagnostics: running.sockets.diagnostics, processNamespace: running.namespace.processNamespace)
            let connection = try running.accept(0)
            #expect(await running.namespace.outcome() == .exited(0))
            let peer = try #require(peerEndpoint(of: connection))
            let owner = await lookup.lookup(local: peer, remote: try #require(Endpoint("1.2.3.4:443")))
            #expect(owner == IdentitySummary(.unknown(.exited)))
            close(connection)
            for descriptor in running.sockets.tcp + running.sockets.dns { close(descriptor) }
        }
    }
}

private func diagnosticsOfHost() throws -> CInt {
    let descriptor = socket(AF_NETLINK, Int32(SOCK_RAW.rawValue), 4)
    try #require(descriptor >= 0)
    return descriptor
}

private func peerEndpoint(of descriptor: CInt) -> Endpoint? {
    // A sockaddr_in or a sockaddr_in6.
    var bytes = [UInt8](repeating: 0, count: 28)
    var size = socklen_t(bytes.count)
    let code = bytes.withUnsafeMutableBytes { bytes in
        bytes.withMemoryRebound(to: sockaddr.self) { getpeername(descriptor, $0.baseAddress.unsafelyUnwrapped, &size) }
    }
    guard code == 0 else { return nil }
    let port = UInt16(bytes[2]) << 8 | UInt16(bytes[3])
    if size == 16 {
        return Endpoint(host: .address(.v4(bytes[4..<8].reduce(0) { $0 << 8 | UInt32($1) })), port: port)
    }
    return IPAddress(v6Bytes: Array(bytes[8..<24])).map { Endpoint(host: .address($0), port: port) }
}
