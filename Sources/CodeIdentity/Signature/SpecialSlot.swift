// SPDX-License-Identifier: Apache-2.0

// What a code directory seals besides pages, and whether it is what stands there.

/// The special slots of a code directory (`codedirectory.h`).
public enum SpecialSlot: UInt32, Sendable, Hashable, CaseIterable {
    case infoPlist = 1
    case requirements = 2
    case codeResources = 3
    case topDirectory = 4
    case entitlements = 5
    /// Of the kind of file: the header of a disk image.
    case repSpecific = 6
    case derEntitlements = 7
    case launchConstraintSelf = 8
    case launchConstraintParent = 9
    case launchConstraintResponsible = 10
    case libraryConstraint = 11

    /// The magic number of the blob in the signature whose hash the slot holds; nil when it is of something else.
    var blobMagic: UInt32? {
        switch self {
        case .requirements: BlobMagic.requirementSet
        case .entitlements: BlobMagic.entitlements
        case .derEntitlements: BlobMagic.derEntitlements
        case .launchConstraintSelf, .launchConstraintParent, .launchConstraintResponsible, .libraryConstraint:
            BlobMagic.launchConstraint
        case .infoPlist, .codeResources, .topDirectory, .repSpecific: nil
        }
    }
}

/// Whether a component is the one that was signed.
public enum SlotOutcome: String, Sendable, Hashable {
    case ok
    /// The component is another.
    case mismatch
    /// A hash stands for a component that is not there.
    case missing
    /// No hash: a component that stands there all the same counts as not there.
    case absent
    /// Nobody read the component.
    case notChecked = "not-checked"
}

/// A component that lies outside the signature.
public enum SlotComponent: Sendable {
    case bytes([UInt8])
    /// It was looked for and is not there.
    case none
    case notRead
}

/// The components that lie outside the signature.
public struct ExternalComponents: Sendable {
    /// The bundle's `Info.plist`, or the section of a bare tool (`MachOSlice.readInfoPlist`).
    public var infoPlist: SlotComponent
    /// `_CodeSignature/CodeResources`.
    public var codeResources: SlotComponent
    public var repSpecific: SlotComponent

    public init(
        infoPlist: SlotComponent = .notRead, codeResources: SlotComponent = .notRead,
        repSpecific: SlotComponent = .notRead
    ) {
        self.infoPlist = infoPlist
        self.codeResources = codeResources
        self.repSpecific = repSpecific
    }
}

extension EmbeddedSignature {
    /// The outcome for every special slot, by the hashes of one directory.
    ///
    /// Slots above 11 have no meaning and are ignored, as Apple's user space does.
    public func slotOutcomes(
        _ directory: CodeDirectory, _ external: ExternalComponents = .init()
    ) -> [SpecialSlot: SlotOutcome] {
        var outcomes: [SpecialSlot: SlotOutcome] = [:]
        for slot in SpecialSlot.allCases { outcomes[slot] = outcome(slot, directory, external) }
        return outcomes
    }

    /// The slots whose component is missing or another, by any directory; sorted.
    ///
    /// Empty does not mean that all were checked: that depends on `external`.
    public func brokenSlots(_ external: ExternalComponents = .init()) -> [SpecialSlot] {
        SpecialSlot.allCases.filter { slot in
            directories.contains { [.mismatch, .missing].contains(outcome(slot, $0, external)) }
        }
    }

    private func outcome(
        _ slot: SpecialSlot, _ directory: CodeDirectory, _ external: ExternalComponents
    ) -> SlotOutcome {
        guard let hash = directory.specialHash(Int(slot.rawValue)) else { return .absent }
        let component: SlotComponent =
            switch slot {
            case .infoPlist: external.infoPlist
            case .codeResources: external.codeResources
            case .repSpecific: external.repSpecific
            // It has no magic number of its own and stands in a wrapper, whose header is not hashed.
            case .topDirectory: found(superBlob.payload(slot.rawValue, magic: BlobMagic.wrapper))
            default: found(superBlob.blob(slot.rawValue))
            }
        switch component {
        case .notRead: return .notChecked
        case .none: return .missing
        case .bytes(let bytes):
            let same = directory.hashType.slotDigest(bytes[...]) == hash
            if slot == .topDirectory, bytes != expectedTopDirectory(directory) { return .mismatch }
            return same ? .ok : .mismatch
        }
    }

    private func found(_ bytes: ArraySlice<UInt8>?) -> SlotComponent { bytes.map { .bytes(Array($0)) } ?? .none }

    /// What slot 4 must hold: the numbers of all slots there are, in this order (`validateTopDirectory`).
    private func expectedTopDirectory(_ directory: CodeDirectory) -> [UInt8] {
        let special = SpecialSlot.allCases.map(\.rawValue).filter { directory.specialHash(Int($0)) != nil }
        let alternates = directories.map(\.slot).filter { $0 != 0 }
        return ([0] + special + alternates + [Self.cmsSlot]).flatMap { number in
            [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: number >> $0) }
        }
    }
}
