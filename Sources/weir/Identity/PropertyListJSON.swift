// SPDX-License-Identifier: Apache-2.0

// Property lists as JSON: entitlements and Info.plist in output, and in the subjects that `requirement evaluate` reads.

import CodeIdentity
import Foundation

/// A property list in JSON: dates as ISO 8601 text and data as base64, both one way only.
struct PropertyListJSON: Codable {
    let value: PropertyListValue

    init(_ value: PropertyListValue) { self.value = value }

    func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        switch value {
        case .string(let string): try container.encode(string)
        case .integer(let integer): try container.encode(integer)
        // JSON has no infinity and no NaN.
        case .real(let real): if real.isFinite { try container.encode(real) } else { try container.encode("\(real)") }
        case .boolean(let boolean): try container.encode(boolean)
        case .date(let seconds):
            try container.encode(Date(timeIntervalSinceReferenceDate: seconds).formatted(.iso8601))
        case .data(let bytes): try container.encode(Data(bytes).base64EncodedString())
        case .array(let values): try container.encode(values.map(PropertyListJSON.init))
        case .dictionary(let entries): try container.encode(entries.mapValues(PropertyListJSON.init))
        }
    }

    init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        if let boolean = try? container.decode(Bool.self) {
            value = .boolean(boolean)
        } else if let integer = try? container.decode(Int64.self) {
            value = .integer(integer)
        } else if let real = try? container.decode(Double.self) {
            value = .real(real)
        } else if let string = try? container.decode(String.self) {
            value = .string(string)
        } else if let values = try? container.decode([PropertyListJSON].self) {
            value = .array(values.map(\.value))
        } else if let entries = try? container.decode([String: PropertyListJSON].self) {
            value = .dictionary(entries.mapValues(\.value))
        } else {
            throw DecodingError.dataCorruptedError(
                in: container, debugDescription: "null has no place in a property list")
        }
    }
}
