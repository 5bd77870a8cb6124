// SPDX-License-Identifier: Apache-2.0

// Names of processors.

import Testing

@testable import CodeIdentity

@Suite("Architecture") struct ArchitectureTests {
    @Test(
        "Processors have the names that lipo prints, whatever their capability bits",
        arguments: [
            (7, 3, "i386"), (0x0100_0007, 3, "x86_64"), (0x0100_0007, 0x8000_0003, "x86_64"),
            (0x0100_0007, 8, "x86_64h"), (0x0100_000c, 0, "arm64"), (0x0100_000c, 2, "arm64e"),
            (0x0100_000c, 0x8000_0002, "arm64e"), (0x0200_000c, 1, "arm64_32"), (12, 9, "armv7"), (12, 12, "armv7k"),
            (18, 0, "ppc"), (18, 10, "ppc7400"), (0x0100_0012, 0, "ppc64"),
        ] as [(UInt32, UInt32, String)])
    func names(_ type: UInt32, _ subtype: UInt32, _ name: String) {
        #expect(Architecture(cpuType: type, rawSubtype: subtype).description == name)
    }

    @Test("A processor or a subtype without a name prints its numbers")
    func unnamed() {
        #expect(Architecture(cpuType: 99, rawSubtype: 0xff00_0005).description == "(99:5)")
        #expect(Architecture(cpuType: 0x0100_000c, rawSubtype: 77).description == "(16777228:77)")
    }

    @Test("Capability bits do not make another processor")
    func matching() {
        let plain = Architecture(cpuType: 0x0100_000c, rawSubtype: 2)
        #expect(plain.matches(Architecture(cpuType: 0x0100_000c, rawSubtype: 0x8000_0002)))
        #expect(!plain.matches(Architecture(cpuType: 0x0100_000c, rawSubtype: 0)))
        #expect(!plain.matches(Architecture(cpuType: 0x0100_0007, rawSubtype: 2)))
    }

    @Test("A packed version prints three numbers")
    func version() {
        #expect(PackedVersion(rawValue: 0x001a_0500).description == "26.5.0")
        #expect(PackedVersion(rawValue: 0xffff_ff01).description == "65535.255.1")
    }
}
