// SPDX-License-Identifier: Apache-2.0

// weir off: the panic switch of a Mac.

import ArgumentParser
import EngineAssembly
import Foundation

struct OffCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "off", abstract: "Switch the proxy of this Mac off, also when it hangs (macOS).",
        discussion: """
            The system stops the proxy; the proxy itself is not asked. It stays off until it is switched on in the app. \
            Only the app may change its preferences, so this program has to lie in it, as it does when it is installed.
            """)

    func run() throws {
        guard let own = Bundle.main.executableURL?.resolvingSymlinksInPath() else {
            throw Problem.internalError("off: this program does not know where it lies")
        }
        let app = own.deletingLastPathComponent().appending(path: "WeirApp")
        guard FileManager.default.isExecutableFile(atPath: app.path) else {
            throw Problem.refused("off: \(app.path) is not there; run the weir that lies in Weir.app, on a Mac")
        }
        let process = Process()
        process.executableURL = app
        process.arguments = ["--off"]
        do { try process.run() } catch {
            throw Problem.refused("off: \(app.path) cannot be run: \(error.localizedDescription)")
        }
        process.waitUntilExit()
        throw ExitCode(process.terminationReason == .exit ? process.terminationStatus : 70)
    }
}
