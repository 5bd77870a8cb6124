// SPDX-License-Identifier: Apache-2.0

// Looks for policy documents, and files that they name, that trap the reader or are read differently the second time.

import FlowModel
import FlowPolicy

private let detectors = [
    DetectorName(id: "payment-card", family: "finance"), DetectorName(id: "private-key", family: "secret"),
]
private let flows = ["origin.example:443", "192.0.2.7:22", "[2001:db8::1]:80"].compactMap { Endpoint($0) }.map {
    FlowFacts(id: FlowID(1), intake: .exec, destination: $0, startedAt: 0)
}

/// The files of an input: after the document, each behind a zero byte, called `1`, `2` and so on.
private struct InputFiles: PolicyFiles {
    let texts: [String]

    func text(of path: String, namedBy document: String) throws(PolicyFileProblem) -> PolicyFile {
        guard let number = Int(path), texts.indices.contains(number) else {
            throw PolicyFileProblem("there is no such file")
        }
        return PolicyFile(name: "\(number)", text: texts[number])
    }
}

/// What a document means for a few flows, or why it is refused, in words.
private func meaning(_ texts: [String]) -> String {
    let environment = PolicyEnvironment(
        detectors: detectors, files: InputFiles(texts: texts), userID: { $0 == "alice" ? 501 : nil }, device: "fuzz")
    do {
        let policy = try Policy.read(yaml: texts[0], file: "0", environment)
        return policy.digest + flows.map { policy.explain($0).text + policy.explain($0).jsonLines }.joined()
    } catch {
        guard !error.problems.isEmpty else { fatalError("refused without a problem") }
        return error.problems.map(\.description).joined(separator: "\n")
    }
}

@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    let texts = UnsafeBufferPointer(start: start, count: count).split(separator: 0, omittingEmptySubsequences: false)
        .map { String(decoding: $0, as: UTF8.self) }
    guard let first = texts.first, !first.isEmpty else { return 0 }
    // A crash is how libFuzzer learns of a failing case.
    guard meaning(texts) == meaning(texts) else { fatalError("read differently the second time") }
    return 0
}
