// SPDX-License-Identifier: Apache-2.0

// Puts together who a Linux process, or a program file, is.

import FlowModel

/// One image of a process: what an identity belongs to, and what changes when the process executes another program.
public struct ProcessImage: Hashable, Sendable {
    public var process: ProcessInstance
    public var executable: FileKey
    public var layout: ImageLayout

    public init(process: ProcessInstance, executable: FileKey, layout: ImageLayout = .init()) {
        self.process = process
        self.executable = executable
        self.layout = layout
    }
}

/// An identity with the image that it was read from.
public struct ExaminedProcess: Hashable, Sendable {
    public var image: ProcessImage
    public var identity: LinuxIdentity

    public init(image: ProcessImage, identity: LinuxIdentity) {
        self.image = image
        self.identity = identity
    }
}

/// Reads identities.
///
/// It reads and hashes files: call it where waiting harms nobody, and keep what it says in a `ProcessIdentityCache`.
/// When unsure, it reports a problem, and an identity with a problem is never of the operating system.
public struct LinuxIdentityReader: Sendable {
    let processes: any ProcessFiles
    let units: any UnitFiles
    let vouching: any ProgramVouching

    public init(processes: any ProcessFiles, units: any UnitFiles, vouching: any ProgramVouching) {
        self.processes = processes
        self.units = units
        self.vouching = vouching
    }

    /// The image that a process has now: a few system calls, the key of a cached identity.
    ///
    /// Fails as `examine` does.
    public func image(of pid: Int32) -> Result<ProcessImage, CodeProblem> {
        do throws(CodeProblem) {
            var process = HeldProcess(pid: pid, first: try processes.process(pid))
            return .success(try image(&process))
        } catch {
            return .failure(error)
        }
    }

    /// Who a process is: `examine` without the image.
    public func identity(of pid: Int32) -> Result<LinuxIdentity, CodeProblem> { examine(pid).map(\.identity) }

    /// Who a process is, as one image of it was from the first read to the last.
    ///
    /// Fails with `processExited`, `kernelThread` or `unreadable` (whose `unknownCause` is for policy). What only part
    /// of the facts are missing for stands in the identity's problems; a process in the middle of an exec carries
    /// `changed`: ask again.
    public func examine(_ pid: Int32) -> Result<ExaminedProcess, CodeProblem> {
        do throws(CodeProblem) {
            var process = HeldProcess(pid: pid, first: try processes.process(pid))
            var attempts = CodeIdentityLimits.imageAttempts.value
            while true {
                let before = try image(&process)
                // Without address space randomisation two images look alike; their memories are still two. What this
                // cannot watch shows as unreadable mappings.
                let isInUse = (try? process.living.memoryWatch()) ?? { true }
                var identity = try assemble(process.living, before)
                // Whatever happened to the process or its memory in between shows here.
                let after = try image(&process)
                attempts -= 1
                let isOne = before == after && identity.executable.key == before.executable && isInUse()
                if !isOne || !after.layout.loaded {
                    if attempts > 0 { continue }
                    identity.problems.append(CodeProblem(.changed, "the process is just executing another program"))
                }
                return .success(ExaminedProcess(image: before, identity: identity))
            }
        } catch {
            return .failure(error)
        }
    }

    /// Who a program file is: nothing about a process, a unit or mappings.
    ///
    /// `path` is absolute and without links (as the kernel would name it). Fails with `fileAbsent`, `notRegularFile` or
    /// `unreadable`.
    public func identity(ofFile path: String) -> Result<LinuxIdentity, CodeProblem> {
        do throws(CodeProblem) {
            var budget = HashBudget()
            var problems: [CodeProblem] = []
            let file = try processes.open(path: path)
            let executable = examine(file, path: path, deleted: false, ours: true, &budget, &problems)
            return .success(
                LinuxIdentity(
                    executable: executable, injection: executable.role.runsOtherCode ? [.runsOtherCode] : [],
                    problems: problems))
        } catch {
            return .failure(error)
        }
    }

    /// A process, held by its first thread.
    private struct HeldProcess {
        let pid: Int32
        let first: any ProcessHandle
        /// A thread that runs on where the first one has ended, which then shows nothing of the memory any more.
        var other: (any ProcessHandle)?

        var living: any ProcessHandle { other ?? first }
    }

