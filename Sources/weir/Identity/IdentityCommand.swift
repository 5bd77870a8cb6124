// SPDX-License-Identifier: Apache-2.0

// weir identity: what is this code?

import ArgumentParser
import CodeIdentity
import EngineAssembly
import Foundation

struct IdentityCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "identity", abstract: "Say who a program is, and what of that is proved.",
        discussion: """
            A Mach-O file or a bundle is read and verified slice by slice, on Linux too. Any other file, and a process, is \
            judged by package, digest, unit and mappings, on Linux only.
            Exit status: 0 when all is as it claims (also unsigned or unpackaged), 1 when something is wrong or cannot be read.
            """)

    @Argument(help: "Program files or bundles.") var paths: [String] = []
    @Option(help: "A running process; may be given several times.") var pid: [Int32] = []
    @Option(help: "text, or json: one line for each slice or program.") var format = OutputFormat.text
    @Flag(help: "Compare all sealed resources of a bundle, and examine the code in it.") var deep = false
    @Option(help: "A detached code signature to use instead of the embedded one.") var detached: String?

    func validate() throws {
        if paths.isEmpty && pid.isEmpty { throw ValidationError("name a program, or a process with --pid") }
        if detached != nil && (paths.count != 1 || !pid.isEmpty) {
            throw ValidationError("--detached goes with exactly one program")
        }
    }

    func run() throws {
        var output = StandardOutput()
        var isSound = true
        let programs = ProgramIdentities(deep: deep, detached: try detached.map(DetachedSignatureFile.read))
        for (index, path) in paths.enumerated() {
            switch programs.identity(of: path) {
            case .success(let identity):
                isSound = isSound && identity.isSound
                try print(identity, path, isFirst: index == 0, &output)
            case .failure(let problem):
                isSound = false
                try fail(path, problem, &output)
            }
        }
        #if os(Linux)
        for pid in pid {
            switch programs.linux(pid: pid) {
            case .success(let identity):
                isSound = isSound && identity.problems.isEmpty
                try print(.linux(identity), "pid \(pid)", isFirst: paths.isEmpty && pid == self.pid.first, &output)
            case .failure(let problem):
                isSound = false
                try fail("pid \(pid)", problem, &output)
            }
        }
        #else
        if !pid.isEmpty { throw Problem.refused("--pid: processes are examined on Linux only, for now") }
        #endif
        try output.flush()
        if !isSound { throw ExitCode(1) }
    }

    private func print(
        _ identity: ProgramIdentity, _ path: String, isFirst: Bool, _ output: inout StandardOutput
    ) throws {
        if format == .text, !isFirst { try output.line("") }
        switch (identity, format) {
        case (.apple(let report), .json):
            for slice in report.slices { try output.line(JSONLine.text(SliceLine(slice, of: report, path: path))) }
        case (.apple(let report), .text): try output.line(SlicePrinter.text(report, path: path))
        #if os(Linux)
        case (.linux(let identity), .json): try output.line(JSONLine.text(LinuxLine(identity, path: path)))
        case (.linux(let identity), .text): try output.line(LinuxLine(identity, path: path).text)
        #endif
        }
    }

    private func fail(_ path: String, _ problem: CodeProblem, _ output: inout StandardOutput) throws {
        struct Line: Encodable {
            let path: String
            let problems: [ProblemLine]
        }
        if format == .json { try output.line(JSONLine.text(Line(path: path, problems: [ProblemLine(problem)]))) }
        try output.flush()
        FileDescriptorText.standardError("weir: \(path.terminalSafe): \(problem.description.terminalSafe)\n")
    }
}

/// What was found out about one program.
enum ProgramIdentity {
    case apple(CodeReport)
    #if os(Linux)
    case linux(LinuxIdentity)
    #endif

    /// Whether everything is as it claims to be.
    var isSound: Bool {
        switch self {
        case .apple(let report):
            report.problems.isEmpty && report.slices.allSatisfy(\.problems.isEmpty) && report.wholeProblems.isEmpty
        #if os(Linux)
        case .linux(let identity): identity.problems.isEmpty && identity.executable.claim?.verdict != .modified
        #endif
        }
    }

    /// What a requirement sees: every slice of a Mac program, or the one Linux program.
    var subjects: [(name: String, subject: Result<RequirementSubject, CodeProblem>)] {
        switch self {
        case .apple(let report):
            report.slices.map { slice in
                let subject: Result<RequirementSubject, CodeProblem> =
                    switch slice.evaluable {
                    case .code(let code): .success(.apple(code))
                    case .unusable(let problem): .failure(problem)
                    }
                return (slice.slice.architecture.description, subject)
            }
        #if os(Linux)
        case .linux(let identity): [("linux", .success(.linux(identity)))]
        #endif
        }
    }
}

/// Finds out who programs are; on Linux the package database is read when the first program asks for it.
final class ProgramIdentities {
    private let examiner: CodeExaminer
    private let deep: Bool
    private let detached: DetachedSignature?

    init(deep: Bool = false, detached: DetachedSignature? = nil) {
        examiner = CodeExaminer(now: Int64(Date().timeIntervalSince1970))
        self.deep = deep
        self.detached = detached
    }

    func identity(of path: String) -> Result<ProgramIdentity, CodeProblem> {
        do throws(CodeProblem) {
            return .success(.apple(try examiner.examine(path: path, deep: deep, detached: detached)))
        } catch {
            #if os(Linux)
            if error.code == .notMachO { return linux(file: path) }
            #endif
            return .failure(error)
        }
    }

    #if os(Linux)
    private lazy var linuxReader: Result<LinuxIdentityReader, CodeProblem> = {
        do throws(CodeProblem) {
            return .success(
                LinuxIdentityReader(
                    processes: LinuxProcessFiles(), units: LinuxUnitFiles(root: ""), vouching: try InstalledPackages()))
        } catch {
            return .failure(error)
        }
    }()

    private func linux(file path: String) -> Result<ProgramIdentity, CodeProblem> {
        do throws(CodeProblem) {
            return .success(.linux(try linuxReader.get().identity(ofFile: FileBytes.resolved(path)).get()))
        } catch {
            return .failure(error)
        }
    }

    func linux(pid: Int32) -> Result<LinuxIdentity, CodeProblem> { linuxReader.flatMap { $0.identity(of: pid) } }
    #endif
}

enum DetachedSignatureFile {
    static func read(_ path: String) throws -> DetachedSignature {
        do throws(CodeProblem) {
            return try DetachedSignature.read(FileBytes(path: path))
        } catch {
            throw Problem.refused("\(path): \(error)")
        }
    }
}
