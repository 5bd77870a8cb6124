// SPDX-License-Identifier: Apache-2.0

// The composition root: what every verb that carries flows runs on.

import EngineAssembly
import FlowEngine
import FlowModel
import Foundation
import NIOCore
import NIOPosix
import SocketTransport

#if os(Linux)
import LinuxIntake
#endif

/// A running engine with its loops and its sockets.
@dynamicMemberLookup
struct Runtime {
    let group: MultiThreadedEventLoopGroup
    let egress: SocketEgress
    private let assembled: AssembledEngine

    static let now = AssembledEngine.now

    subscript<Part>(dynamicMember part: KeyPath<AssembledEngine, Part>) -> Part { assembled[keyPath: part] }

    /// Builds all of it, or says in one line what stands in the way.
    static func start(_ options: RuntimeOptions) throws -> Runtime {
        DescriptorLimit.raise()
        let group = MultiThreadedEventLoopGroup(numberOfThreads: usableProcessors)
        let egress = SocketEgress()
        let assembled = try AssembledEngine.assemble(
            AssemblyOptions(
                policy: options.policy, state: StateDirectory.resolve(options.state), upstreamCA: options.upstreamCA,
                osRelease: options.osRelease),
            on: group, egress: egress)
        return Runtime(group: group, egress: egress, assembled: assembled)
    }

    /// Lets live flows end, for a time, then ends them.
    func drain(within patience: Duration) async { await assembled.drain(within: patience) }

    /// How many connections each of some listeners may have at a time: the limit, or what the descriptors allow.
    ///
    /// A flow takes two descriptors and, while its origin is looked up and judged, a third; the program itself takes
    /// some. Past that, `accept` and `connect` would fail where waiting is asked for.
    static func capacity(listeners: Int = 1) -> Int {
        guard let descriptors = DescriptorLimit.current else { return 1024 }
        let own = 40
        let room = (descriptors - own) / (3 * max(1, listeners))
        return max(1, min(EngineLimits.flows.value, room))
    }

    /// The processors that this process may run on: more loops than that only take turns, a time slice each.
    private static var usableProcessors: Int {
        #if os(Linux)
        min(Processors.usable ?? System.coreCount, System.coreCount)
        #else
        System.coreCount
        #endif
    }
}