    private func image(_ process: inout HeldProcess) throws(CodeProblem) -> ProcessImage {
        let pid = process.pid
        let first = try Self.stat(process.first)
        var stat = first
        if first.ended, first.threads > 1 { (process.other, stat) = try otherThread(of: process) ?? (nil, first) }
        if stat.ended { throw CodeProblem(.processExited, "process \(pid) has ended") }
        if stat.isKernelThread { throw CodeProblem(.kernelThread, "\(pid) (\(stat.command)) is a kernel thread") }
        do throws(CodeProblem) {
            return ProcessImage(
                process: ProcessInstance(pid: pid, startTicks: first.startTicks),
                executable: try process.living.key(of: .executable), layout: stat.layout)
        } catch let error where error.code == .fileAbsent {
            // It has given its memory back and is about to become a zombie.
            throw CodeProblem(.processExited, "process \(pid) has no executable any more")
        }
    }

    private static func stat(_ handle: any ProcessHandle) throws(CodeProblem) -> ProcessStat {
        try ProcessStat(handle.text(.stat, limit: CodeIdentityLimits.processStat.value).bytes)
    }

    private static func status(_ handle: any ProcessHandle) throws(CodeProblem) -> ProcessStatus {
        try ProcessStatus(handle.text(.status, limit: CodeIdentityLimits.processStat.value).bytes)
    }

    /// A living thread besides the first one, by whose number `/proc` shows the same process.
    private func otherThread(of process: HeldProcess) throws(CodeProblem) -> (any ProcessHandle, ProcessStat)? {
        for number in try process.first.threads(limit: CodeIdentityLimits.threads.value) where number != process.pid {
            guard let thread = try? processes.process(number), let stat = try? Self.stat(thread), !stat.ended,
                (try? Self.status(thread))?.process == UInt64(process.pid)
            else { continue }
            return (thread, stat)
        }
        return nil
    }

    /// Whether a tracer is attached to any thread: it can change the memory of all of them.
    private func isTraced(
        _ status: ProcessStatus, _ handle: any ProcessHandle, _ problems: inout [CodeProblem]
    ) -> Bool {
        if status.tracer != 0 { return true }
        guard status.threads > 1 else { return false }
        let limit = CodeIdentityLimits.threads
        let threads = Self.optional(&problems, try handle.threads(limit: limit.value)) ?? []
        if threads.count > limit.value { problems.append(CodeProblem(.limit, "more threads than \(limit.name)")) }
        return threads.prefix(limit.value).contains { number in
            // One that has ended meanwhile is traced by nobody.
            guard let thread = try? processes.process(number), let other = try? Self.status(thread) else {
                return false
            }
            return other.process == status.process && other.tracer != 0
        }
    }

    private func assemble(_ handle: any ProcessHandle, _ image: ProcessImage) throws(CodeProblem) -> LinuxIdentity {
        var problems: [CodeProblem] = []
        var injection: Set<InjectionPath> = []
        var budget = HashBudget()

        let status = try Self.status(handle)
        if isTraced(status, handle, &problems) { injection.insert(.traced) }

        let target: String
        let file: any IdentifiedFile
        do throws(CodeProblem) {
            target = try handle.target(of: .executable)
            file = try handle.open(.executable)
        } catch let error where error.code == .fileAbsent {
            throw CodeProblem(.processExited, "process \(image.process.pid) has no executable any more")
        }
        let path = DeletedPath.stripped(target)
        let namespace = Self.optional(&problems, try handle.target(of: .mountNamespace))
        let ours = namespace != nil && namespace == processes.mountNamespace
        let executable = examine(file, path: path, deleted: path != target, ours: ours, &budget, &problems)
        if executable.role.runsOtherCode { injection.insert(.runsOtherCode) }

        var check = MappingCheck(handle, processes: processes, vouching: vouching, ours: ours, budget: budget)
        let maps = Self.optional(
            &problems, try MemoryMap(handle.text(.maps, limit: CodeIdentityLimits.processMaps.value)))
        if let maps {
            check.check(maps, executable: file.key)
            injection.formUnion(check.injection)
            problems += check.problems
        } else {
            injection.insert(.unreadableMappings)
        }

        let environment = Self.optional(
            &problems, try handle.text(.environ, limit: CodeIdentityLimits.processEnvironment.value))
        if environment.map(ProcessArguments.asksLoader) == true { injection.insert(.loaderEnvironment) }

        let context = context(handle, executable, ours: ours, &problems)
        return LinuxIdentity(
            process: image.process, user: status.user, executable: executable,
            script: script(handle, executable, ours: ours), context: context,
            injection: injection.sorted { $0.rawValue < $1.rawValue }, problems: problems)
    }

