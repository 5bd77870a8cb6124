// SPDX-License-Identifier: Apache-2.0

// Rung two by means of Security's `SecCode`: dynamic validity, requirements and what the signature says.

#if canImport(Security)
import FlowModel
import Foundation
import Security

/// The system's own judge of running code.
///
/// Each call builds its own objects: what Security has once validated it remembers in them, and it must not remember
/// across calls, because the file may change.
public struct SecCodeOracle: CodeSigningOracle {
    public init() {}

    /// Revocation and notarisation are not asked for: that needs the network, whose flows wait for this very answer.
    ///
    /// Good for `SecCode` since macOS 11.3.
    private static let offline = SecCSFlags.noNetworkAccess

    public func verify(_ token: AuditToken, requirements: [String]) throws(CodeSigningError) -> CodeExamination {
        let code = try Self.code(of: token)
        let invalidity = CodeSigningError(status: SecCodeCheckValidity(code, Self.offline, nil))
        var outcomes: [String: RequirementOutcome] = [:]
        for text in requirements {
            outcomes[text] = invalidity.map { .failed($0) } ?? Self.outcome(of: text, for: code)
        }
        var facts: StaticCodeFacts?
        do throws(CodeSigningError) {
            facts = try Self.facts(of: code)
        } catch {
            // Of code that is not valid they would be labels only.
            if invalidity == nil { throw error }
        }
        return CodeExamination(invalidity: invalidity, outcomes: outcomes, facts: facts)
    }

    private static func code(of token: AuditToken) throws(CodeSigningError) -> SecCode {
        let attributes = NSDictionary(dictionary: [kSecGuestAttributeAudit as String: Data(token.bytes)])
        var code: SecCode?
        try check(SecCodeCopyGuestWithAttributes(nil, attributes as CFDictionary, [], &code))
        guard let code else { throw .code(.internalError) }
        return code
    }

    private static func outcome(of text: String, for code: SecCode) -> RequirementOutcome {
        var requirement: SecRequirement?
        let status = SecRequirementCreateWithString(NSString(string: text) as CFString, [], &requirement)
        if let error = CodeSigningError(status: status) { return .failed(error) }
        // To Security, no requirement is one that everything satisfies.
        guard let requirement else { return .failed(.code(.internalError)) }
        switch CodeSigningError(status: SecCodeCheckValidity(code, offline, requirement)) {
        case nil: return .satisfied
        case .code(.requirementFailed)?: return .unsatisfied
        case let error?: return .failed(error)
        }
    }

    private static func facts(of code: SecCode) throws(CodeSigningError) -> StaticCodeFacts {
        var staticCode: SecStaticCode?
        try check(SecCodeCopyStaticCode(code, [], &staticCode))
        guard let staticCode else { throw .code(.internalError) }
        var copied: CFDictionary?
        try check(SecCodeCopySigningInformation(staticCode, SecCSFlags(rawValue: kSecCSSigningInformation), &copied))
        guard let information = copied as? [String: Any] else { throw .code(.internalError) }

        var facts = StaticCodeFacts(
            path: (information[kSecCodeInfoMainExecutable as String] as? URL)?.path,
            identifier: information[kSecCodeInfoIdentifier as String] as? String,
            team: information[kSecCodeInfoTeamIdentifier as String] as? String,
            cdhash: (information[kSecCodeInfoUnique as String] as? Data).flatMap { CDHash($0) })
        if let flags = information[kSecCodeInfoFlags as String] as? NSNumber {
            facts.flags = CodeSignatureFlags(rawValue: flags.uint32Value)
        }
        if let entitlements = information[kSecCodeInfoEntitlementsDict as String] {
            var room = CodeIdentityLimits.entitlementBytes.value
            let value = propertyList(entitlements, depth: CodeIdentityLimits.entitlementDepth.value, room: &room)
            // Half of them would hide what the other half allows.
            guard let entries = value?.dictionary else { throw .code(.internalError) }
            facts.entitlements = entries
        }
        return facts
    }

    private static func check(_ status: OSStatus) throws(CodeSigningError) {
        if let error = CodeSigningError(status: status) { throw error }
    }

    /// Reads a value of Foundation; nil when it is not a property list, or nests or takes more than is allowed.
    private static func propertyList(_ value: Any, depth: Int, room: inout Int) -> PropertyListValue? {
        room -= 16
        guard depth > 0, room > 0 else { return nil }
        switch value {
        case let text as String:
            room -= min(room, text.utf8.count)
            return .string(text)
        case let data as Data:
            room -= min(room, data.count)
            return .data([UInt8](data))
        case let number as NSNumber:
            if CFGetTypeID(number) == CFBooleanGetTypeID() { return .boolean(number.boolValue) }
            return CFNumberIsFloatType(number) ? .real(number.doubleValue) : .integer(number.int64Value)
        case let date as Date:
            return .date(date.timeIntervalSinceReferenceDate)
        case let array as [Any]:
            var elements: [PropertyListValue] = []
            for element in array {
                guard let element = propertyList(element, depth: depth - 1, room: &room) else { return nil }
                elements.append(element)
            }
            return .array(elements)
        case let dictionary as [String: Any]:
            var entries: [String: PropertyListValue] = [:]
            for (key, element) in dictionary {
                room -= min(room, key.utf8.count)
                guard let element = propertyList(element, depth: depth - 1, room: &room) else { return nil }
                entries[key] = element
            }
            return .dictionary(entries)
        default:
            return nil
        }
    }
}
#endif
