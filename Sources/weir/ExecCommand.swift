// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
struct ExecCommand: AsyncParsableCommand {
    func runBeforeThreads() throws {}
    func run() async throws {}
}
