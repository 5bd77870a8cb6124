// SPDX-License-Identifier: Apache-2.0

// The extensions by which Apple marks what a certificate is for.

/// Apple's marker extensions under 1.2.840.113635.100.6, as DER content octets.
///
/// A marker says something only in a chain that ends at an Apple root: anybody can write one into a certificate of
/// their own. Source: Apple PKI certification practice statements and `oidsalg.c` of Security.
public enum AppleMarkers {
    /// 1.2.840.113635.100.6: known wherever they stand, also when critical.
    public static let arc = ObjectIdentifiers.apple + [6]
    private static let leaf = arc + [1]
    private static let intermediate = arc + [2]

    // Leaves: 6.1.N.
    public static let appleSigning = leaf + [1]
    public static let appleDevelopment = leaf + [2]
    public static let iOSAppStore = leaf + [3]
    public static let appleDistribution = leaf + [4]
    public static let macAppDistribution = leaf + [7]
    public static let macInstallerSubmission = leaf + [8]
    public static let macAppStore = leaf + [9]
    public static let macAppStoreInstaller = leaf + [10]
    public static let macDevelopment = leaf + [12]
    public static let developerIDApplication = leaf + [13]
    public static let developerIDInstaller = leaf + [14]
    public static let developerIDKernel = leaf + [18]
    public static let tvOSAppStore = leaf + [24]
    public static let testFlight = leaf + [25, 1]
    /// Its value is the date of the Developer ID.
    public static let developerIDDate = leaf + [33]
    /// 6.22: the leaf of Apple's own macOS software.
    public static let macOSSoftwareSigning = arc + [22]

    // Intermediates: 6.2.N.
    public static let worldwideDeveloperRelations = intermediate + [1]
    public static let developerIDAuthority = intermediate + [6]
    public static let timestampAuthority = intermediate + [9]
    public static let worldwideDeveloperRelationsG2 = intermediate + [15]
    public static let softwareUpdate = intermediate + [19]
    public static let codeSigningAuthorityG2 = intermediate + [20]

    /// What reports call the markers.
    public static let names: [[UInt8]: String] = [
        appleSigning: "Apple signing", appleDevelopment: "Apple development", iOSAppStore: "iOS App Store",
        appleDistribution: "Apple distribution", macAppDistribution: "Mac app distribution",
        macInstallerSubmission: "Mac installer submission", macAppStore: "Mac App Store",
        macAppStoreInstaller: "Mac App Store installer", macDevelopment: "Mac development",
        developerIDApplication: "Developer ID application", developerIDInstaller: "Developer ID installer",
        developerIDKernel: "Developer ID kernel", tvOSAppStore: "tvOS App Store", testFlight: "TestFlight",
        developerIDDate: "Developer ID date", macOSSoftwareSigning: "macOS software signing",
        worldwideDeveloperRelations: "Worldwide Developer Relations", developerIDAuthority: "Developer ID authority",
        timestampAuthority: "timestamp authority", worldwideDeveloperRelationsG2: "Worldwide Developer Relations G2",
        softwareUpdate: "software update", codeSigningAuthorityG2: "Apple code signing authority",
    ]
}

/// Who stands behind a verified signature, as far as Apple's markers say.
public enum SignerClass: String, Sendable, Hashable, Codable, CaseIterable {
    /// Apple's own software: what `anchor apple` asks of a chain.
    case apple
    case appStore = "app-store"
    case testFlight = "testflight"
    case developerID = "developer-id"
    case development
    /// A submission to the store or an enterprise's own distribution, not yet signed by Apple.
    case distribution
    /// A certificate that Apple issued for something else.
    case otherApple = "other-apple"
    /// A chain that does not end at an Apple root: self-signed, or an organisation's own.
    case other

    /// The class of a chain, leaf first, whose end is an Apple root or is not.
    ///
    /// Only for a chain that was verified.
    init(chain: [CertificateFacts], anchoredAtApple: Bool) {
        guard anchoredAtApple, let leaf = chain.first else {
            self = .other
            return
        }
        func leafHas(_ markers: [UInt8]...) -> Bool { markers.contains { leaf.extension($0) != nil } }
        func issuerHas(_ marker: [UInt8]) -> Bool { chain.count > 1 && chain[1].extension(marker) != nil }
        let belowRoot = chain.count > 1 ? chain[chain.count - 2] : leaf
        // Requirements read the last attribute of a name.
        if leafHas(AppleMarkers.macOSSoftwareSigning),
            belowRoot.last(ObjectIdentifiers.commonName) == Array("Apple Code Signing Certification Authority".utf8),
            belowRoot.last(ObjectIdentifiers.organization) == Array("Apple Inc.".utf8)
        {
            self = .apple
        } else if leafHas(AppleMarkers.macAppStore, AppleMarkers.iOSAppStore, AppleMarkers.tvOSAppStore) {
            self = .appStore
        } else if leafHas(AppleMarkers.testFlight) {
            self = .testFlight
        } else if issuerHas(AppleMarkers.developerIDAuthority), leafHas(AppleMarkers.developerIDApplication) {
            self = .developerID
        } else if issuerHas(AppleMarkers.worldwideDeveloperRelations),
            leafHas(AppleMarkers.appleDevelopment, AppleMarkers.macDevelopment)
        {
            self = .development
        } else if leafHas(AppleMarkers.macAppDistribution, AppleMarkers.appleDistribution) {
            self = .distribution
        } else {
            self = .otherApple
        }
    }
}
