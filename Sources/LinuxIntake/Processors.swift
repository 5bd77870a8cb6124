// SPDX-License-Identifier: Apache-2.0

// The processors that this process may use.

import CLinuxFlow

public enum Processors {
    /// How many this process may run on; nil when the system does not say.
    public static var usable: Int? {
        let count = Int(weir_usable_processors())
        return count > 0 ? count : nil
    }
}
