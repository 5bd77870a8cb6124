// SPDX-License-Identifier: Apache-2.0

// From an inventory of a system to the programs that the system itself runs.

extension OSProgramSet {
    /// The signed programs of the OS class in an inventory, by hash and by identifier.
    ///
    /// An identifier that a program outside of the class has as well names neither.
    public init(_ inventory: Inventory) {
        self.init()
        var others: Set<String> = []
        for program in inventory.programs where program.kind == .machO {
            let identifiers = program.slices.compactMap(\.identifier)
            guard program.isOSProgram else {
                others.formUnion(identifiers)
                continue
            }
            self.identifiers.formUnion(identifiers)
            cdhashes.formUnion(program.slices.compactMap { $0.cdhash.flatMap { CDHash(hex: $0) } })
        }
        identifiers.subtract(others)
    }
}
