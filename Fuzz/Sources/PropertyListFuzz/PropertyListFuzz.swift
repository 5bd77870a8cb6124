// SPDX-License-Identifier: Apache-2.0

// Looks for property lists that trap a reader, or that two readers could take differently.

import CodeIdentity

/// The value that an input holds, or the name of what is wrong with it.
private func read(_ input: [UInt8]) -> Result<PropertyListValue, CodeProblem> {
    Result { () throws(CodeProblem) in try PropertyList.read(input) }
}

/// Checks what every value promises, and gives how many there are.
private func size(_ value: PropertyListValue, depth: Int = 0) -> Int {
    // A crash is how libFuzzer learns of a failing case.
    guard depth <= CodeIdentityLimits.propertyListDepth.value else { fatalError("deeper than the limit") }
    switch value {
    case .real(let number), .date(let number):
        guard number.isFinite else { fatalError("a number that equals nothing") }
        return 1
    case .array(let elements): return elements.reduce(1) { $0 + size($1, depth: depth + 1) }
    case .dictionary(let entries):
        return entries.reduce(1) { sum, entry in
            guard entry.key.utf8.count <= CodeIdentityLimits.propertyListKeyBytes.value else {
                fatalError("a key beyond the limit")
            }
            return sum + 1 + size(entry.value, depth: depth + 1)
        }
    case .string, .integer, .boolean, .data: return 1
    }
}

/// An XML list means the same in UTF-16, unless it names its encoding.
private func checkUTF16(_ input: [UInt8], _ value: Result<PropertyListValue, CodeProblem>) {
    guard let text = String(validating: input, as: UTF8.self), !text.hasPrefix("\u{FEFF}"), !text.contains("encoding"),
        !input.starts(with: "bplist".utf8)
    else { return }
    for bigEndian in [true, false] {
        let units = [0xFEFF] + Array(text.utf16)
        let bytes = units.flatMap { unit in
            let pair = [UInt8(unit >> 8), UInt8(truncatingIfNeeded: unit)]
            return bigEndian ? pair : pair.reversed()
        }
        let wide = Result { () throws(CodeProblem) in try PropertyList.readXML(bytes) }
        switch (value, wide) {
        case (.success(let one), .success(let other)) where one == other: break
        case (.failure, .failure): break
        default: fatalError("UTF-16 is read as something else")
        }
    }
}

@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    let input = Array(UnsafeBufferPointer(start: start, count: count))
    let value = read(input)
    guard read(input) == value else { fatalError("read differently the second time") }
    if case .success(let value) = value {
        // Each takes a byte of the input at least: nothing here is written once and counted often.
        guard size(value) <= input.count else { fatalError("more values than bytes") }
        if case .dictionary(let entries) = value, let der = try? EntitlementsDER.encode(entries),
            der.count <= CodeIdentityLimits.entitlementsBytes.value
        {
            guard (try? EntitlementsDER.decode(der)) == entries else { fatalError("a value that DER cannot hold") }
        }
    }
    checkUTF16(input, value)
    return 0
}
