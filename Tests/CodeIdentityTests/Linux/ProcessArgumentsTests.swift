// SPDX-License-Identifier: Apache-2.0

// /proc/PID/cmdline and environ.

import Testing

@testable import CodeIdentity

@Suite("ProcessArguments") struct ProcessArgumentsTests {
    private func text(_ text: String, complete: Bool = true) -> BoundedText {
        BoundedText(Array(text.utf8), complete: complete)
    }

    @Test("Arguments end with a NUL, empty ones count, and a cut one does not")
    func arguments() {
        #expect(ProcessArguments.arguments(text("a\0\0b\0")) == ["a", "", "b"])
        #expect(ProcessArguments.arguments(text("title without an end")) == ["title without an end"])
        #expect(ProcessArguments.arguments(text("a\0b\0c", complete: false)) == ["a", "b"])
        #expect(ProcessArguments.arguments(text("")) == [])
    }

    @Test("Variables that make the loader take more are seen; others and empty ones are not")
    func loader() {
        for name in ["LD_PRELOAD", "LD_AUDIT", "LD_LIBRARY_PATH"] {
            #expect(ProcessArguments.asksLoader(text("A=1\0\(name)=/x\0")))
            #expect(!ProcessArguments.asksLoader(text("A=1\0\(name)=\0")))
            #expect(!ProcessArguments.asksLoader(text("A=\(name)=/x\0X\(name)=/x\0")))
        }
        #expect(ProcessArguments.asksLoader(text("A=1", complete: false)))
    }
}
