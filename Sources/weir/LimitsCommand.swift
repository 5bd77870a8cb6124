// SPDX-License-Identifier: Apache-2.0

// weir limits: every number that bounds Weir, as the table of docs/limits.md.

import ArgumentParser
import CodeIdentity
import ContentInspection
import EventStore
import FlowEngine
import FlowModel
import FlowPolicy
import MacControl
import ProxyIntake
import SocketTransport

#if os(Linux)
import LinuxIntake
#endif

struct LimitsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "limits", abstract: "Print every limit with its size, its reason and its metric.")

    func run() {
        print("| limit | value | unit | why | metric |")
        print("|---|---|---|---|---|")
        #if os(Linux)
        let intake = LinuxIntakeLimits.all
        #else
        let intake: [Limit] = []
        #endif
        let limits: [Limit] =
            ProgramLimits.all + CodeIdentityLimits.all + PolicyLimits.all + ContentLimits.all + EngineLimits.all
            + SocketLimits.all + ProxyLimits.all
            + intake + EventStoreLimits.all + MacControlLimits.all
        for limit in limits {
            print("| `\(limit.name)` | \(limit.value) | \(limit.unit.rawValue) | \(limit.reason) | `\(limit.metric)` |")
        }
    }
}
