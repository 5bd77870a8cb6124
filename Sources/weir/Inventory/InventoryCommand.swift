// SPDX-License-Identifier: Apache-2.0

// weir inventory: what does a system run, and what has changed?

import ArgumentParser
import CodeIdentity
import EngineAssembly
import Foundation

struct InventoryCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "inventory", abstract: "Record what a system runs, and compare two records.",
        subcommands: [Take.self, Diff.self])

    struct Take: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Record the programs of a system, who they are, and which services run them.",
            discussion: """
                Without a DIR the folders are searched where systems keep programs. Files of other users that cannot be \
                read are named in the record: for a whole one run it as root.
                """)

        @Argument(help: "Folders to search; with --root, as seen from there.") var folders: [String] = []
        @Option(help: "The root of the system: a mounted volume or a folder.") var root = "/"
        @Option(help: "Write the record to this file, whole or not at all.") var output: String?
        @Option(help: "text: a summary; json: the record, which `diff` reads.") var format = OutputFormat.text

        func run() throws {
            let inventory: Inventory
            var line = ProgressLine()
            do throws(CodeProblem) {
                let taker = try InventoryTaker(root: root, now: Int64(Date().timeIntervalSince1970))
                inventory = try taker.take(folders: absoluteFolders) { progress in
                    line.draw(progress)
                    return true
                }
                line.clear()
            } catch {
                line.clear()
                throw Problem.refused(error.description.terminalSafe)
            }
            if let output { try InventoryFile.write(inventory, to: output) }
            var standard = StandardOutput()
            switch format {
            case .text: for line in InventoryPrinter.summary(inventory) { try standard.line(line) }
            case .json where output == nil: try InventoryFile.write(inventory) { try standard.line($0) }
            case .json: break
            }
            try standard.flush()
        }

        private var absoluteFolders: [String] {
            let here = root == "/" ? FileManager.default.currentDirectoryPath : ""
            return folders.map { $0.hasPrefix("/") ? $0 : "\(here)/\($0)" }
        }
    }

    struct Diff: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Say what appeared, vanished, moved or changed between two records.",
            discussion: "Exit status: 0 no differences, 1 differences, or a file that cannot be read.")

        @Argument(help: "The earlier record.") var old: String
        @Argument(help: "The later record.") var new: String
        @Option(help: "text, or json: one line for each difference.") var format = OutputFormat.text

        func run() throws {
            let (before, after) = (try InventoryFile.read(old), try InventoryFile.read(new))
            let changes = InventoryChange.between(before, and: after)
            var standard = StandardOutput()
            switch format {
            case .text: for line in InventoryPrinter.changes(changes, before, after) { try standard.line(line) }
            case .json: for change in changes { try standard.line(JSONLine.text(change)) }
            }
            try standard.flush()
            if !changes.isEmpty { throw ExitCode(1) }
        }
    }
}
