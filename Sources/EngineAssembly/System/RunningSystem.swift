// SPDX-License-Identifier: Apache-2.0

// Which system this is, as it says itself.

internal import FlowModel
package import FlowPolicy
internal import Foundation

package enum RunningSystem {
    /// The system that Weir runs on; `osRelease` names another file than `/etc/os-release`.
    package static func facts(osRelease: String?) throws -> SystemFacts {
        #if os(macOS)
        return SystemFacts(
            build: .macOS(version: control("kern.osproductversion"), build: control("kern.osversion")),
            hardware: [control("hw.model"), control("machdep.cpu.brand_string")], others: nil)
        #else
        let files = osRelease.map { [$0] } ?? ["/etc/os-release", "/usr/lib/os-release"]
        let text = files.lazy.compactMap { SmallText.read($0) }.first
        if let osRelease, text == nil { throw Problem.refused("\(osRelease): cannot be read as an os-release file") }
        var names = utsname()
        uname(&names)
        let tunnels = NetworkInterfaces.tunnels()
        var others: Set<String> = tunnels.isEmpty ? [] : ["vpn"]
        if tunnels.contains(where: { $0.hasPrefix("tailscale") }) { others.insert("tailscale") }
        return SystemFacts(
            build: .linux(osRelease: text ?? "", kernel: string(&names.release)),
            hardware: [string(&names.machine)], others: others)
        #endif
    }

    #if os(macOS)
    /// A value of sysctl(3) that is text; empty when there is none.
    private static func control(_ name: String) -> String {
        var size = 0
        guard sysctlbyname(name, nil, &size, nil, 0) == 0, (1...4096).contains(size) else { return "" }
        var bytes = [UInt8](repeating: 0, count: size)
        guard sysctlbyname(name, &bytes, &size, nil, 0) == 0 else { return "" }
        return String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
    }
    #else
    private static func string(_ field: inout some Any) -> String {
        withUnsafeBytes(of: &field) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
    }
    #endif
}

/// Short text files of the system.
package enum SmallText {
    /// The text; nil when it cannot be read, is no regular file, or is longer than `doctor.file`.
    package static func read(_ path: String) -> String? {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY)
        guard descriptor >= 0 else { return nil }
        let file = FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
        guard FileKind(descriptor: descriptor) == .regular,
            let data = try? file.read(upToCount: AssemblyLimits.systemFile.value + 1),
            data.count <= AssemblyLimits.systemFile.value
        else { return nil }
        return String(decoding: data, as: UTF8.self)
    }
}
