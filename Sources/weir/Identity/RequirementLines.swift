// SPDX-License-Identifier: Apache-2.0

// The batch forms of `weir requirement`: one JSON object a line in, one out.

import CodeIdentity
import EngineAssembly
import Foundation

/// What a line asks for; which keys it needs depends on the verb.
struct RequirementRequest: Decodable {
    let text: String?
    let hex: String?
    let entry: String?
    let code: CodeObject?

    /// The requirement or the set that the line holds.
    func source() throws(CodeProblem) -> RequirementSource {
        switch (text, hex) {
        case (let text?, nil):
            guard let entry = RequirementSource.Entry(rawValue: entry ?? "either") else {
                throw CodeProblem(.invalidRequest, "`entry` is requirement, set or either")
            }
            return try RequirementSource.read(text: text, entry: entry)
        case (nil, let hex?): return try RequirementSource.read(blob: RequirementHex.bytes(hex))
        default: throw CodeProblem(.invalidRequest, "give either `text` or `hex`")
        }
    }
}

/// What comes back.
struct RequirementAnswer: Encodable {
    var hex: String?
    var canonical: String?
    var apple: String?
    var result: String?
    var explanation: RequirementExplanation?
    var remarks: [ProblemLine]?
    var error: ProblemLine?
}

enum RequirementHex {
    static func bytes(_ hex: String) throws(CodeProblem) -> [UInt8] {
        let digits = Array(hex.hasPrefix("0x") ? hex.utf8.dropFirst(2) : hex.utf8[...])
        var bytes: [UInt8] = []
        bytes.reserveCapacity(digits.count / 2)
        for place in stride(from: 0, to: digits.count, by: 2) {
            guard place + 1 < digits.count,
                let byte = UInt8(String(decoding: digits[place...place + 1], as: UTF8.self), radix: 16),
                digits[place] != UInt8(ascii: "+"), digits[place] != UInt8(ascii: "-")
            else { throw CodeProblem(.invalidRequest, at: UInt64(place), "not an even number of hexadecimal digits") }
            bytes.append(byte)
        }
        return bytes
    }
}

/// A subject for `evaluate`: code that need not exist.
struct CodeObject: Decodable {
    let identifier: String
    let cdhash: String?
    let team: String?
    let platform: UInt8?
    /// DER in base64, leaf first.
    let certificates: [Data]?
    let entitlements: [String: PropertyListJSON]?
    let info: [String: PropertyListJSON]?
    let flags: Flags?
    let trustCache: String?
    let notarized: String?
    /// Seconds since 1970-01-01 UTC.
    let secureTimestamp: Int64?

    /// A number, hexadecimal digits, or names.
    struct Flags: Decodable {
        let value: CodeSignatureFlags

        init(from decoder: any Decoder) throws {
            let container = try decoder.singleValueContainer()
            if let number = try? container.decode(UInt32.self) {
                value = CodeSignatureFlags(rawValue: number)
            } else if let text = try? container.decode(String.self),
                let number = UInt32(text.hasPrefix("0x") ? String(text.dropFirst(2)) : text, radix: 16)
            {
                value = CodeSignatureFlags(rawValue: number)
            } else if let names = try? container.decode([String].self),
                let flags = CodeSignatureFlags(names: names)
            {
                value = flags
            } else {
                throw DecodingError.dataCorruptedError(
                    in: container, debugDescription: "flags are a number, hexadecimal digits or a list of names")
            }
        }
    }

    func subject() throws(CodeProblem) -> CodeSubject {
        var subject = CodeSubject(identifier: Array(identifier.utf8))
        if let cdhash {
            guard let hash = CDHash(hex: cdhash) else {
                throw CodeProblem(.invalidRequest, "`cdhash` has 40 hexadecimal digits")
            }
            subject.cdhash = hash
        }
        subject.team = team.map { Array($0.utf8) }
        subject.platform = platform ?? 0
        subject.flags = flags?.value ?? []
        for certificate in certificates ?? [] {
            subject.certificates.append(try CertificateFacts(der: Array(certificate)))
        }
        subject.entitlements = (entitlements ?? [:]).mapValues(\.value)
        subject.info = (info ?? [:]).mapValues(\.value)
        subject.inTrustCache = try Self.answer(trustCache, "trustCache")
        subject.notarized = try Self.answer(notarized, "notarized")
        subject.secureTimestamp = secureTimestamp
        return subject
    }

    private static func answer(_ text: String?, _ key: String) throws(CodeProblem) -> SystemAnswer {
        guard let answer = SystemAnswer(rawValue: text ?? "unknown") else {
            throw CodeProblem(.invalidRequest, "`\(key)` is yes, no or unknown")
        }
        return answer
    }
}

extension CodeProblem.Code {
    /// A line of input is no object with the keys that the verb needs.
    static let invalidRequest = Self("invalid-request")
}

enum RequirementBatch {
    /// Answers each line of standard input; a bad line gets an error and the rest goes on.
    static func run(_ answer: (RequirementRequest) throws(CodeProblem) -> RequirementAnswer) throws {
        var input = InputLines()
        var output = StandardOutput()
        let decoder = JSONDecoder()
        while let line = input.next() {
            let reply: RequirementAnswer
            do {
                let bytes = try line.get()
                if bytes.allSatisfy({ $0 == 0x20 || $0 == 0x09 || $0 == 0x0d }) { continue }
                reply = try answer(decoder.decode(RequirementRequest.self, from: Data(bytes)))
            } catch let problem as CodeProblem {
                reply = RequirementAnswer(error: ProblemLine(problem))
            } catch let error as DecodingError {
                reply = RequirementAnswer(error: ProblemLine(CodeProblem(.invalidRequest, Self.text(error))))
            } catch {
                let text = (error as? Problem)?.text ?? "\(error)"
                reply = RequirementAnswer(error: ProblemLine(CodeProblem(.invalidRequest, text)))
            }
            try output.line(JSONLine.text(reply))
            // The reader may wait for this answer before it asks the next.
            if !input.hasMore { try output.flush() }
        }
        try output.flush()
    }

    private static func text(_ error: DecodingError) -> String {
        let context: DecodingError.Context
        switch error {
        case .typeMismatch(_, let found), .valueNotFound(_, let found), .keyNotFound(_, let found),
            .dataCorrupted(let found):
            context = found
        @unknown default: return "\(error)"
        }
        let place = context.codingPath.map { $0.intValue.map { "[\($0)]" } ?? $0.stringValue }.joined(separator: ".")
        return place.isEmpty ? context.debugDescription : "\(place): \(context.debugDescription)"
    }
}
