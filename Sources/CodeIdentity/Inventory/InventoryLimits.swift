// SPDX-License-Identifier: Apache-2.0

// The numbers that bound an inventory.

public import FlowModel

extension CodeIdentityLimits {
    public static let elfSegments = Limit(
        "inventory.elf-segments", 1_024, .count, metric: "limit_elf_segments_total",
        "Program headers of an ELF file; real ones have about 13. A file with more is no program to an inventory.")
    public static let elfSegmentBytes = Limit(
        "inventory.elf-segment", 65_536, .bytes, metric: "limit_elf_segment_total",
        "The loader's name or the dynamic section of an ELF file; real ones have some hundred bytes.")
    public static let inventoryPrograms = Limit(
        "inventory.programs", 500_000, .count, metric: "limit_inventory_programs_total",
        "Programs in one inventory, about 400 bytes each; a full system has some thousand. Beyond it the inventory says it is cut."
    )
    public static let inventoryFiles = Limit(
        "inventory.files", 20_000_000, .count, metric: "limit_inventory_files_total",
        "Files looked at in one inventory; beyond it the inventory says it is cut.")
    public static let inventoryDepth = Limit(
        "inventory.depth", 64, .count, metric: "limit_inventory_depth_total",
        "Folders below each other; deeper ones are named as not searched.")
    public static let inventoryServices = Limit(
        "inventory.services", 50_000, .count, metric: "limit_inventory_services_total",
        "Services in one inventory; a Mac has about 1,000 jobs. Beyond it the inventory says it is cut.")

    static let inventory: [Limit] = [
        elfSegments, elfSegmentBytes, inventoryPrograms, inventoryFiles, inventoryDepth, inventoryServices,
    ]
}