    /// What packages, ownership and name say of a program that is held open.
    private func examine(
        _ file: any IdentifiedFile, path: String, deleted: Bool, ours: Bool, _ budget: inout HashBudget,
        _ problems: inout [CodeProblem]
    ) -> LinuxExecutable {
        // The folders above a path say something of this file only if it is the one that the path leads to here.
        let here = !deleted && (try? processes.key(path: path)) == file.key
        var result = LinuxExecutable(path: path, key: file.key, deleted: deleted)
        result.rootOwnedChain = here && vouching.isRootOwnedChain(path: path)
        if budget.allows(file.count) {
            let (claim, digest) = vouching.claim(path: path, source: file, key: file.key)
            // Our packages know nothing of the files of another mount namespace, unless it is the same file.
            result.claim = ours || here ? claim : nil
            result.sha256 = digest
            if (try? file.keyNow()) != file.key {
                problems.append(CodeProblem(.changed, "\(path) was written while it was hashed"))
            }
        } else {
            problems.append(CodeProblem(.limit, "\(path): \(CodeIdentityLimits.programBytes.name)"))
        }
        result.role = ProgramRoles.known(path: path, package: result.claim?.package)?.role ?? .ordinary
        return result
    }

    /// A fact that may be missing: then the problem is kept.
    ///
    /// Whether the process has ended meanwhile is asked at the end, for all facts together.
    private static func optional<Fact>(
        _ problems: inout [CodeProblem], _ read: @autoclosure () throws(CodeProblem) -> Fact
    ) -> Fact? {
        do throws(CodeProblem) {
            return try read()
        } catch {
            problems.append(error)
            return nil
        }
    }

    // MARK: Context

    private func context(
        _ handle: any ProcessHandle, _ executable: LinuxExecutable, ours: Bool, _ problems: inout [CodeProblem]
    ) -> RunContext {
        let membership = Self.optional(
            &problems, try CGroupMembership(handle.text(.cgroup, limit: CodeIdentityLimits.processStat.value).bytes))
        var context = RunContext(cgroup: membership?.path)
        if let path = membership?.path, let placement = CGroupPlacement(path) {
            context.unit = unit(placement, &problems)
        }
        if let found = membership?.all.lazy.compactMap(CGroupPlacement.confinement).first {
            context.confinement = found
        } else if let appImage = CGroupPlacement.appImage(executable.path) {
            context.confinement = appImage
        } else if !ours, context.unit?.system != true {
            // A system service often has a namespace of its own (PrivateTmp=); that is the unit's, and its files are
            // compared with ours one by one.
            context.confinement = .otherMountNamespace
        }
        return context
    }

    private func unit(_ placement: CGroupPlacement, _ problems: inout [CodeProblem]) -> RunContext.Unit {
        var unit = RunContext.Unit(name: placement.unit.text, system: placement.system)
        // A user's units lie in folders that the user writes: they prove nothing, so they are not looked for.
        guard placement.system else { return unit }
        let lookup = UnitLookup(placement.unit, in: units)
        unit.file = lookup.file
        unit.claim = lookup.file.flatMap(unitClaim)
        unit.dropIns = lookup.dropIns.filter { unitClaim($0)?.verdict != .intact }
        if lookup.masked { problems.append(CodeProblem(.unitMasked, "\(placement.unit.text) is masked, yet it runs")) }
        return unit
    }

    private func unitClaim(_ path: String) -> PackageClaim? {
        guard let file = try? units.open(path), file.count <= 1 << 20 else { return nil }
        return vouching.claim(path: path, source: file, key: file.key).claim
    }

    // MARK: Script

    private func script(
        _ handle: any ProcessHandle, _ executable: LinuxExecutable, ours: Bool
    ) -> ScriptClaim? {
        let known = ProgramRoles.known(path: executable.path, package: executable.claim?.package)
        guard let grammar = known?.grammar else { return nil }
        // Only a label: what cannot be read is left out.
        var ignored: [CodeProblem] = []
        let text = Self.optional(&ignored, try handle.text(.cmdline, limit: CodeIdentityLimits.processArguments.value))
        guard let text, case .file(let name) = grammar.argument(in: ProcessArguments.arguments(text)), !name.isEmpty
        else { return nil }
        let folder = Self.optional(&ignored, try handle.target(of: .workingFolder))
        guard name.hasPrefix("/") || folder != nil else { return ScriptClaim(path: name) }
        let path = AbsolutePath.resolve(name, from: folder ?? "/")
        var claim = ScriptClaim(path: path)
        // Links to the opener's own descriptors: they would lead to ours.
        let own = ["/dev/fd/", "/dev/stdin", "/proc/"].contains { path.hasPrefix($0) }
        guard !own, let file = try? handle.open(.inside(path)),
            file.count <= UInt64(clamping: CodeIdentityLimits.scriptBytes.value)
        else { return claim }
        let here = (try? processes.key(path: path)) == file.key
        let (package, digest) = vouching.claim(path: path, source: file, key: file.key)
        claim.claim = ours || here ? package : nil
        claim.sha256 = digest
        return claim
    }
}

extension ProgramRole {
    /// Whether the program runs what its arguments say.
    var runsOtherCode: Bool { self == .interpreter || self == .loader }
}
