// SPDX-License-Identifier: Apache-2.0

// The program's door: reads the command line, runs one verb, and ends with the status that verb means.

import ArgumentParser
import EngineAssembly

#if canImport(Glibc)
import Glibc
#elseif canImport(Darwin)
import Darwin
#endif

/// Weir's command line.
struct Weir: ParsableCommand {
    static let version = "0.1.0"

    #if os(Linux)
    private static let ofThisSystem: [any ParsableCommand.Type] = [ExecCommand.self]
    #else
    private static let ofThisSystem: [any ParsableCommand.Type] = []
    #endif

    static let configuration = CommandConfiguration(
        commandName: "weir",
        abstract: "A transparent proxy that takes sensitive data out of what leaves a machine.",
        discussion: """
            Exit status: 0 fine, 1 found or refused, 2 usage, 70 internal.
            `weir exec` ends with its command's own status.
            """,
        version: version,
        subcommands: ofThisSystem + [
            ProxyCommand.self, EventsCommand.self, PolicyCommand.self, IdentityCommand.self,
            RequirementCommand.self, InventoryCommand.self, DoctorCommand.self, CACommand.self,
            ProfileCommand.self, OffCommand.self, LimitsCommand.self,
        ])
}

@main
enum Main {
    /// Not async: `weir exec` makes its namespace before any thread exists.
    static func main() {
        do {
            switch try Weir.parseAsRoot() {
            #if os(Linux)
            case let exec as ExecCommand: try exec.runBeforeThreads()
            #endif
            case is ProxyCommand: EndSignals.hold()
            default: break
            }
        } catch {
            finish(error)
        }
        Task.detached {
            do {
                // Parsed anew, so that the command belongs to this task alone.
                var command = try Weir.parseAsRoot()
                if var verb = command as? any AsyncParsableCommand {
                    try await verb.run()
                } else {
                    try command.run()
                }
                exit(0)
            } catch {
                finish(error)
            }
        }
        // The first thread stays: a command's namespace ends with it.
        while true { pause() }
    }

    /// Says what went wrong in one line and ends with the right status.
    static func finish(_ error: any Error) -> Never {
        if let problem = error as? Problem {
            // Paths and words of the command line are in it, and may hold what a terminal would act on.
            let lines = problem.text.split(separator: "\n", omittingEmptySubsequences: false)
            FileDescriptorText.standardError(
                "weir: " + lines.map { String($0).terminalSafe }.joined(separator: "\n") + "\n")
            exit(problem.status)
        }
        if let code = error as? ExitCode { exit(code.rawValue) }
        let code = Weir.exitCode(for: error)
        if code == .validationFailure {
            FileDescriptorText.standardError(Weir.fullMessage(for: error) + "\n")
            exit(2)
        }
        if code == .success {
            print(Weir.fullMessage(for: error))
            exit(0)
        }
        FileDescriptorText.standardError("weir: \(error)\n")
        exit(70)
    }
}
