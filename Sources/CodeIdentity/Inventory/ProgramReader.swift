// SPDX-License-Identifier: Apache-2.0

// Tells whether a file is a program, and who it is.

import FlowModel

struct ProgramReader: Sendable {
    let files: VouchedTree
    let examiner: CodeExaminer

    // Of `mach-o/loader.h`: what the kernel starts, and what it starts in its place.
    private static let executable: UInt32 = 2
    private static let dynamicLinker: UInt32 = 7

    /// Reads the program at a path of the tree, which has no links; nil for anything else.
    ///
    /// Without an execute bit only a Mach-O file is one. Throws when the file cannot be read, so that nobody knows what
    /// it is.
    func read(_ path: String, isExecutable: Bool) throws(CodeProblem) -> InventoryProgram? {
        let source = try files.tree.open(path)
        let magic = try source.read(at: 0, count: Int(min(source.count, 4)))
        var program: InventoryProgram
        if isExecutable, magic.starts(with: "#!".utf8) {
            program = InventoryProgram(path: "/" + path, kind: .script, size: source.count)
            program.interpreter = try Self.interpreter(source)
        } else if isExecutable, magic == ELFHeader.magic {
            guard let elf = Self.elf(source, path) else { return nil }
            program = elf
        } else if MachOMagic(magic) != nil {
            let slices = try MachOFile.read(source).slices
            guard slices.contains(where: { [Self.executable, Self.dynamicLinker].contains($0.fileType) }) else {
                return nil
            }
            program = machO(source, path)
        } else {
            return nil
        }
        let voucher = files.vouch(for: source, at: path)
        program.package = voucher.claim.map(InventoryProgram.Package.init)
        program.rootOwned = voucher.isRootOwned
        program.sha256 = voucher.sha256.map(Hexadecimal.text)
        program.role = ProgramRoles.known(path: program.path, package: voucher.claim?.package)?.role ?? .ordinary
        if voucher.sha256 == nil {
            VouchedTree.note(CodeProblem(.unreadable, "it could not be hashed"), &program.problems)
        }
        if let file = source as? FileBytes {
            program.changesUser = file.changesUser
            if !file.isUnchanged {
                VouchedTree.note(CodeProblem(.changed, "it was written while it was read"), &program.problems)
            }
        }
        return program
    }

    // MARK: ELF

    private static func elf(_ source: any ByteSource, _ path: String) -> InventoryProgram? {
        var program = InventoryProgram(path: "/" + path, kind: .elf, size: source.count)
        if let header = ELFHeader.read(source) {
            // The dynamic loader is a library that is started: it names no loader.
            guard header.isProgram || ProgramRoles.known(path: path, package: nil)?.role == .loader else { return nil }
            program.interpreter = header.interpreter
        } else {
            let problem = CodeProblem(.elfMalformed, "its headers lie outside of it, or beyond our bounds")
            program.problems = ["\(problem)"]
        }
        return program
    }

    // MARK: Scripts

    /// The program that the first line names; for `env` also what that is to look up.
    private static func interpreter(_ source: any ByteSource) throws(CodeProblem) -> String? {
        // The kernel looks at no more (BINPRM_BUF_SIZE).
        let head = try source.read(at: 0, count: Int(min(source.count, 256)))
        let line = String(decoding: head.dropFirst(2).prefix { $0 != 0x0a && $0 != 0 }, as: UTF8.self)
        let words = line.split { " \t\r".contains($0) }.map(String.init)
        guard let program = words.first else { return nil }
        guard AbsolutePath.lastComponent(of: program) == "env",
            let name = words.dropFirst().first(where: { !$0.hasPrefix("-") && !$0.contains("=") })
        else { return program }
        return "\(program) \(name)"
    }

    // MARK: Mach-O

    private func machO(_ source: any ByteSource, _ path: String) -> InventoryProgram {
        var program = InventoryProgram(path: "/" + path, kind: .machO, size: source.count)
        do throws(CodeProblem) {
            let report = try examiner.examine(source, bundle: try CodeBundle.enclosing(path, in: files.tree))
            for problem in report.problems + report.slices.flatMap(\.problems) {
                VouchedTree.note(problem, &program.problems)
            }
            program.slices = report.slices.map { Self.slice($0, &program.problems) }
        } catch {
            VouchedTree.note(error, &program.problems)
        }
        return program
    }

    private static func slice(_ report: SliceReport, _ problems: inout [String]) -> InventoryProgram.Slice {
        func bounded(_ value: String?) -> String? {
            guard let (text, isCut) = value?.boundedForInventory else { return nil }
            if isCut { VouchedTree.note(.beyond(CodeIdentityLimits.inventoryText, "bytes of text"), &problems) }
            return text
        }
        return InventoryProgram.Slice(
            arch: report.slice.architecture.description, signing: report.signing.rawValue,
            identifier: bounded(report.claimed?.identifierText), team: bounded(report.claimed?.teamText),
            cdhash: report.claimed?.cdhash.description, signer: report.verified?.signer?.rawValue,
            designated: bounded(report.designated.flatMap { try? Requirement($0.expression).text }))
    }
}
