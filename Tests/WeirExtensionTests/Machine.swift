// SPDX-License-Identifier: Apache-2.0

// A Mac for the extension: a folder, a clock, and two rungs of identity that say what the test wants.

import CodeIdentity
import FlowEngine
import Foundation
import MacControl
import SocketTransport
import Synchronization
import Testing

@testable import WeirExtension

/// Calls every process a valid program: a third party's, or the system's own.
struct OneKernel: CodeSigningKernel {
    var isPlatform = false

    func status(of token: AuditToken) -> Result<KernelStatus, KernelStatusError> {
        .success(
            KernelStatus(
                bits: isPlatform ? [.valid, .signed, .platformBinary] : [.valid, .signed],
                cdhash: CDHash([UInt8](repeating: 7, count: 20)),
                claimedIdentifier: "com.example.app", claimedTeam: "AB12CD34EF"))
    }
}

/// Finds every program in order, and remembers what it was asked.
final class OneOracle: CodeSigningOracle {
    private let texts = Mutex<[[String]]>([])
    var asked: [[String]] { texts.withLock { $0 } }

    func verify(_ token: AuditToken, requirements: [String]) throws(CodeSigningError) -> CodeExamination {
        texts.withLock { $0.append(requirements) }
        return CodeExamination(
            outcomes: Dictionary(uniqueKeysWithValues: requirements.map { ($0, .satisfied) }),
            facts: StaticCodeFacts(
                path: "/Applications/App.app/Contents/MacOS/App", identifier: "com.example.app", team: "AB12CD34EF",
                cdhash: CDHash([UInt8](repeating: 7, count: 20))))
    }
}

/// A machine whose state outlives an extension.
final class Machine: Sendable {
    let folder: String
    let oracle = OneOracle()
    /// Milliseconds since 1970-01-01 UTC.
    let time = Mutex<Int64>(1_800_000_000_000)

    init() throws {
        let url = FileManager.default.temporaryDirectory.appending(path: "weir-extension-\(UUID().uuidString)")
        try FileManager.default.createDirectory(
            at: url, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        folder = url.path
    }

    deinit { try? FileManager.default.removeItem(atPath: folder) }

    var now: Int64 { time.withLock { $0 } }

    /// A fresh process of the extension.
    func boot(
        egress: any Egress = SocketEgress(), release: String? = nil, kernel: OneKernel = OneKernel()
    ) -> ExtensionRuntime {
        var parts = SystemParts(
            state: folder + "/state", build: "7", kernel: kernel, oracle: oracle, egress: egress)
        parts.release = release
        return ExtensionRuntime(parts, now: { [self] in now })
    }

    /// The policy file, with one rule that inspects what meets a condition.
    @discardableResult
    func policy(mode: String = "observe", when: String = "{transport: tcp}", settings: String = "") throws -> String {
        let path = folder + "/policy.yaml"
        let text = """
            version: 1
            mode: \(mode)
            \(settings)
            rules:
              - name: some
                when: \(when)
                then: inspect
                profile: strict
            profiles:
              strict:
                detect: [payment-card]
                outbound: report
                inbound: report

            """
        try Data(text.utf8).write(to: URL(filePath: path))
        return path
    }
}

/// Looks until it is so, for a generous time.
func eventually<Value>(_ look: () async throws -> Value?) async throws -> Value {
    for _ in 0..<3_000 {
        if let value = try await look() { return value }
        try await Task.sleep(for: .milliseconds(10))
    }
    throw CocoaError(.featureUnsupported)
}
