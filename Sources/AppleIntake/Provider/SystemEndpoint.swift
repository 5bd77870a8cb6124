// SPDX-License-Identifier: Apache-2.0

// The endpoint type of the system under a name that means the same where NetworkExtension has another of its own.

#if canImport(Network)
public import Network
#else
public import NetworkSimulation
#endif

/// The system's endpoint of a flow or a rule.
public typealias SystemEndpoint = NWEndpoint

/// The end of a rule: an address or a name, and a port.
func ruleEndpoint(_ host: String, port: UInt16) -> SystemEndpoint {
    .hostPort(host: NWEndpoint.Host(host), port: NWEndpoint.Port(rawValue: port) ?? .any)
}
