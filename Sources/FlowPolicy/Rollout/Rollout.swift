// SPDX-License-Identifier: Apache-2.0

// Which devices take a rule already.

/// The part of all devices that take a rule.
public struct Rollout: Hashable, Sendable {
    /// 0…100.
    public let percent: Int
    /// What devices are spread by: the same salt puts a device in the same place.
    public let salt: String
    /// The rings that the percentage comes from; nil where the document says it outright.
    public let rings: RolloutRings?

    public init(percent: Int, salt: String, rings: RolloutRings? = nil) {
        self.percent = min(100, max(0, percent))
        self.salt = salt
        self.rings = rings
    }

    /// The place of a device, 0…9,999 (a hundredth of a percent).
    ///
    /// FNV-1a with a final mix (MurmurHash3's), so that names that differ in one digit lie apart.
    public static func place(of device: String, salt: String) -> Int {
        var hash = 0xcbf2_9ce4_8422_2325 as UInt64
        for byte in salt.utf8 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
        hash = (hash ^ 0xff) &* 0x100_0000_01b3
        for byte in device.utf8 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
        hash = (hash ^ hash >> 33) &* 0xff51_afd7_ed55_8ccd
        hash = (hash ^ hash >> 33) &* 0xc4ce_b9fe_1a85_ec53
        return Int((hash ^ hash >> 33) % 10_000)
    }

    /// Whether the device takes the rule; a larger percentage never drops a device.
    public func includes(_ device: String?) -> Bool {
        guard percent < 100 else { return true }
        guard let device else { return false }
        return Self.place(of: device, salt: salt) < percent * 100
    }
}
