// SPDX-License-Identifier: Apache-2.0

// The system's part of the extension on a Mac.

#if os(macOS)
internal import AppleIntake
internal import CodeIdentity
internal import EngineAssembly
internal import MacControl
internal import SocketTransport

extension SystemParts {
    /// Nil on a system that does not tell the code-signing status of a process.
    static func system(_ names: ProductNames) -> SystemParts? {
        guard let kernel = KernelCodeSigning() else { return nil }
        var parts = SystemParts(
            state: StateDirectory.machine, build: names.build, kernel: kernel, oracle: SecCodeOracle(),
            egress: SocketEgress())
        parts.release = try? InventoryTaker(now: 0).release
        parts.connections = LibprocConnections()
        return parts
    }
}
#endif
