// SPDX-License-Identifier: Apache-2.0

// Looks for text whose findings or edits depend on how it is cut, and for edits that break the driver's contract.

import ContentInspection
import FlowModel

private let plan: InspectionPlan? = {
    let actions = Dictionary(uniqueKeysWithValues: Detectors.all.map { ($0.id, ContentAction.redact) })
    return try? InspectionPlan(actions: actions, key: FindingKey(bytes: Array(0..<32)))
}()

/// What came of one way of cutting a text.
private struct Outcome: Equatable {
    var output: [UInt8]
    var findings: Set<Finding>
}

/// Feeds a text in pieces, as a driver does, and checks the contract on the way.
private func inspect(_ input: [UInt8], pieces length: Int, mediaType: String, _ plan: InspectionPlan) -> Outcome {
    var inspector = BodyInspector(plan: plan, mediaType: mediaType)
    var step = InspectionStep()
    var output = input
    var findings: Set<Finding> = []
    var released: UInt64 = 0
    var fed = 0
    func settle() {
        for edit in step.edits {
            guard edit.range.count == edit.replacement.count else { fatalError("an edit changes the length") }
            guard edit.range.lowerBound >= released, edit.range.upperBound <= fed else {
                fatalError("an edit of bytes that have gone, or that have not come")
            }
            output.replaceSubrange(Int(edit.range.lowerBound)..<Int(edit.range.upperBound), with: edit.replacement)
        }
        guard step.releasable >= released, step.releasable <= fed else { fatalError("bytes are released twice") }
        released = step.releasable
        findings.formUnion(step.findings)
        step.clear()
    }
    while fed < input.count {
        let end = min(fed + length, input.count)
        inspector.feed(input.span.extracting(fed..<end), into: &step)
        fed = end
        settle()
    }
    inspector.signal(.endOfMessage, into: &step)
    settle()
    guard released == UInt64(input.count) else { fatalError("bytes are kept after the end of the message") }
    return Outcome(output: output, findings: findings)
}

/// Tries one input as text and as a form of several parts, whole and in pieces.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    guard let plan else { return 0 }
    let input = Array(UnsafeBufferPointer(start: start, count: count))
    for mediaType in ["application/json", "multipart/form-data; boundary=B"] {
        let whole = inspect(input, pieces: max(count, 1), mediaType: mediaType, plan)
        for length in [1, 1 + count % 13] {
            let cut = inspect(input, pieces: length, mediaType: mediaType, plan)
            // A crash is how libFuzzer learns of a failing case.
            guard cut == whole else { fatalError("\(mediaType) in pieces of \(length) differs from the whole") }
        }
    }
    return 0
}
