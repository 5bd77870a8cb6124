// SPDX-License-Identifier: Apache-2.0

// Every number that bounds the room; each folder keeps its own part.

public import FlowModel

/// The limits of `CodeIdentity`.
public enum CodeIdentityLimits {
    public static let all: [Limit] =
        machO + signature + certificates + requirement + requirementEvaluation + propertyList + entitlements + bundles
        + packages
        + linux + apple + verification + inventory
}

extension Limit {
    /// The limit as a span of time.
    var duration: Duration { unit == .milliseconds ? .milliseconds(value) : .seconds(value) }
}
