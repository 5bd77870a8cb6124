// SPDX-License-Identifier: Apache-2.0

// What can be wrong with entitlements.

extension CodeProblem.Code {
    /// The DER is not of the form that Apple's systems read, or not DER at all.
    public static let entitlementsDER = Self("entitlements-der")
    /// The XML is a property list, but no dictionary.
    public static let entitlementsXML = Self("entitlements-xml")
    /// XML and DER do not say the same.
    public static let entitlementsDiffer = Self("entitlements-differ")
    /// A value has no DER form: a date, a real number, or too deep.
    public static let entitlementsNotEncodable = Self("entitlements-not-encodable")
}
