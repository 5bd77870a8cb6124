// SPDX-License-Identifier: Apache-2.0

// The numbers that bound an inventory.

public import FlowModel

extension CodeIdentityLimits {
    public static let elfSegments = Limit(
        "inventory.elf-segments", 1_170, .count, metric: "limit_elf_segments_total",
        "Program headers of an ELF file: as many as Linux starts (64 KiB); real ones have about 13. More are a problem."
    )
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
        "inventory.depth", 63, .count, metric: "limit_inventory_depth_total",
        "Folders below each other, one less than a path may have; deeper ones are named as not searched.")
    public static let inventoryServices = Limit(
        "inventory.services", 50_000, .count, metric: "limit_inventory_services_total",
        "Services in one inventory; a Mac has about 1,000 jobs. Beyond it the inventory says it is cut.")
    public static let inventoryServicePrograms = Limit(
        "inventory.service-programs", 64, .count, metric: "limit_inventory_service_programs_total",
        "Programs of one service; real ones have up to ten. Beyond it the service says that there are more.")
    public static let inventoryDefinitionBytes = Limit(
        "inventory.definition", 1024 * 1024, .bytes, metric: "limit_inventory_definition_total",
        "A unit file, a drop-in or a launchd job; real ones have some KiB. A longer one is named as not read.")
    public static let inventoryProblems = Limit(
        "inventory.problems", 8, .count, metric: "limit_inventory_problems_total",
        "Problems told of one program or service; the first already keeps it out of the OS class.")
    public static let inventoryText = Limit(
        "inventory.text", 4096, .bytes, metric: "limit_inventory_text_total",
        "A name, identifier or requirement in an inventory; real ones have about 100 bytes. A longer one is a problem.")
    public static let inventoryLine = Limit(
        "inventory.line", 16 * 1024 * 1024, .bytes, metric: "limit_inventory_line_total",
        "A line of an inventory file; real ones have some KiB, and a shell that starts every service the most.")

    static let inventory: [Limit] = [
        elfSegments, elfSegmentBytes, inventoryPrograms, inventoryFiles, inventoryDepth, inventoryServices,
        inventoryServicePrograms, inventoryDefinitionBytes, inventoryProblems, inventoryText, inventoryLine,
    ]
}
