// SPDX-License-Identifier: Apache-2.0

// What policy says of each destination of a UDP flow.

internal import FlowEngine
internal import FlowModel
internal import FlowPolicy
internal import NIOCore

/// Judges the destinations of one flow, and remembers the last so many.
///
/// The system asks once for each socket, at its first datagram, and excluded rules do not protect what the socket sends
/// elsewhere later: so every datagram is judged by its own destination. The policy is the one the flow began with.
struct DatagramVerdicts {
    /// A destination and what policy says of it.
    struct Destination {
        /// As the application wrote it; answers must bear the same.
        let system: SystemEndpoint
        let endpoint: Endpoint
        let address: SocketAddress
        let verdict: Verdict

        var isBlocked: Bool { verdict.lane == .block }
    }

    private let policy: Policy
    private let facts: FlowFacts
    private let capacity: Int
    private var known: [Endpoint: Destination] = [:]
    private var order = CircularBuffer<Endpoint>()
    /// Most datagrams go where the one before went.
    private var last: Destination?
    /// Whether all destinations so far were name servers.
    private(set) var asksOnlyDNS = true
    private(set) var forgotten = 0

    init(_ policy: Policy, _ facts: FlowFacts, capacity: Int = AppleIntakeLimits.datagramDestinations.value) {
        self.policy = policy
        self.facts = facts
        self.capacity = max(1, capacity)
    }

    /// The destination of a datagram; nil when it is no address.
    ///
    /// The kernel names addresses only. A name is not looked up: the answer could differ for each datagram, and the
    /// lookup would itself be a flow.
    mutating func judge(_ system: SystemEndpoint) -> Destination? {
        if let last, last.system == system { return last }
        guard let endpoint = Endpoint(system), let address = SocketAddress(endpoint) else { return nil }
        let destination: Destination
        if let known = known[endpoint] {
            destination = known
        } else {
            destination = Destination(
                system: system, endpoint: endpoint, address: address, verdict: verdict(endpoint))
            remember(destination)
        }
        last = destination
        return destination
    }

    /// Whose answer this is, as the application must see it; nil when it comes from where policy forbids to send.
    ///
    /// A host that was never addressed may answer too, as it may on any unconnected socket.
    func answerer(_ address: SocketAddress) -> SystemEndpoint? {
        guard let endpoint = Endpoint(address) else { return nil }
        guard let destination = known[endpoint] else { return SystemEndpoint(endpoint) }
        return destination.isBlocked ? nil : destination.system
    }

    private mutating func remember(_ destination: Destination) {
        if destination.endpoint.port != 53 { asksOnlyDNS = false }
        known[destination.endpoint] = destination
        order.append(destination.endpoint)
        guard order.count > capacity else { return }
        known[order.removeFirst()] = nil
        forgotten += 1
    }

    private func verdict(_ endpoint: Endpoint) -> Verdict {
        var facts = facts
        // What is known of the first destination says nothing of another. The name that comes with a query may be the
        // one that is asked for, which does no harm: no rule is asked about DNS.
        if endpoint != facts.destination { facts.names = [] }
        facts.destination = endpoint
        let verdict = policy.refine(facts)
        // QUIC has been decided by now; other datagrams nobody can read.
        guard verdict.lane == .inspect else { return verdict }
        let isRefused = verdict.profile.flatMap(policy.profile)?.nonHTTP == .block
        return Verdict(
            isRefused ? .block : .relay, rule: verdict.rule,
            reason: isRefused
                ? Reason("other-blocked", "policy blocks what is not HTTP")
                : Reason("datagrams-not-read", "datagrams are relayed unread where policy would inspect"))
    }
}
