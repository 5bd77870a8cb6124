// SPDX-License-Identifier: Apache-2.0

// The processes of the simulated Mac and the audit tokens by which the kernel names them.

public import Foundation

/// What a process runs, as far as code signing shows it.
public struct SimulatedProgram: Hashable, Sendable {
    public var name: String
    /// The identifier of the signature: a claim that anyone may make.
    public var signingIdentifier: String
    /// 20 bytes, or empty as for some processes of the system.
    public var cdhash: Data
    public var isPlatform: Bool
    /// The kernel's code signing status (xnu `cs_blobs.h`: valid 0x1, platform binary 0x4000000, debugged 0x10000000).
    public var kernelBits: UInt32
    public var team: String?
    /// The kernel itself: pid 0 and no usable token (reference 4, S13).
    public var isKernel: Bool
    /// Whether flows carry an audit token; nil tokens happen (S13).
    public var hasToken: Bool

    public init(
        _ name: String, signingIdentifier: String? = nil, cdhash: Data? = nil, isPlatform: Bool = false,
        kernelBits: UInt32? = nil, team: String? = nil, isKernel: Bool = false, hasToken: Bool = true
    ) {
        self.name = name
        self.signingIdentifier = signingIdentifier ?? name
        self.cdhash = cdhash ?? Self.cdhash(of: name)
        self.isPlatform = isPlatform
        self.kernelBits = kernelBits ?? (isPlatform ? 0x400_0001 : 0x1)
        self.team = team
        self.isKernel = isKernel
        self.hasToken = hasToken
    }

    /// 20 bytes that differ from name to name.
    private static func cdhash(of name: String) -> Data {
        var state: UInt64 = 0xcbf2_9ce4_8422_2325
        for byte in name.utf8 { state = (state ^ UInt64(byte)) &* 0x100_0000_01b3 }
        return Data(
            (0..<20).map { index in
                state = (state ^ UInt64(index)) &* 0x100_0000_01b3
                return UInt8(truncatingIfNeeded: state >> 32)
            })
    }
}

/// The processes of a machine, by pid; a pid comes back after its process has ended, a pidversion never does.
public final class ProcessTable: Sendable {
    private let state = Gate(State())
    private struct State {
        var living: [Int32: SimulatedProcess] = [:]
        var nextPid: Int32 = 100
        var version: UInt32 = 1000
    }

    /// The living process that a token names; nil when it has ended, or has called exec since.
    public func process(named token: Data) -> SimulatedProcess? {
        guard token.count == 32 else { return nil }
        let pid = token.suffix(12).prefix(4).withUnsafeBytes { $0.loadUnaligned(as: Int32.self) }
        guard let process = self.process(pid), process.token == token else { return nil }
        return process
    }

    public func process(_ pid: Int32) -> SimulatedProcess? { state.read { $0.living[pid] } }
    /// Those that live, with `egressCount` the connections each has open.
    public var living: [SimulatedProcess] { state.read { Array($0.living.values) } }

    /// Puts a process at a free pid, the one asked for when it is free (reuse, S13).
    func enter(wanting wanted: Int32?, isKernel: Bool, make: (Int32, UInt32) -> SimulatedProcess) -> SimulatedProcess {
        state.change { state in
            var pid = isKernel ? 0 : wanted ?? state.nextPid
            while !isKernel, state.living[pid] != nil || pid < 1 {
                pid = state.nextPid
                state.nextPid = state.nextPid >= 99_998 ? 100 : state.nextPid + 1
            }
            state.version += 1
            let process = make(pid, state.version)
            state.living[pid] = process
            return process
        }
    }

    func leave(_ process: SimulatedProcess) {
        state.change { if $0.living[process.pid] === process { $0.living[process.pid] = nil } }
    }

    func newVersion() -> UInt32 {
        state.change {
            $0.version += 1
            return $0.version
        }
    }
}

/// Anything a process holds that the kernel closes when it ends.
protocol ProcessSocket: AnyObject, Sendable {
    func close()
}

/// A process of the simulated Mac.
public final class SimulatedProcess: Sendable {
    public let pid: Int32
    public let user: UInt32
    weak let mac: SimulatedMac?
    private let state: Gate<State>
    private struct State {
        var program: SimulatedProgram
        var version: UInt32
        var isAlive = true
        var sockets: [ObjectIdentifier: any ProcessSocket] = [:]
        var egress = 0
    }

    init(_ program: SimulatedProgram, user: UInt32, pid: Int32, version: UInt32, mac: SimulatedMac?) {
        self.pid = pid
        self.user = user
        self.mac = mac
        state = Gate(State(program: program, version: version))
    }

    public var program: SimulatedProgram { state.read { $0.program } }
    public var isAlive: Bool { state.read { $0.isAlive } }

    /// The token as the kernel gives it to a provider; nil when it has none to give.
    public var auditToken: Data? {
        let program = program
        return program.isKernel || !program.hasToken ? nil : token
    }

    /// xnu's `audit_token_t`: auid, euid, egid, ruid, rgid, pid, asid, pidversion, each 32 bits in host order [SRC].
    var token: Data {
        let version = state.read { $0.version }
        var token = Data(capacity: 32)
        for value in [user, user, 20, user, 20, UInt32(bitPattern: pid), 100_000 + user, version] {
            withUnsafeBytes(of: value) { token.append(contentsOf: $0) }
        }
        return token
    }

    /// Ends the process; the kernel closes its sockets.
    public func exit() {
        let sockets = state.change { state in
            state.isAlive = false
            defer { state.sockets = [:] }
            return Array(state.sockets.values)
        }
        mac?.processes.leave(self)
        for socket in sockets { socket.close() }
    }

    /// Runs another program in the same process: same pid, new pidversion, sockets stay open [SRC].
    public func exec(_ program: SimulatedProgram) {
        guard let version = mac?.processes.newVersion() else { return }
        state.change {
            $0.program = program
            $0.version = version
        }
    }

    /// A child with the same program and its own pid and pidversion.
    public func fork() -> SimulatedProcess {
        let program = program
        guard let mac else {
            return SimulatedProcess(program, user: user, pid: pid, version: 0, mac: nil)
        }
        return mac.launch(program, user: user)
    }

    // MARK: What the kernel counts for a process (S14)

    /// How many flows the process has at the moment.
    public var egressCount: Int { state.read { $0.egress } }

    /// Counts one more flow of the process; ENOMEM when it has as many as the kernel gives it (2.6).
    public func openEgress() throws(SocketError) {
        let limit = mac?.knobs.flowLimit ?? .max
        let taken = state.change { state in
            guard state.egress < limit else { return false }
            state.egress += 1
            return true
        }
        if !taken { throw SocketError(ENOMEM) }
    }

    public func closeEgress() { state.change { $0.egress = max(0, $0.egress - 1) } }

    /// Keeps a socket until it is closed; false when the process has ended.
    func hold(_ socket: any ProcessSocket) -> Bool {
        state.change { state in
            if state.isAlive { state.sockets[ObjectIdentifier(socket)] = socket }
            return state.isAlive
        }
    }

    func drop(_ socket: any ProcessSocket) { state.change { $0.sockets[ObjectIdentifier(socket)] = nil } }
}
