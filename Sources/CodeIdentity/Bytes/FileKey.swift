// SPDX-License-Identifier: Apache-2.0

// Which file it is, and in which state: what tells a file from its successor under the same path.

/// A file as the kernel names it: what a cached digest belongs to.
public struct FileKey: Hashable, Sendable {
    public var device: UInt64
    public var inode: UInt64
    /// Nanoseconds since 1970-01-01 UTC.
    public var changed: Int64
    public var size: UInt64

    public init(device: UInt64, inode: UInt64, changed: Int64, size: UInt64) {
        self.device = device
        self.inode = inode
        self.changed = changed
        self.size = size
    }
}

extension FileKey {
    /// A key from the fields of `stat(2)`.
    ///
    /// Bit 31 of the nanoseconds is masked: since Linux 6.13 the kernel keeps a flag there. `stat` never shows it, but
    /// a key that was read inside the kernel may carry it, and both have to compare equal.
    public init(device: UInt64, inode: UInt64, changedSeconds: Int64, changedNanoseconds: UInt32, size: UInt64) {
        let (seconds, overflow) = changedSeconds.multipliedReportingOverflow(by: 1_000_000_000)
        let (changed, more) = seconds.addingReportingOverflow(Int64(changedNanoseconds & 0x7FFF_FFFF))
        self.init(device: device, inode: inode, changed: overflow || more ? .max : changed, size: size)
    }
}
