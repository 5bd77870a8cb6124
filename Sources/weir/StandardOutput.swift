// SPDX-License-Identifier: Apache-2.0

// Where the verbs print: standard output with a buffer.

import ArgumentParser
import Foundation

/// Standard output with a buffer, whose reader may go away.
struct StandardOutput {
    private var buffer: [UInt8] = []

    mutating func line(_ text: String) throws {
        buffer.append(contentsOf: text.utf8)
        buffer.append(UInt8(ascii: "\n"))
        if buffer.count >= 1 << 15 { try flush() }
    }

    mutating func flush() throws {
        var sent = 0
        while sent < buffer.count {
            let count = buffer[sent...].withUnsafeBytes { write(STDOUT_FILENO, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR { continue }
            if count < 0 {
                // Nobody reads any more (`| head`), which is no fault of ours.
                if errno == EPIPE { throw ExitCode(0) }
                let reason = String(cString: strerror(errno))
                FileHandle.standardError.write(Data("weir: lines are missing from the output: \(reason)\n".utf8))
                throw ExitCode(1)
            }
            sent += count
        }
        buffer.removeAll(keepingCapacity: true)
    }
}
