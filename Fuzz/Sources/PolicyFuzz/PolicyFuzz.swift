// SPDX-License-Identifier: Apache-2.0

// Looks for policy documents that trap the reader, or that are read differently the second time.

import FlowModel
import FlowPolicy

private let detectors = [
    DetectorName(id: "payment-card", family: "finance"), DetectorName(id: "private-key", family: "secret"),
]
private let flows = ["origin.example:443", "192.0.2.7:22", "[2001:db8::1]:80"].compactMap { Endpoint($0) }.map {
    FlowFacts(id: FlowID(1), intake: .exec, destination: $0, startedAt: 0)
}

/// What a document means for a few flows, or why it is refused, in words.
private func meaning(_ text: String) -> String {
    do {
        let policy = try Policy.read(yaml: text, file: "fuzz.yaml", PolicyEnvironment(detectors: detectors))
        return flows.map { policy.explain($0).text + policy.explain($0).jsonLines }.joined()
    } catch {
        guard !error.problems.isEmpty else { fatalError("refused without a problem") }
        return error.problems.map(\.description).joined(separator: "\n")
    }
}

@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    let text = String(decoding: UnsafeBufferPointer(start: start, count: count), as: UTF8.self)
    // A crash is how libFuzzer learns of a failing case.
    guard meaning(text) == meaning(text) else { fatalError("read differently the second time") }
    return 0
}
