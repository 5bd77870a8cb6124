// SPDX-License-Identifier: Apache-2.0

// The first stage: places in a run of bytes where a confirmer should look.

import CByteScan

/// What the first stage looks for.
struct TriggerKinds: OptionSet, Sendable {
    let rawValue: UInt32

    static let digitRun = TriggerKinds(rawValue: WEIR_TRIGGER_DIGIT_RUN.rawValue)
    static let upperPair = TriggerKinds(rawValue: WEIR_TRIGGER_UPPER_PAIR.rawValue)
    static let otherPair = TriggerKinds(rawValue: WEIR_TRIGGER_OTHER_PAIR.rawValue)
    static let dashes = TriggerKinds(rawValue: WEIR_TRIGGER_DASHES.rawValue)
    static let gh = TriggerKinds(rawValue: WEIR_TRIGGER_GH.rawValue)
    static let at = TriggerKinds(rawValue: WEIR_TRIGGER_AT.rawValue)

    /// The last bytes of a run, whose triggers may be cut short, so that confirmers look at each.
    static let unscanned = Int(WEIR_TRIGGER_BYTES) - 1

    /// Hands ascending offsets of triggers in `bytes` to `visit` until it returns false.
    ///
    /// Returns how many bytes were covered; the last `unscanned` never are.
    func scan(_ bytes: UnsafeBufferPointer<UInt8>, visit: (Int) -> Bool) -> Int {
        withUnsafeTemporaryAllocation(of: UInt32.self, capacity: 2 * Int(WEIR_TRIGGER_CAPACITY)) { found in
            var scanned = 0
            let count = weir_find_triggers(
                bytes.baseAddress, bytes.count, rawValue, found.baseAddress, found.count, &scanned)
            for offset in found.prefix(count) where !visit(Int(offset)) { break }
            return scanned
        }
    }
}
