// SPDX-License-Identifier: Apache-2.0

// Looks for bytes that break a promise of the readers of HTTP/1.1 heads, and of the bodies behind them.

@_spi(Fuzzing) import FlowEngine

/// Tries one input, whole and in pieces of a length that its own length decides.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    let input = Array(UnsafeBufferPointer(start: start, count: count))
    if let breach = HTTP1Fuzzing.messages(input, pieceLength: 1 + count % 7) {
        // A crash is how libFuzzer learns of a failing case.
        fatalError(breach)
    }
    return 0
}
