// SPDX-License-Identifier: Apache-2.0

// The clock of the register of deaths: since the machine was started, sleep included.

internal import Foundation

#if !canImport(Darwin)
internal import Glibc

extension MachineMoment {
    static var now: MachineMoment {
        var time = timespec()
        clock_gettime(CLOCK_BOOTTIME, &time)
        let boot = (try? String(contentsOfFile: "/proc/sys/kernel/random/boot_id", encoding: .utf8)) ?? ""
        return MachineMoment(
            boot: boot.trimmingCharacters(in: .whitespacesAndNewlines),
            milliseconds: Int64(time.tv_sec) * 1_000 + Int64(time.tv_nsec) / 1_000_000)
    }
}
#endif
