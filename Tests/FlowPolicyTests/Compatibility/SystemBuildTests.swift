// SPDX-License-Identifier: Apache-2.0

// Builds of systems, read from what systems say of themselves.

import FlowModel
import FlowPolicy
import Testing

@Suite struct SystemBuildTests {
    @Test(
        "A Linux system is named by its os-release and its kernel",
        arguments: [
            (
                "NAME=\"Debian GNU/Linux\"\nVERSION=\"12 (bookworm)\"\n",
                "Debian GNU/Linux 12 (bookworm), kernel 6.1.0-18"
            ),
            ("ID=arch\nBUILD_ID=rolling\n", "arch rolling, kernel 6.1.0-18"),
            ("NAME='Fedora Linux'\nVERSION_ID=41\r\nVERSION=\"\"\n", "Fedora Linux 41, kernel 6.1.0-18"),
            ("", "Linux, kernel 6.1.0-18"), ("=\n==\nNAME=\n\"\n#NAME=x\n", "Linux, kernel 6.1.0-18"),
            ("NAME=\"\n", "\", kernel 6.1.0-18"), ("NAME=a\u{1b}[2J\u{202e}b\n", "a[2Jb, kernel 6.1.0-18"),
        ])
    func linux(osRelease: String, expected: String) {
        let build = SystemBuild.linux(osRelease: osRelease, kernel: "6.1.0-18")
        #expect(build.description == expected)
        #expect(build.version == [6, 1, 0])
        #expect(build.identifier == "6.1.0-18")
        #expect(build.system == .linux)
    }

    @Test("A Mac is named by its version and its build")
    func macOS() {
        let build = SystemBuild.macOS(version: "26.3.1", build: "25D2128")
        #expect(build.description == "macOS 26.3.1 (25D2128)")
        #expect(build.version == [26, 3, 1])
        #expect(build.identifier == "25D2128")
    }

    @Test("A name without end and numbers that no computer holds are cut")
    func bounded() {
        let long = String(repeating: "9", count: 5_000)
        let build = SystemBuild.linux(osRelease: "NAME=\(long)\n", kernel: "\(long).1")
        #expect(build.description.count == PolicyLimits.systemName.value)
        #expect(build.identifier.count == PolicyLimits.systemName.value)
        #expect(build.version == [1])
        let huge = SystemBuild.linux(osRelease: String(repeating: "A=b\n", count: 100_000), kernel: "6")
        #expect(huge.description == "Linux, kernel 6")
    }
}
