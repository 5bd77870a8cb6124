// SPDX-License-Identifier: Apache-2.0

// Who administers this Mac, as the directory says.

#if canImport(Darwin)
internal import Darwin

/// The members of the group `admin`, and root.
public struct AdministratorGroup: AdministratorDirectory {
    /// `admin` has this number on every Mac.
    private static let admin: gid_t = 80

    public init() {}

    public func isAdministrator(_ user: UInt32) -> Bool {
        if user == 0 { return true }
        var member = uuid_t(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0)
        var group = member
        var isMember: Int32 = 0
        let failed = withUnsafeMutableBytes(of: &member) { member in
            withUnsafeMutableBytes(of: &group) { group in
                guard let member = member.bindMemory(to: UInt8.self).baseAddress,
                    let group = group.bindMemory(to: UInt8.self).baseAddress
                else { return true }
                return mbr_uid_to_uuid(user, member) != 0 || mbr_gid_to_uuid(Self.admin, group) != 0
                    || mbr_check_membership(member, group, &isMember) != 0
            }
        }
        return !failed && isMember == 1
    }
}
#endif
