// SPDX-License-Identifier: Apache-2.0

// Identity and policy of Weir inside somebody else's transparent proxy provider: who made a flow, and may it pass?

public import CodeIdentity
public import FlowModel
public import FlowPolicy
internal import Foundation
public import NetworkExtension

#if canImport(Network)
internal import Network
#else
internal import NetworkSimulation
#endif

/// A provider of your own, with Weir's decision in it.
open class EmbeddedProvider: NETransparentProxyProvider {
    private let policy: Policy
    private let identities: any SystemCode<AuditToken>

    public init(policy: Policy, identities: any SystemCode<AuditToken>) {
        self.policy = policy
        self.identities = identities
    }

    /// Decides from memory and the kernel: reads no disk, asks no daemon, waits for nothing.
    public func verdict(on flow: NEAppProxyTCPFlow) -> Verdict? {
        guard case .hostPort(let host, let port) = flow.remoteFlowEndpoint, let host = Host("\(host)") else {
            return nil
        }
        // All 32 bytes name the program; bundle and signing identifiers are what it says of itself.
        let token = flow.metaData.sourceAppAuditToken.flatMap { AuditToken($0) }
        var facts = FlowFacts(
            intake: .networkExtension, destination: Endpoint(host: host, port: port.rawValue),
            identity: policy.judge(CodeEvidence(identities.immediate(token, now: .now))),
            startedAt: Int64(Date().timeIntervalSince1970 * 1000))
        if let name = flow.remoteHostname.flatMap({ HostName($0) }) { facts.learn(name, .claimed) }
        return policy.admit(facts).verdict
    }

    open override func handleNewFlow(_ flow: NEAppProxyFlow) -> Bool {
        guard let flow = flow as? NEAppProxyTCPFlow, let verdict = verdict(on: flow) else { return false }
        switch verdict.lane {
        case .bypass, .relay: return false
        case .inspect: return carry(flow, because: verdict)
        case .block:
            flow.closeReadWithError(NEAppProxyFlowError(.refused))
            flow.closeWriteWithError(NEAppProxyFlowError(.refused))
            return true
        }
    }

    /// Your own proxy begins here; false leaves the flow to the system.
    open func carry(_ flow: NEAppProxyTCPFlow, because verdict: Verdict) -> Bool { false }
}
