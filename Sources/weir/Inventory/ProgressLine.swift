// SPDX-License-Identifier: Apache-2.0

// How far a long run has come, on one line of the terminal.

import CodeIdentity
import EngineAssembly
import Foundation

/// A line on standard error that is drawn again at most ten times a second, and taken away at the end.
///
/// Where standard error is no terminal it draws nothing.
struct ProgressLine {
    private let width: Int?
    private var drawn: UInt64 = 0
    private var calls: UInt32 = 0

    init() {
        var size = winsize()
        let isKnown = ioctl(STDERR_FILENO, UInt(TIOCGWINSZ), &size) == 0 && size.ws_col > 0
        width = isatty(STDERR_FILENO) == 1 ? (isKnown ? Int(size.ws_col) : 80) : nil
    }

    mutating func draw(_ progress: InventoryProgress) {
        // The clock is asked once in a while only: most calls come microseconds after each other.
        calls &+= 1
        guard let width, calls & 15 == 1 else { return }
        let now = DispatchTime.now().uptimeNanoseconds
        guard now - drawn >= 100_000_000 else { return }
        drawn = now
        let done = Int((progress.fraction * 20).rounded(.down))
        let bar = String(repeating: "#", count: done) + String(repeating: "-", count: max(0, 20 - done))
        let text = "[\(bar)] \(progress.files) files, \(progress.programs) programs  \(progress.folder.terminalSafe)"
        FileDescriptorText.standardError("\r\u{1b}[K" + text.prefix(max(0, width - 1)))
    }

    /// Takes the line away.
    func clear() { if width != nil, drawn > 0 { FileDescriptorText.standardError("\r\u{1b}[K") } }
}
