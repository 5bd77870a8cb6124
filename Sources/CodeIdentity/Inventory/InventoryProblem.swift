// SPDX-License-Identifier: Apache-2.0

// What can go wrong while an inventory is taken.

extension CodeProblem.Code {
    /// Who asked for the inventory does not want it any more.
    public static let inventoryCancelled = Self("inventory-cancelled")
    /// An ELF file whose headers contradict themselves or our bounds: the kernel may start it all the same.
    public static let elfMalformed = Self("elf-malformed")
}
