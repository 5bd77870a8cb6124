// SPDX-License-Identifier: Apache-2.0

// What the system itself runs: the inventory that an administrator took, when it is of this very build.

internal import CodeIdentity
internal import EngineAssembly
internal import FlowModel
internal import Foundation

/// The programs of the system, or why they are not known.
///
/// Without them a program of the system is `platform-unresolved`, which the policy has a verdict for.
struct OSInventory: Sendable {
    var programs: OSProgramSet?
    /// Nil when they are known.
    var problem: Reason?

    /// Reads the inventory of the state directory; a whole one takes a second.
    ///
    /// `release` is what the running system calls itself. An inventory of another build is as good as none: a program may
    /// have come, or serve somebody else now.
    static func read(in state: String, release: String) -> OSInventory {
        let path = state + "/inventory.jsonl"
        guard FileManager.default.fileExists(atPath: path) else {
            return refused("inventory-missing", "\(path): take one with `weir inventory take --output`")
        }
        do {
            let inventory = try InventoryFile.read(path)
            guard inventory.header.system == release else {
                return refused("inventory-stale", "it is of \(inventory.header.system), and this is \(release)")
            }
            guard inventory.header.folders.contains("/System") else {
                return refused("inventory-partial", "it is of some folders: take one without naming any")
            }
            return OSInventory(programs: OSProgramSet(inventory))
        } catch {
            return refused("inventory-unreadable", (error as? Problem)?.text ?? "\(error)")
        }
    }

    private static func refused(_ code: String, _ detail: String) -> OSInventory {
        OSInventory(problem: Reason(code, detail))
    }
}
