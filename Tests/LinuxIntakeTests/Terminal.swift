// SPDX-License-Identifier: Apache-2.0

// A terminal of its own for a forked Weir.

import Glibc
import Testing

struct Terminal {
    private let master: CInt
    private let slave: CInt
    private let name: String

    init() throws {
        var master: CInt = -1
        var slave: CInt = -1
        try #require(openpty(&master, &slave, nil, nil, nil) == 0)
        self.master = master
        self.slave = slave
        name = try #require(ttyname(slave).map { String(cString: $0) })
    }

    /// Runs a bash script on the terminal, in its foreground; what the script prints goes to the usual pipe.
    func fork(_ script: String) throws -> ForkedWeir {
        try name.withCString { name in
            try ForkedWeir(["bash", "-c", script].map { Array($0.utf8) }) {
                setsid()
                // The first terminal that a session leader opens becomes the session's own.
                let terminal = open(name, O_RDWR)
                dup2(terminal, 0)
                dup2(terminal, 2)
                Glibc.close(terminal)
            }
        }
    }

    func type(_ keys: String) { write(master, keys, keys.utf8.count) }

    func close() {
        Glibc.close(master)
        Glibc.close(slave)
    }
}
