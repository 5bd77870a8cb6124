// SPDX-License-Identifier: Apache-2.0

// What a signature claims its code may do, and what of that lets foreign code in.

import FlowModel

/// The entitlements of one signature, as it claims them.
///
/// DER counts when there is any, as for the kernel; XML only when there is none. Nothing here is proved: outside
/// Apple's own code the system honours restricted entitlements only together with a provisioning profile (TN3125).
public struct Entitlements: Hashable, Sendable {
    /// Which form `values` was read from.
    public enum Source: String, Sendable, Hashable, Codable {
        case der, xml, none
    }

    public let source: Source
    /// Empty when the form that counts could not be read.
    public let values: [String: PropertyListValue]
    /// Whether XML and DER say the same, to the byte; nil unless there are both.
    public let agree: Bool?
    /// What could not be read, and disagreement.
    ///
    /// With any problem here no requirement may be evaluated on the entitlements.
    public let problems: [CodeProblem]

    /// Reads the payloads of the blobs `fade7171` and `fade7172`, both without their eight bytes of header.
    public init(xml: [UInt8]?, der: [UInt8]?) {
        var problems: [CodeProblem] = []
        func attempt<Value>(_ read: () throws(CodeProblem) -> Value) -> Value? {
            do { return try read() } catch {
                problems.append(error)
                return nil
            }
        }
        let fromXML = xml.flatMap { xml in attempt { () throws(CodeProblem) in try Self.read(xml: xml) } }
        let fromDER = der.flatMap { der in attempt { () throws(CodeProblem) in try EntitlementsDER.decode(der) } }
        if let der {
            source = .der
            values = fromDER ?? [:]
            // Every value has one DER form only, so equal bytes are equal entitlements; comparing the values would
            // take two spellings of one Unicode text for the same.
            agree = xml == nil ? nil : fromDER != nil && fromXML.flatMap { try? EntitlementsDER.encode($0) } == der
            if agree == false {
                problems.append(
                    CodeProblem(.entitlementsDiffer, "the XML and the DER entitlements do not say the same"))
            }
        } else {
            source = xml == nil ? .none : .xml
            values = fromXML ?? [:]
            agree = nil
        }
        self.problems = problems
    }

    private static func read(xml: [UInt8]) throws(CodeProblem) -> [String: PropertyListValue] {
        let limit = CodeIdentityLimits.entitlementsBytes
        guard xml.count <= limit.value else { throw .beyond(limit, "bytes of XML entitlements") }
        if xml.isEmpty { return [:] }
        guard let values = try PropertyList.readXML(xml).dictionary else {
            throw CodeProblem(.entitlementsXML, "the XML entitlements are no dictionary")
        }
        return values
    }

    /// How foreign code may run as a program with these flags and entitlements, in the order of `InjectionPath`.
    ///
    /// What the files say: whether the kernel holds the process to it, only the running process tells. An entitlement
    /// counts unless it is false, as Apple's own checks may be less strict than ours.
    public static func injectionPaths(
        flags: CodeSignatureFlags, entitlements: [String: PropertyListValue]
    ) -> [InjectionPath] {
        var paths = Set(
            relaxations.filter { name, _ in entitlements[name].map { $0 != .boolean(false) } ?? false }.map(\.1))
        if flags.isDisjoint(with: [.runtime, .libraryValidation]) { paths.insert(.notHardened) }
        return InjectionPath.allCases.filter(paths.contains)
    }

    private static let relaxations: [(String, InjectionPath)] = [
        ("com.apple.security.cs.disable-library-validation", .libraryValidationOff),
        // Lets a process of Apple's turn it off while it runs (`CS_OPS_CLEAR_LV`, xnu).
        ("com.apple.private.security.clear-library-validation", .libraryValidationOff),
        ("com.apple.security.cs.allow-dyld-environment-variables", .dyldEnvironment),
        ("com.apple.security.get-task-allow", .getTaskAllow),
        ("get-task-allow", .getTaskAllow),
        ("com.apple.security.cs.allow-unsigned-executable-memory", .unsignedExecutableMemory),
        ("com.apple.security.cs.disable-executable-page-protection", .pageProtectionOff),
    ]
}
