// SPDX-License-Identifier: Apache-2.0

// The clock of the register of deaths, as a Mac has it.

#if canImport(Darwin)
internal import Darwin

extension MachineMoment {
    static var now: MachineMoment {
        // 36 characters and an end; empty where the system does not say, and then all starts are one.
        var session = [UInt8](repeating: 0, count: 64)
        var size = session.count
        let hasSession = sysctlbyname("kern.bootsessionuuid", &session, &size, nil, 0) == 0
        // On this system the raw clock runs on while the machine sleeps.
        let milliseconds = Int64(clock_gettime_nsec_np(CLOCK_MONOTONIC_RAW) / 1_000_000)
        return MachineMoment(
            boot: hasSession ? String(decoding: session.prefix { $0 != 0 }, as: UTF8.self) : "",
            milliseconds: milliseconds)
    }
}
#endif
