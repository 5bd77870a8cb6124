// SPDX-License-Identifier: Apache-2.0

// Takes orders on standard input, a line each, and answers each with a line; ends at the end of its input.

internal import Foundation

@main
enum Main {
    static func main() async throws {
        let arguments = CommandLine.arguments
        guard arguments.count == 4 else {
            say("usage: \(arguments.first ?? "demo-mac") STATE POLICY UPSTREAM-CA")
            exit(2)
        }
        let machine = try DemoMac(state: arguments[1], policy: arguments[2], upstreamCA: arguments[3])
        try await machine.start()
        say("door \(machine.port)")
        // This waits on the main thread, which nothing else needs.
        while let line = readLine() {
            let words = line.split(separator: " ").map(String.init)
            switch words.first {
            case "kill":
                machine.kill()
                say("killed")
            case "start":
                try await machine.start()
                say("started")
            case "hang": say(machine.hang() ? "hung" : "not hung")
            case "wait": say(machine.waitForWatchdog() ? "ended" : "not ended")
            case "datagram" where words.count == 5:
                say(await machine.datagram(from: words[1], to: words[2], UInt16(words[3]) ?? 0, words[4]))
            case "log" where words.count == 2:
                try machine.log.write(toFile: words[1], atomically: true, encoding: .utf8)
                say("written")
            default: say("unknown order")
            }
        }
        await machine.stop()
    }

    private static func say(_ line: String) { FileHandle.standardOutput.write(Data("\(line)\n".utf8)) }
}
