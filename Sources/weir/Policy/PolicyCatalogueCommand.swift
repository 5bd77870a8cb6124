// SPDX-License-Identifier: Apache-2.0

// weir policy catalogue: what ships as data, with its evidence, and how it stands to a system.

import ArgumentParser
import CodeIdentity
import EngineAssembly
import FlowPolicy

struct PolicyCatalogueCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "catalogue", abstract: "List what Weir knows of protocols, programs and hosts.",
        subcommands: [List.self, Verify.self], defaultSubcommand: List.self)

    struct List: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Print a catalogue, `never` and `open-ports` among them; without a name, which there are.")

        @Argument(help: "The name of a catalogue.") var name: String?
        @Option(help: "text or json.") var format = OutputFormat.text

        func run() throws {
            let catalogues = Catalogues.shipped
            guard let name else { return try printNames(catalogues) }
            guard let listing = catalogues.listing(of: name) else {
                throw Problem.refused("\(name): no such catalogue; `weir policy catalogue` lists all")
            }
            try PolicyCatalogueCommand.print(listing, format)
        }

        private func printNames(_ catalogues: Catalogues) throws {
            var output = StandardOutput()
            let purposes = Dictionary(catalogues.descriptions.map { ($0.name, $0.about) }) { first, _ in first }
            for name in catalogues.listingNames {
                switch format {
                case .text: try output.line(purposes[name].map { "\(name): \($0)" } ?? name)
                case .json: try output.line(JSONLine.text(["catalogue": name, "purpose": purposes[name] ?? ""]))
                }
            }
            try output.flush()
        }
    }

    struct Verify: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Mark each program row confirmed, absent or contradicted by an inventory.")

        @Option(help: "What `weir inventory take` wrote.") var inventory: String
        @Option(help: "text or json.") var format = OutputFormat.text

        func run() throws {
            let inventory = try InventoryFile.read(inventory)
            try PolicyCatalogueCommand.print(Catalogues.shipped.verify(against: inventory).listing, format)
        }
    }

    private static func print(_ listing: CatalogueListing, _ format: OutputFormat) throws {
        var output = StandardOutput()
        switch format {
        case .text: try output.line(listing.text)
        case .json: for line in listing.jsonLines { try output.line(line) }
        }
        try output.flush()
    }
}
