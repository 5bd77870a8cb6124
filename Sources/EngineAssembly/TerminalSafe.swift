// SPDX-License-Identifier: Apache-2.0

// Text of others, safe to print.

extension String {
    /// This text without what a terminal would act on.
    package var terminalSafe: String {
        if utf8.allSatisfy({ (0x20..<0x7f).contains($0) }) { return self }
        var safe = String.UnicodeScalarView()
        for scalar in unicodeScalars {
            switch scalar.properties.generalCategory {
            case .control, .format, .lineSeparator, .paragraphSeparator: safe.append("\u{fffd}")
            default: safe.append(scalar)
            }
        }
        return String(safe)
    }
}
