// SPDX-License-Identifier: Apache-2.0

// How the kernel's answers are asked for and read, against a kernel that answers as xnu does.

import FlowModel
import Synchronization
import Testing

@testable import CodeIdentity

/// `csops_internal` of xnu's `bsd/kern/kern_proc.c`, as far as it is asked.
private struct XNU: Sendable {
    var token: AuditToken? = .process(80)
    var bits: UInt32 = 0x2001_0301
    var cdhash: [UInt8]? = [UInt8](repeating: 9, count: 20)
    var identity: String? = "com.example.app"
    var team: String?
    /// Refuses everything with this.
    var refusal: Int32?

    func call(
        _ pid: Int32, _ asked: AuditToken?, _ operation: CodeSigningOperation, _ answer: UnsafeMutableRawBufferPointer
    ) -> Int32 {
        if let refusal { return refusal }
        guard let token, token.processID == pid else { return 3 }
        if let asked, asked.processVersion != token.processVersion { return 3 }
        switch operation {
        case .status:
            guard answer.count == 4 else { return 34 }
            withUnsafeBytes(of: bits) { answer.copyMemory(from: $0) }
            return 0
        case .cdhash:
            guard answer.count == 20 else { return 22 }
            guard let cdhash else { return 85 }
            answer.copyBytes(from: cdhash)
            return 0
        case .identity: return text(identity, answer)
        case .team: return text(team, answer)
        }
    }

    private func text(_ text: String?, _ answer: UnsafeMutableRawBufferPointer) -> Int32 {
        guard bits & 0x1000_0001 != 0 else { return 22 }
        guard let text else { return 2 }
        let bytes = Array(text.utf8) + [0]
        let length = UInt32(bytes.count + 8)
        var header = [UInt8](repeating: 0, count: 4)
        withUnsafeBytes(of: length.bigEndian) { header += $0 }
        guard answer.count >= header.count + bytes.count else { return 34 }
        answer.copyBytes(from: header + bytes)
        return 0
    }
}

@Suite("KernelCodeSigning") struct KernelCodeSigningTests {
    private func status(_ xnu: XNU, of token: AuditToken = .process(80)) -> Result<KernelStatus, KernelStatusError> {
        KernelCodeSigning(call: xnu.call).status(of: token)
    }

    @Test("Bits, cdhash, identifier and team are read")
    func all() throws {
        let status = try status(XNU(team: "AB12CD34EF")).get()
        #expect(status.bits == [.valid, .hard, .kill, .runtime, .signed])
        #expect(status.cdhash == CDHash.numbered(9))
        #expect(status.claimedIdentifier == "com.example.app")
        #expect(status.claimedTeam == "AB12CD34EF")
    }

    @Test("An unsigned process has bits and nothing else")
    func unsigned() throws {
        let status = try status(XNU(bits: 0, cdhash: nil, identity: nil)).get()
        #expect(status == KernelStatus(bits: []))
    }

    @Test("No process of that number is an exit")
    func exited() { #expect(status(XNU(token: nil)) == .failure(.exited)) }

    @Test("Another version of the process number is another program, whatever runs there")
    func recycled() {
        #expect(status(XNU(), of: .process(80, version: 2)) == .failure(.recycled))
    }

    @Test("A refusal is passed on with its errno", arguments: [1, 45, 78] as [Int32])
    func refused(_ errno: Int32) { #expect(status(XNU(refusal: errno)) == .failure(.refused(errno))) }

    @Test("Process 0 and negative numbers are never asked about, since 0 means the caller to the kernel")
    func kernelItself() {
        let kernel = KernelCodeSigning { _, _, _, _ in
            Issue.record("the kernel was asked")
            return 0
        }
        #expect(kernel.status(of: .process(0)) == .failure(.noToken))
        #expect(kernel.status(of: .process(0xFFFF_FFFF)) == .failure(.noToken))
    }

    @Test("An exec between two of the calls gives no mixture of two programs")
    func execBetweenCalls() {
        // resolver                          process 80
        // status of version 1: fine
        //                                   exec: version 2
        // cdhash of version 1: ESRCH
        // who has 80? somebody: recycled
        let xnu = Mutex(XNU())
        let kernel = KernelCodeSigning { pid, token, operation, answer in
            xnu.withLock { xnu in
                defer { xnu.token = .process(80, version: 2) }
                return xnu.call(pid, token, operation, answer)
            }
        }
        #expect(kernel.status(of: .process(80)) == .failure(.recycled))
    }

    @Test("An identifier of the longest length is read, a longer one claims nothing")
    func long() throws {
        let longest = String(repeating: "x", count: CodeIdentityLimits.kernelIdentifier.value)
        #expect(try status(XNU(identity: longest)).get().claimedIdentifier == longest)
        #expect(try status(XNU(identity: longest + "x")).get().claimedIdentifier == nil)
    }

    @Test("Text ends at its NUL, and a length that lies gives none")
    func text() {
        #expect(KernelCodeSigning.text(in: [0, 0, 0, 0, 0, 0, 0, 12, 0x61, 0x62, 0, 0x63]) == "ab")
        #expect(KernelCodeSigning.text(in: [0, 0, 0, 0, 0, 0, 0, 13, 0x61, 0x62, 0, 0x63]) == nil)
        #expect(KernelCodeSigning.text(in: [0, 0, 0, 0, 0, 0, 0, 8, 0x61]) == nil)
        #expect(KernelCodeSigning.text(in: [0, 0, 0, 0, 0xFF, 0xFF, 0xFF, 0xFF, 0x61]) == nil)
        #expect(KernelCodeSigning.text(in: [0, 0, 0, 0, 0, 0, 0, 10, 0xFF, 0]) == nil)
        for count in 0..<8 { #expect(KernelCodeSigning.text(in: [UInt8](repeating: 0, count: count)) == nil) }
    }
}
