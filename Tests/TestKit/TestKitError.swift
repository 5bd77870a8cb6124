// SPDX-License-Identifier: Apache-2.0

// Why a test could not be set up or a program did not do what was asked.

/// A fault of the test's surroundings, in one sentence that says what to do.
public struct TestKitError: Error, CustomStringConvertible {
    public let description: String

    public init(_ description: String) {
        self.description = description
    }
}
