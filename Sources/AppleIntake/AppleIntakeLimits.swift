// SPDX-License-Identifier: Apache-2.0

// Every number that bounds flows on macOS: each folder declares its own.

public import FlowModel

/// The limits of the provider.
public enum AppleIntakeLimits {
    /// All of them, in the order of the folders.
    public static let all: [Limit] = provider + flows + admission + datagrams + watchdog
}
