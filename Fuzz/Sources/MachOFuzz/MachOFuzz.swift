// SPDX-License-Identifier: Apache-2.0

// Looks for Mach-O files that trap the examiner, that it takes for signed by somebody who did not sign them, or that do
// not meet the requirement that is derived from them.

import CodeIdentity

/// The code directories that the seeds' signers signed: no other can ever be verified, since their keys are gone.
private let signed: Set<String> = [
    "838e01d229e48d89976e7e8793679e7bb4d826e2", "cbaf9a0e4019b81e5c3484a4f95b345852346704",
]

/// What a requirement sees of the slice agrees with what its signature says.
private func check(_ slice: SliceReport, hashesPages: Bool) {
    guard let verified = slice.verified else { return }
    guard hashesPages, slice.problems.isEmpty, slice.validity.problems.isEmpty, slice.signing != .unsigned else {
        fatalError("verified in spite of a problem")
    }
    guard slice.signing == .cms else {
        guard verified.signer == nil, verified.provedTeam == nil else { fatalError("nobody signed, and yet a signer") }
        return
    }
    guard let cdhash = verified.subject.cdhash, signed.contains(cdhash.description) else {
        fatalError("a signature holds over what its signer never saw")
    }
}

/// Code always meets the requirement that is derived from its own signature.
private func checkDesignated(_ slice: SliceReport) {
    guard let subject = slice.verified?.subject, let derived = slice.implicitDesignated else { return }
    guard let requirement = try? CompiledRequirement(derived.expression), requirement.evaluate(subject) == .true else {
        fatalError("code that does not meet the requirement derived from it")
    }
}

/// Everything that was found out, in words.
private func examine(_ file: MemoryBytes, hashesPages: Bool) -> String {
    do {
        let report = try CodeExaminer(now: 1_748_736_000, hashesPages: hashesPages).examine(file)
        guard !report.slices.isEmpty else { fatalError("a file without slices") }
        guard report.problems.isEmpty || report.slices.allSatisfy({ $0.verified == nil }) else {
            fatalError("verified in a container that has a problem")
        }
        return report.slices.map { slice in
            check(slice, hashesPages: hashesPages)
            checkDesignated(slice)
            return "\(slice.claimed as Any) \(slice.validity) \(slice.problems) \(slice.remarks) "
                + "\(slice.designated?.expression as Any)"
        }.joined(separator: "\n")
    } catch {
        return error.description
    }
}

/// Examines one input as a file, twice, and once without its pages.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    let file = MemoryBytes(Array(UnsafeBufferPointer(start: start, count: count)))
    // A crash is how libFuzzer learns of a failing case.
    guard examine(file, hashesPages: true) == examine(file, hashesPages: true) else {
        fatalError("read differently the second time")
    }
    _ = examine(file, hashesPages: false)
    return 0
}
