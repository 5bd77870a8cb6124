// SPDX-License-Identifier: Apache-2.0

// Finds what a system starts by itself: systemd units, launchd jobs, XPC services.

import FlowModel

/// The services of a tree, as its files define them.
struct InventoryServices {
    private let files: VouchedTree
    private let limit: Int
    private(set) var services: [InventoryService] = []
    private(set) var problems = ProblemList()

    init(_ files: VouchedTree, limit: Int) {
        self.files = files
        self.limit = limit
    }

    // MARK: systemd

    /// Adds the system units that run programs: each name once, as the file in force says it.
    ///
    /// An alias is no service of its own. Of a template the instances are not known, but their program is.
    mutating func addUnits() {
        let units = TreeUnitFiles(files.tree)
        for problem in units.problems { problems.add(problem) }
        let aliases = UnitAliases(in: units)
        var seen: Set<String> = []
        for folder in aliases.folders {
            for name in units.names(in: folder) where name.hasSuffix(".service") && seen.insert(name).inserted {
                guard let unit = UnitName(name) else { continue }
                let path = "\(folder)/\(name)"
                if case .link(let target)? = units.entry(path) {
                    let end = target.split(separator: "/").last.map(String.init)
                    if target != "/dev/null", end != name, end != unit.template { continue }
                }
                add(service(unit, at: path, UnitLookup(unit, in: units, aliases: aliases)))
            }
        }
    }

    private func service(_ unit: UnitName, at path: String, _ lookup: UnitLookup) -> InventoryService {
        var service = InventoryService(kind: .systemd, name: unit.text, file: lookup.file ?? path)
        if lookup.masked {
            service.problems = ["\(CodeProblem(.unitMasked, "the unit is masked and starts nothing"))"]
            return service
        }
        var contents: [[UInt8]] = []
        do throws(CodeProblem) {
            let definition = try files.definition(service.file)
            service.file = definition.path
            service.package = definition.claim.map(InventoryProgram.Package.init)
            contents.append(definition.bytes)
        } catch {
            VouchedTree.note(error, &service.problems)
        }
        // A drop-in is hidden by one of the same name in a stronger place; what remains counts in the order of the names.
        var names: Set<String> = []
        let dropIns = lookup.dropIns.map { (path: $0, name: AbsolutePath.lastComponent(of: $0)) }
            .filter { names.insert($0.name).inserted }
            .sorted { $0.name.utf8.lexicographicallyPrecedes($1.name.utf8) }
        for dropIn in dropIns {
            do throws(CodeProblem) {
                let definition = try files.definition(dropIn.path)
                contents.append(definition.bytes)
                if definition.claim?.verdict != .intact { service.dropIns.append(dropIn.path) }
            } catch {
                // A link to /dev/null, or to nothing, takes a drop-in away: that changes the unit too.
                service.dropIns.append(dropIn.path)
                if error.code != .badPath, error.code != .notFound { VouchedTree.note(error, &service.problems) }
            }
        }
        let commands = SystemdUnit(contents)
        service.problems += commands.problems
        service.programs = files.programs(commands.programs, problems: &service.problems)
        return service
    }

    // MARK: launchd

    private static let jobFolders: [(folder: String, kind: InventoryService.Kind)] =
        [
            "", "/System/Cryptexes/OS", "/System/Cryptexes/App",
        ].flatMap { top in
            [
                ("\(top)/System/Library/LaunchDaemons", .launchDaemon),
                ("\(top)/System/Library/LaunchAgents", .launchAgent),
            ]
        } + [
            // Apple's own that come between releases.
            ("/Library/Apple/System/Library/LaunchDaemons", .launchDaemon),
            ("/Library/Apple/System/Library/LaunchAgents", .launchAgent),
            ("/Library/LaunchDaemons", .launchDaemon), ("/Library/LaunchAgents", .launchAgent),
        ]

    /// Adds the launchd jobs of the system and of its administrator; users' own are not looked for.
    mutating func addJobs() {
        for (folder, kind) in Self.jobFolders {
            do throws(CodeProblem) {
                guard let place = try LinkedPath.resolve(folder, in: files.tree), try files.tree.kind(place) == .folder
                else { continue }
                let names = try files.tree.list(place).map(\.name).filter { $0.hasSuffix(".plist") }
                for name in names.sorted(by: { $0.utf8.lexicographicallyPrecedes($1.utf8) }) {
                    addJob("/\(place)/\(name)", kind)
                }
            } catch {
                problems.add(CodeProblem(error.code, "\(folder): \(error.detail)"))
            }
        }
    }

    private mutating func addJob(_ path: String, _ kind: InventoryService.Kind) {
        do throws(CodeProblem) {
            let definition = try files.definition(path)
            guard let job = LaunchdJob(try PropertyList.read(definition.bytes)) else {
                throw CodeProblem(.propertyListValue, "there is no Label")
            }
            let (name, isCut) = job.label.boundedForInventory
            var service = InventoryService(kind: kind, name: name, file: definition.path)
            if isCut {
                VouchedTree.note(.beyond(CodeIdentityLimits.inventoryText, "bytes of label"), &service.problems)
            }
            service.programs = files.programs(job.program.map { [$0] } ?? [], problems: &service.problems)
            add(service)
        } catch {
            problems.add(CodeProblem(error.code, at: error.offset, "\(path): \(error.detail)"))
        }
    }

    // MARK: XPC

    /// Adds the XPC service in a folder of the tree, if it is one.
    mutating func addXPCService(_ folder: String) {
        do throws(CodeProblem) {
            let bundle = try CodeBundle(folder, in: files.tree)
            guard bundle.info["CFBundlePackageType"]?.string == "XPC!" else {
                // Of a bundle that cannot be read nobody can say that it is none.
                if let problem = bundle.problems.first { throw problem }
                return
            }
            let (name, isCut) = (bundle.identifier ?? TreePath.split(folder, omitEmpty: true).last ?? "")
                .boundedForInventory
            var service = InventoryService(
                kind: .xpcService, name: name, file: "/" + folder,
                programs: bundle.executable.map { ["/" + $0] } ?? [])
            for problem in bundle.problems { VouchedTree.note(problem, &service.problems) }
            if isCut {
                VouchedTree.note(.beyond(CodeIdentityLimits.inventoryText, "bytes of identifier"), &service.problems)
            }
            add(service)
        } catch {
            if error.code != .bundleLayout { problems.add(CodeProblem(error.code, "/\(folder): \(error.detail)")) }
        }
    }

    private mutating func add(_ service: InventoryService) {
        guard services.count < limit else {
            if services.count == limit, !isCut {
                problems.add(.beyond(CodeIdentityLimits.inventoryServices, "services"))
            }
            isCut = true
            return
        }
        services.append(service)
    }

    private var isCut = false
}
