// SPDX-License-Identifier: Apache-2.0

// Other real servers: ssh and PostgreSQL, in folders of their own.

import Foundation
import TestKit

/// sshd on `192.0.2.10`, with a key of its own and one client key.
final class SSHServer: Sendable {
    let port: UInt16
    private let folder: TemporaryFolder
    private let server: RunningProgram

    init() throws {
        folder = try TemporaryFolder()
        port = try TestNetwork.freePort()
        for key in ["host", "client"] {
            try Program("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", folder(key)]).succeed()
        }
        // sshd wants this folder when root runs it; the package makes it only when its service starts.
        try? FileManager.default.createDirectory(atPath: "/run/sshd", withIntermediateDirectories: true)
        let configuration = try folder.write(
            """
            ListenAddress \(TestNetwork.address):\(port)
            HostKey \(folder("host"))
            AuthorizedKeysFile \(folder("client.pub"))
            PidFile none
            StrictModes no
            UsePAM no
            PermitRootLogin yes
            PasswordAuthentication no

            """, to: "sshd_config")
        server = try Program(try Program.path(of: "sshd"), ["-D", "-e", "-f", configuration]).start()
        let address = TestNetwork.address
        let listening = Deadline(seconds: 10).poll { Connection.canConnect(address: address, port: port) ? true : nil }
        guard listening == true else {
            let said = server.errors
            stop()
            throw TestKitError("sshd did not start: \(said)")
        }
    }

    var login: String { "\(NSUserName())@\(TestNetwork.address)" }
    var clientOptions: [String] {
        ["-F", "none", "-p", "\(port)", "-i", folder("client"), "-o", "BatchMode=yes", "-o", "ConnectTimeout=10"]
            + ["-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null", "-o", "LogLevel=ERROR"]
    }

    func stop() {
        server.kill()
        folder.remove()
    }
}

/// PostgreSQL on `192.0.2.10` with the superuser `weir` and no password.
final class PostgresServer: Sendable {
    let port: UInt16
    private let folder: TemporaryFolder
    private let server: RunningProgram

    init() throws {
        let folder = try TemporaryFolder()
        self.folder = folder
        port = try TestNetwork.freePort()
        let data = folder("data")
        // PostgreSQL refuses to run as root.
        let demote = getuid() == 0 ? ["setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups"] : []
        if getuid() == 0 { try Program("chown", ["nobody:nogroup", folder.path]).succeed() }
        func program(_ name: String, _ arguments: [String]) throws -> Program {
            let words = demote + [try Program.path(of: name)] + arguments
            return Program(words[0], Array(words.dropFirst()), folder: folder.path)
        }
        try program("initdb", ["-D", data, "-U", "weir", "-A", "trust", "-N", "-E", "UTF8", "--no-locale"])
            .succeed(within: 120)
        try program("sh", ["-c", "echo 'host all weir \(TestNetwork.address)/32 trust' >> \(data)/pg_hba.conf"])
            .succeed()
        server = try program(
            "postgres",
            ["-D", data, "-p", "\(port)", "-k", folder.path, "-h", TestNetwork.address]
                + ["-c", "fsync=off", "-c", "shared_buffers=16MB"]
        ).start()
        let (address, port) = (TestNetwork.address, self.port)
        let listening = Deadline(seconds: 30).poll { Connection.canConnect(address: address, port: port) ? true : nil }
        guard listening == true else {
            let said = server.errors
            stop()
            throw TestKitError("postgres did not start: \(said)")
        }
    }

    func stop() {
        server.kill()
        folder.remove()
    }
}
