// SPDX-License-Identifier: Apache-2.0

// The roots that `anchor apple generic` accepts.

/// Apple's root certificates, by fingerprint: shipping the certificates themselves would prove nothing more.
///
/// Source: Apple PKI, https://www.apple.com/certificateauthority/; the list is the one of Security-61901.
public enum AppleRoots {
    /// SHA-256 of each root, 32 bytes.
    public static let sha256: Set<[UInt8]> = Set(named.compactMap { Hexadecimal.bytes($0.sha256.utf8) })

    /// The roots by name.
    public static let named: [(name: String, sha256: String)] = [
        ("Apple Root CA", "b0b1730ecbc7ff4505142c49f1295e6eda6bcaed7e2c68c5be91b5a11001f024"),
        ("Apple Root CA - G2", "c2b9b042dd57830e7d117dac55ac8ae19407d38e41d88f3215bc3a890444a050"),
        ("Apple Root CA - G3", "63343abfb89a6a03ebb57e9b3f5fa7be7c4f5c756f3017b3a8c488c3653e9179"),
        (
            "Apple Platform Backport RSA Root CA - G1",
            "fb3f6cf69467b5fa9ffa2b3b392b6e5e775bbb09c77b6e759e9038e26bbf9049"
        ),
        (
            "Apple Platform Backport ECC Root CA - G1",
            "eda23b3f224f45e0952f20e4d2b33e000d49c8044c1168de47b443cd2b3536dc"
        ),
    ]
}
