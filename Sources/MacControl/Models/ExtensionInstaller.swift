// SPDX-License-Identifier: Apache-2.0

// The seam over requests to the system to install, replace and remove the extension.

/// The extension as the system knows it: one for each version that is there.
public struct InstalledExtension: Hashable, Sendable {
    /// `CFBundleVersion`.
    public var build: String
    public var isEnabled: Bool
    public var isAwaitingApproval: Bool
    /// It goes away when the machine restarts.
    public var isUninstalling: Bool

    public init(build: String, isEnabled: Bool, isAwaitingApproval: Bool = false, isUninstalling: Bool = false) {
        self.build = build
        self.isEnabled = isEnabled
        self.isAwaitingApproval = isAwaitingApproval
        self.isUninstalling = isUninstalling
    }
}

/// How a request to the system ended.
public enum InstallOutcome: Hashable, Sendable {
    case completed
    case afterRestart
}

/// Why the system did not do it (SystemExtensions, `OSSystemExtensionError`).
public struct InstallFailure: Error, Hashable, Sendable {
    public enum Code: Int, Sendable, CaseIterable {
        case unknown = 1
        case missingEntitlement
        case unsupportedParentBundleLocation
        case extensionNotFound
        case extensionMissingIdentifier
        case duplicateExtensionIdentifier
        case unknownExtensionCategory
        case codeSignatureInvalid
        case validationFailed
        case forbiddenBySystemPolicy
        case requestCanceled
        case requestSuperseded
        case authorizationRequired
    }

    /// The number of the system's error, known here or not.
    public let number: Int
    public var code: Code { Code(rawValue: number) ?? .unknown }

    public init(number: Int) { self.number = number }
    public init(_ code: Code) { number = code.rawValue }

    /// What happened and what to do.
    public var words: String {
        switch code {
        case .unknown: "The system gave no reason (error \(number)). Restart the Mac and try again."
        case .missingEntitlement: "This copy of the app may not install extensions. Install the released app."
        case .unsupportedParentBundleLocation: "Move the app into the Applications folder and open it there."
        case .extensionNotFound: "The extension is missing from the app. Install the app again."
        case .extensionMissingIdentifier, .duplicateExtensionIdentifier, .unknownExtensionCategory:
            "The extension in this app is not built as the system wants it (error \(number)). Install another version."
        case .codeSignatureInvalid: "The signature of the extension is broken. Install the app again."
        case .validationFailed: "The system does not accept the extension as it is. Install the app again."
        case .forbiddenBySystemPolicy: "Your organisation does not allow this extension. Ask its administrators."
        case .requestCanceled: "The request was cancelled."
        case .requestSuperseded: "A later request took the place of this one."
        case .authorizationRequired: "An administrator has to agree. Try again and give a name and password."
        }
    }
}

/// Asks the system to install, replace and remove the extension.
public protocol ExtensionInstaller: Sendable {
    /// Installs the extension of this app, or puts it in place of an older one.
    ///
    /// Waits until the user has approved it, which may be never; `awaitsApproval` is called when that begins.
    func activate(awaitsApproval: @escaping @Sendable () -> Void) async throws(InstallFailure) -> InstallOutcome
    func deactivate() async throws(InstallFailure) -> InstallOutcome
    /// What is there now.
    func installed() async throws(InstallFailure) -> [InstalledExtension]
}

/// What to do about an extension that is there already.
public enum Replacement: Hashable, Sendable {
    case replace
    /// What is there is newer: an old copy of the app was opened.
    case keep

    /// Compares builds part by part, as numbers where both parts are; the same build is replaced, so that it can mend.
    public static func decide(existing: String, new: String) -> Replacement {
        let (old, new) = (existing.split(separator: "."), new.split(separator: "."))
        for place in 0..<max(old.count, new.count) {
            let a = place < old.count ? String(old[place]) : "0"
            let b = place < new.count ? String(new[place]) : "0"
            if let x = UInt64(a), let y = UInt64(b) {
                if x != y { return x < y ? .replace : .keep }
            } else if a != b {
                return a < b ? .replace : .keep
            }
        }
        return .replace
    }
}
