// SPDX-License-Identifier: Apache-2.0

// An inventory as a file: lines of JSON, the header first, then services, programs, and a last line that counts them.

package import CodeIdentity
internal import FlowModel
internal import Foundation

#if canImport(Glibc)
internal import Glibc
#elseif canImport(Darwin)
internal import Darwin
#endif

package enum InventoryFile {
    /// One line: exactly one of the four.
    private struct Line: Codable {
        var inventory: InventoryHeader?
        var service: InventoryService?
        var program: InventoryProgram?
        var end: End?
    }

    /// What tells a whole file from one that was cut.
    private struct End: Codable, Equatable {
        var services: Int
        var programs: Int
    }

    /// What a later version may not change.
    private struct VersionLine: Decodable {
        struct Header: Decodable { let version: Int }
        let inventory: Header
    }

    // MARK: Writing

    /// Gives the lines, without their line feeds.
    package static func write(_ inventory: Inventory, _ give: (String) throws -> Void) throws {
        try give(JSONLine.text(Line(inventory: inventory.header)))
        for service in inventory.services { try give(JSONLine.text(Line(service: service))) }
        for program in inventory.programs { try give(JSONLine.text(Line(program: program))) }
        let end = End(services: inventory.services.count, programs: inventory.programs.count)
        try give(JSONLine.text(Line(end: end)))
    }

    /// Writes a file that is there whole or not at all.
    package static func write(_ inventory: Inventory, to path: String) throws {
        // A device would be replaced, which nobody wants of /dev/null.
        if case .failure(let problem) = Result(catching: { () throws(CodeProblem) in try FileBytes(path: path) }),
            problem.code == .notRegularFile
        {
            throw Problem.refused("\(path): no regular file; without --output the inventory goes to standard output")
        }
        let draft = "\(path).\(getpid())"
        do {
            guard FileManager.default.createFile(atPath: draft, contents: nil),
                let file = FileHandle(forWritingAtPath: draft)
            else { throw CocoaError(.fileWriteUnknown) }
            var buffer = Data()
            try write(inventory) { line in
                buffer.append(contentsOf: line.utf8)
                buffer.append(0x0a)
                guard buffer.count >= 1 << 20 else { return }
                try file.write(contentsOf: buffer)
                buffer.removeAll(keepingCapacity: true)
            }
            try file.write(contentsOf: buffer)
            try file.synchronize()
            try file.close()
            guard rename(draft, path) == 0 else { throw CocoaError(.fileWriteUnknown) }
        } catch {
            unlink(draft)
            throw Problem.refused("\(path): cannot be written; check the folder, its permissions and the space left")
        }
    }

    // MARK: Reading

    /// Reads a file; every error names the line.
    package static func read(_ path: String) throws -> Inventory {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY)
        guard descriptor >= 0 else { throw Problem.refused("\(path): \(String(cString: strerror(errno)))") }
        defer { close(descriptor) }
        var lines = InputLines(descriptor: descriptor, limit: CodeIdentityLimits.inventoryLine)
        var inventory: Inventory?
        var number = 0
        while let next = lines.next() {
            number += 1
            func refused(_ text: String) -> Problem { .refused("\(path):\(number): \(text)".terminalSafe) }
            let bytes: [UInt8]
            switch next {
            case .success(let line): bytes = line
            case .failure(let problem): throw refused(problem.text)
            }
            guard inventory != nil else {
                inventory = Inventory(header: try header(bytes, refused))
                continue
            }
            let line: Line
            do {
                line = try JSONDecoder().decode(Line.self, from: Data(bytes))
            } catch {
                throw refused(reason(error))
            }
            switch (line.service, line.program, line.end, line.inventory) {
            case (let service?, nil, nil, nil): inventory?.services.append(service)
            case (nil, let program?, nil, nil): inventory?.programs.append(program)
            case (nil, nil, let end?, nil):
                guard end == inventory.map({ End(services: $0.services.count, programs: $0.programs.count) }) else {
                    throw refused("there are other lines than the end counts: the file was cut or changed")
                }
                guard lines.next() == nil else { throw refused("there are lines after the end") }
                if let inventory { return inventory }
            default: throw refused("neither a service nor a program nor the end of an inventory")
            }
            if (inventory?.services.count ?? 0) > CodeIdentityLimits.inventoryServices.value
                || (inventory?.programs.count ?? 0) > CodeIdentityLimits.inventoryPrograms.value
            {
                throw refused("more services or programs than an inventory has")
            }
        }
        throw Problem.refused(
            number == 0
                ? "\(path): empty; an inventory comes from `weir inventory take --output FILE`"
                : "\(path): the end is missing after line \(number): the file was cut")
    }

    private static func header(_ bytes: [UInt8], _ refused: (String) -> Problem) throws -> InventoryHeader {
        do {
            let version = try JSONDecoder().decode(VersionLine.self, from: Data(bytes)).inventory.version
            guard version == InventoryHeader.currentVersion else {
                throw refused("version \(version) of an inventory; this weir reads \(InventoryHeader.currentVersion)")
            }
            let line = try JSONDecoder().decode(Line.self, from: Data(bytes))
            if let header = line.inventory { return header }
        } catch let problem as Problem {
            throw problem
        } catch {}
        throw refused("no inventory: the first line has to be its header, as `weir inventory take` writes it")
    }

    private static func reason(_ error: any Error) -> String {
        func place(_ path: [any CodingKey]) -> String { path.map(\.stringValue).joined(separator: ".") }
        switch error as? DecodingError {
        case .keyNotFound(let key, let context): return "there is no \(place(context.codingPath + [key]))"
        case .typeMismatch(_, let context), .valueNotFound(_, let context):
            return "\(place(context.codingPath)) is of another type"
        case .dataCorrupted(let context) where !context.codingPath.isEmpty:
            return "\(place(context.codingPath)): \(context.debugDescription)"
        default: return "no line of JSON"
        }
    }
}
