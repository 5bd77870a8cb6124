// SPDX-License-Identifier: Apache-2.0

// From what a policy says of privacy to what the event store obeys.

package import EventStore
package import FlowPolicy

extension EventPrivacy {
    /// What `settings` ask for, with the pseudonyms of the installation whose state is in `directory`.
    package init(_ settings: PolicySettings.Privacy, state directory: String) throws {
        switch settings.users {
        case .name: self.init(users: .names, keepDays: settings.retainDays)
        case .pseudonym:
            self.init(
                users: .pseudonyms(try InstallationKeyFile.users(in: directory)), keepDays: settings.retainDays)
        }
    }
}
