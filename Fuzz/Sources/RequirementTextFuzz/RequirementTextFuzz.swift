// SPDX-License-Identifier: Apache-2.0

// Looks for requirement texts that trap the parser, that canonical text or the binary form change, or that come out
// differently when they are explained.

import CodeIdentity
import RequirementSubjects

/// The requirements that a text holds.
private func expressions(_ source: RequirementSource) -> [RequirementExpression] {
    switch source {
    case .requirement(let requirement): [requirement.expression]
    case .set(let set): set.entries.compactMap { try? $0.content.get().expression }
    }
}

@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    let text = String(decoding: UnsafeBufferPointer(start: start, count: count), as: UTF8.self)
    let source: RequirementSource
    do throws(CodeProblem) {
        source = try RequirementSource.read(text: text)
    } catch {
        // A tree that is too large has no place in the text.
        guard error.offset.map({ $0 <= text.utf8.count }) ?? (error.code == .limit) else {
            fatalError("refused without a place")
        }
        return 0
    }
    let said = expressions(source).map(results)
    // A crash is how libFuzzer learns of a failing case.
    if let canonical = try? RequirementSource.read(text: source.text) {
        guard canonical.text == source.text else { fatalError("canonical text is not read as it was written") }
        guard expressions(canonical).map(results) == said else { fatalError("canonical text means something else") }
    } else {
        // A name that is not printable is printed so that nothing reads it.
        let printable = text.utf8.allSatisfy { (0x20...0x7E).contains($0) || (0x09...0x0D).contains($0) }
        guard !printable else { fatalError("canonical text cannot be read: \(source.text)") }
    }

    guard let blob = try? source.appleBlob() else { return 0 }
    guard let decoded = try? RequirementSource.read(blob: blob) else { fatalError("the binary form cannot be read") }
    guard expressions(decoded) == expressions(source), (try? decoded.appleBlob()) == blob else {
        fatalError("the binary form is another requirement")
    }
    return 0
}
