// SPDX-License-Identifier: Apache-2.0

// Requirements of real Mac programs, as their signatures hold them.

import Testing

/// Texts and blobs of requirements from signed files that are on PyPI: uv, GitHub's command line, mitmproxy's redirector,
/// Intel's TBB and a remote control; Developer ID, ad-hoc and hand-written ones.
///
/// The blobs are the files' bytes or, for designated requirements that a file does not carry, what `codesign` derives.
enum RequirementSamples {
    struct Sample: Sendable, CustomTestStringConvertible {
        let text: String
        let hex: String
        var testDescription: String { text }
    }

    static let all: [Sample] = [
        Sample(
            text: #"designated => anchor apple generic and identifier "org.mitmproxy.macos-redirector" and "#
                + #"(certificate leaf[field.1.2.840.113635.100.6.1.9] /* exists */ or certificate "#
                + #"1[field.1.2.840.113635.100.6.2.6] /* exists */ and certificate "#
                + #"leaf[field.1.2.840.113635.100.6.1.13] /* exists */ and certificate leaf[subject.OU] = "#
                + #"S8XHQB96PW)\#n"#,
            hex: "fade0c01000000e0000000010000000300000014fade0c00000000cc0000000100000006000000060000000f00000002"
                + "0000001e6f72672e6d69746d70726f78792e6d61636f732d72656469726563746f720000000000070000000e00000000"
                + "0000000a2a864886f7636406010900000000000000000006000000060000000e000000010000000a2a864886f7636406"
                + "02060000000000000000000e000000000000000a2a864886f7636406010d0000000000000000000b000000000000000a"
                + "7375626a6563742e4f550000000000010000000a533858485142393650570000"),
        Sample(
            text: #"identifier "org.mitmproxy.macos-redirector" and anchor apple generic and certificate "#
                + #"1[field.1.2.840.113635.100.6.2.6] /* exists */ and certificate "#
                + #"leaf[field.1.2.840.113635.100.6.1.13] /* exists */ and certificate leaf[subject.OU] = "#
                + #"S8XHQB96PW"#,
            hex: "fade0c00000000ac0000000100000006000000020000001e6f72672e6d69746d70726f78792e6d61636f732d72656469"
                + "726563746f720000000000060000000f000000060000000e000000010000000a2a864886f76364060206000000000000"
                + "000000060000000e000000000000000a2a864886f7636406010d0000000000000000000b000000000000000a7375626a"
                + "6563742e4f550000000000010000000a533858485142393650570000"),
        Sample(
            text: #"designated => identifier gh and anchor apple generic and certificate "#
                + #"1[field.1.2.840.113635.100.6.2.6] /* exists */ and certificate "#
                + #"leaf[field.1.2.840.113635.100.6.1.13] /* exists */ and certificate leaf[subject.OU] = "#
                + #"VEKTX9H2N7\#n"#,
            hex: "fade0c01000000a4000000010000000300000014fade0c00000000900000000100000006000000020000000267680000"
                + "000000060000000f000000060000000e000000010000000a2a864886f76364060206000000000000000000060000000e"
                + "000000000000000a2a864886f7636406010d0000000000000000000b000000000000000a7375626a6563742e4f550000"
                + "000000010000000a56454b54583948324e370000"),
        Sample(
            text: #"identifier gh and anchor apple generic and certificate "#
                + #"1[field.1.2.840.113635.100.6.2.6] /* exists */ and certificate "#
                + #"leaf[field.1.2.840.113635.100.6.1.13] /* exists */ and certificate leaf[subject.OU] = "#
                + #"VEKTX9H2N7"#,
            hex: "fade0c00000000900000000100000006000000020000000267680000000000060000000f000000060000000e00000001"
                + "0000000a2a864886f76364060206000000000000000000060000000e000000000000000a2a864886f7636406010d0000"
                + "000000000000000b000000000000000a7375626a6563742e4f550000000000010000000a56454b54583948324e370000"),
        Sample(
            text: #"designated => identifier "sh.astral.uv" and anchor apple generic and certificate "#
                + #"1[field.1.2.840.113635.100.6.2.6] /* exists */ and certificate "#
                + #"leaf[field.1.2.840.113635.100.6.1.13] /* exists */ and certificate leaf[subject.OU] = "#
                + #""2DC432GLL2"\#n"#,
            hex: "fade0c01000000ac000000010000000300000014fade0c00000000980000000100000006000000020000000c73682e61"
                + "737472616c2e7576000000060000000f000000060000000e000000010000000a2a864886f76364060206000000000000"
                + "000000060000000e000000000000000a2a864886f7636406010d0000000000000000000b000000000000000a7375626a"
                + "6563742e4f550000000000010000000a324443343332474c4c320000"),
        Sample(
            text: #"identifier "sh.astral.uv" and anchor apple generic and certificate "#
                + #"1[field.1.2.840.113635.100.6.2.6] /* exists */ and certificate "#
                + #"leaf[field.1.2.840.113635.100.6.1.13] /* exists */ and certificate leaf[subject.OU] = "#
                + #""2DC432GLL2""#,
            hex: "fade0c00000000980000000100000006000000020000000c73682e61737472616c2e7576000000060000000f00000006"
                + "0000000e000000010000000a2a864886f76364060206000000000000000000060000000e000000000000000a2a864886"
                + "f7636406010d0000000000000000000b000000000000000a7375626a6563742e4f550000000000010000000a32444334"
                + "3332474c4c320000"),
        Sample(
            text: #"designated => identifier "sh.astral.uvx" and anchor apple generic and certificate "#
                + #"1[field.1.2.840.113635.100.6.2.6] /* exists */ and certificate "#
                + #"leaf[field.1.2.840.113635.100.6.1.13] /* exists */ and certificate leaf[subject.OU] = "#
                + #""2DC432GLL2"\#n"#,
            hex: "fade0c01000000b0000000010000000300000014fade0c000000009c0000000100000006000000020000000d73682e61"
                + "737472616c2e757678000000000000060000000f000000060000000e000000010000000a2a864886f763640602060000"
                + "00000000000000060000000e000000000000000a2a864886f7636406010d0000000000000000000b000000000000000a"
                + "7375626a6563742e4f550000000000010000000a324443343332474c4c320000"),
        Sample(
            text: #"identifier "sh.astral.uvx" and anchor apple generic and certificate "#
                + #"1[field.1.2.840.113635.100.6.2.6] /* exists */ and certificate "#
                + #"leaf[field.1.2.840.113635.100.6.1.13] /* exists */ and certificate leaf[subject.OU] = "#
                + #""2DC432GLL2""#,
            hex: "fade0c000000009c0000000100000006000000020000000d73682e61737472616c2e757678000000000000060000000f"
                + "000000060000000e000000010000000a2a864886f76364060206000000000000000000060000000e000000000000000a"
                + "2a864886f7636406010d0000000000000000000b000000000000000a7375626a6563742e4f550000000000010000000a"
                + "324443343332474c4c320000"),
        Sample(
            text: #"designated => identifier "com.nuclearcyborg.maccontrol.user" and anchor apple generic "#
                + #"and certificate 1[field.1.2.840.113635.100.6.2.6] /* exists */ and certificate "#
                + #"leaf[field.1.2.840.113635.100.6.1.13] /* exists */ and certificate leaf[subject.OU] = "#
                + #"P8MA38JTXY\#n"#,
            hex: "fade0c01000000c4000000010000000300000014fade0c00000000b000000001000000060000000200000021636f6d2e"
                + "6e75636c6561726379626f72672e6d6163636f6e74726f6c2e75736572000000000000060000000f000000060000000e"
                + "000000010000000a2a864886f76364060206000000000000000000060000000e000000000000000a2a864886f7636406"
                + "010d0000000000000000000b000000000000000a7375626a6563742e4f550000000000010000000a50384d4133384a54"
                + "58590000"),
        Sample(
            text: #"identifier "com.nuclearcyborg.maccontrol.user" and anchor apple generic and certificate "#
                + #"1[field.1.2.840.113635.100.6.2.6] /* exists */ and certificate "#
                + #"leaf[field.1.2.840.113635.100.6.1.13] /* exists */ and certificate leaf[subject.OU] = "#
                + #"P8MA38JTXY"#,
            hex: "fade0c00000000b000000001000000060000000200000021636f6d2e6e75636c6561726379626f72672e6d6163636f6e"
                + "74726f6c2e75736572000000000000060000000f000000060000000e000000010000000a2a864886f763640602060000"
                + "00000000000000060000000e000000000000000a2a864886f7636406010d0000000000000000000b000000000000000a"
                + "7375626a6563742e4f550000000000010000000a50384d4133384a5458590000"),
        Sample(
            text: #"cdhash H"bbbc6179b5f96ab1c67886f7c7dc2b88ddb5c56e""#,
            hex: "fade0c0000000028000000010000000800000014bbbc6179b5f96ab1c67886f7c7dc2b88ddb5c56e"),
        Sample(
            text: #"designated => anchor apple generic\#nlibrary => identifier "libtbb.12.dylib" and anchor "#
                + #"apple or identifier "libc++.1.dylib" and anchor apple or identifier "libSystem.B.dylib" "#
                + #"and anchor apple\#n"#,
            hex: "fade0c01000000a400000002000000030000001c000000040000002cfade0c0000000010000000010000000ffade0c00"
                + "0000007800000001000000070000000700000006000000020000000f6c69627462622e31322e64796c69620000000003"
                + "00000006000000020000000e6c6962632b2b2e312e64796c69620000000000030000000600000002000000116c696253"
                + "797374656d2e422e64796c696200000000000003"),
        Sample(
            text: #"identifier "libtbb.12.10.dylib" and anchor apple generic and certificate "#
                + #"1[field.1.2.840.113635.100.6.2.6] /* exists */ and certificate "#
                + #"leaf[field.1.2.840.113635.100.6.1.13] /* exists */ and certificate leaf[subject.OU] = "#
                + #"Z3L495V9L4"#,
            hex: "fade0c00000000a0000000010000000600000002000000126c69627462622e31322e31302e64796c6962000000000006"
                + "0000000f000000060000000e000000010000000a2a864886f76364060206000000000000000000060000000e00000000"
                + "0000000a2a864886f7636406010d0000000000000000000b000000000000000a7375626a6563742e4f55000000000001"
                + "0000000a5a334c34393556394c340000"),
        Sample(
            text: #"designated => anchor apple generic\#nlibrary => identifier "libtbbmalloc.2.dylib" and "#
                + #"anchor apple or identifier "libSystem.B.dylib" and anchor apple\#n"#,
            hex: "fade0c010000008400000002000000030000001c000000040000002cfade0c0000000010000000010000000ffade0c00"
                + "0000005800000001000000070000000600000002000000146c69627462626d616c6c6f632e322e64796c696200000003"
                + "0000000600000002000000116c696253797374656d2e422e64796c696200000000000003"),
        Sample(
            text: #"identifier "libtbbmalloc.2.10.dylib" and anchor apple generic and certificate "#
                + #"1[field.1.2.840.113635.100.6.2.6] /* exists */ and certificate "#
                + #"leaf[field.1.2.840.113635.100.6.1.13] /* exists */ and certificate leaf[subject.OU] = "#
                + #"Z3L495V9L4"#,
            hex: "fade0c00000000a4000000010000000600000002000000176c69627462626d616c6c6f632e322e31302e64796c696200"
                + "000000060000000f000000060000000e000000010000000a2a864886f76364060206000000000000000000060000000e"
                + "000000000000000a2a864886f7636406010d0000000000000000000b000000000000000a7375626a6563742e4f550000"
                + "000000010000000a5a334c34393556394c340000"),
    ]

    static let requirements = all.filter { !$0.text.hasSuffix("\n") }
    static let sets = all.filter { $0.text.hasSuffix("\n") }
}
