// SPDX-License-Identifier: Apache-2.0

// Looks for requirement blobs that trap the decoder, that compiling again or their text changes, or that come out
// differently when they are explained.

import CodeIdentity
import RequirementSubjects

/// What was read can be written, and is the same when it is read again.
private func check(_ requirement: Requirement) {
    let expression = requirement.expression
    guard requirement.blob != nil else { fatalError("a blob that has none") }
    let said = results(of: expression)
    if let blob = try? RequirementCompiler.blob(of: expression) {
        guard let again = try? Requirement(blob: blob), again.expression == expression, again.problems.isEmpty else {
            fatalError("compiled to another requirement")
        }
        // Nothing but what is reported makes a blob another one than the compiler's.
        guard !requirement.problems.isEmpty || requirement.blob == blob else {
            fatalError("two blobs of one requirement, and neither is odd")
        }
    }
    // Most of what text cannot say is refused when it is read; what is read means the same.
    guard let read = try? Requirement(text: requirement.text) else { return }
    guard read.text == requirement.text, results(of: read.expression) == said else {
        fatalError("the text means something else: \(requirement.text)")
    }
}

@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    let input = Array(UnsafeBufferPointer(start: start, count: count))
    // A crash is how libFuzzer learns of a failing case.
    guard let source = try? RequirementSource.read(blob: input) else { return 0 }
    guard (try? RequirementSource.read(blob: input)) == source else { fatalError("read differently the second time") }
    _ = source.appleText
    switch source {
    case .requirement(let requirement): check(requirement)
    case .set(let set):
        for entry in set.entries { if let requirement = try? entry.content.get() { check(requirement) } }
    }
    return 0
}
