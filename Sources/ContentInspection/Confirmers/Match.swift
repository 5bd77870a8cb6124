// SPDX-License-Identifier: Apache-2.0

// What a confirmer answers.

import FlowModel

/// Sensitive data, confirmed.
struct Match {
    var detector: Detector
    /// Offsets in the stream.
    var range: Range<Int>
    var confidence: Confidence
    /// The same bytes with all but a few masked; no detector finds anything in it.
    var masked: [UInt8]
    /// The value without the accidents of its writing, for digests.
    var normalised: [UInt8]
}
