// SPDX-License-Identifier: Apache-2.0

// Looks for entitlements that trap a reader, or that DER and XML could tell differently.

import CodeIdentity

/// Whatever DER is read is the one form of what it says.
private func checkDER(_ input: [UInt8]) {
    guard let values = try? EntitlementsDER.decode(input) else { return }
    // A crash is how libFuzzer learns of a failing case.
    guard (try? EntitlementsDER.encode(values)) == input else { fatalError("two forms of one value") }
    let read = Entitlements(xml: nil, der: input)
    guard read.values == values, read.source == .der, read.problems.isEmpty else {
        fatalError("read as something else beside a signature")
    }
}

/// Whatever XML is read agrees with its own DER, and with no other.
private func checkXML(_ input: [UInt8]) {
    let read = Entitlements(xml: input, der: nil)
    guard read.problems.isEmpty else {
        guard read.values.isEmpty else { fatalError("entitlements that count although they cannot be read") }
        return
    }
    guard let der = try? EntitlementsDER.encode(read.values) else { return }
    guard (try? EntitlementsDER.decode(der)) == read.values else { fatalError("encoded as something else") }
    guard Entitlements(xml: input, der: der).agree == true else { fatalError("XML disagrees with its own DER") }
    let other = read.values.merging(["other": .boolean(true)]) { value, _ in .array([value]) }
    guard let otherDER = try? EntitlementsDER.encode(other), otherDER != der else { return }
    let mixed = Entitlements(xml: input, der: otherDER)
    guard mixed.agree == false, !mixed.problems.isEmpty else { fatalError("XML agrees with another's DER") }
}

@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    let input = Array(UnsafeBufferPointer(start: start, count: count))
    checkDER(input)
    checkXML(input)
    return 0
}
