// SPDX-License-Identifier: Apache-2.0

// The capture plan as the rule lists of a transparent proxy on macOS.

internal import FlowModel

extension CapturePlan {
    /// The plan as lists of `NENetworkRule`, of which every one keeps the system's constraints.
    public var networkExtension: NetworkExtensionForm { NetworkExtensionForm(self) }
}

/// Rule lists for `includedNetworkRules` and `excludedNetworkRules`; the excluded ones win.
public struct NetworkExtensionForm: Sendable {
    public private(set) var included: [NetworkRule] = []
    public private(set) var excluded: [NetworkRule] = []
    /// What this form cannot say of the plan; all of it is captured and decided in user space.
    public private(set) var losses: [CaptureLoss] = []
    private let plan: CapturePlan

    init(_ plan: CapturePlan) {
        self.plan = plan
        guard !plan.taken.isEmpty else { return }
        include()
        for exclusion in plan.exclusions { exclude(exclusion) }
    }

    /// Wider where a rule cannot be as narrow as the plan.
    private mutating func include() {
        var wide = Set<Wide>()
        var narrow: [(transports: [Transport], prefix: IPPrefix, ports: PortSet)] = []
        for region in plan.inclusions {
            // Loopback is handed over to rules that name it, and the plan never wants it.
            let prefixes = region.prefixes.filter { prefix in !PlanCompiler.machine.contains { $0.covers(prefix) } }
            guard !prefixes.isEmpty else { continue }
            var ports = region.portSet
            if !ports.isAll, ports.contains(53) || ports.count > PolicyLimits.planPorts.value {
                let cause =
                    ports.contains(53)
                    ? "no rule with a network may name port 53" : "a rule takes one port, and \(ports) are too many"
                losses.append(CaptureLoss(.bounds, "\(region): \(cause), so every port is captured"))
                ports = .all
            }
            for prefix in prefixes {
                if prefix.length == 0, ports.isAll {
                    for transport in region.transports { wide.insert(Wide(transport, prefix.family)) }
                } else {
                    narrow.append(
                        (region.transports, prefix.length == prefix.family.width ? prefix.orWider : prefix, ports))
                }
            }
        }
        let count = narrow.reduce(0) { $0 + ($1.ports.isAll ? 1 : $1.ports.count) }
        if count > PolicyLimits.planRules.value {
            losses.append(
                CaptureLoss(.bounds, "more than \(PolicyLimits.planRules.name): every destination is captured"))
            for (transports, _, _) in narrow {
                for transport in transports {
                    for family in AddressFamily.allCases { wide.insert(Wide(transport, family)) }
                }
            }
        }
        included = Self.rules(wide, because: "inclusion")
        for (transports, prefix, ports) in narrow {
            let transports = transports.filter { !wide.contains(Wide($0, prefix.family)) }
            guard !transports.isEmpty else { continue }
            included += Self.rules(transports, prefix, ports, because: "inclusion")
        }
    }

    private mutating func exclude(_ exclusion: CaptureExclusion) {
        let because = exclusion.origin.description
        if exclusion.interface != nil {
            return lose(exclusion, "a rule cannot ask for the interface")
        }
        if exclusion.origin == .machine {
            // Rules that do not name loopback leave it out by themselves.
            return lose(exclusion, "the unspecified addresses stand for every address in a rule")
        }
        var wide = Set<Wide>()
        var rules: [NetworkRule] = []
        for region in exclusion.regions {
            var ports = region.portSet
            if !ports.isAll {
                if ports.contains(53) {
                    lose(exclusion, "no rule with a network may name port 53")
                    ports = ports.subtracting(PortSet([53...53]))
                }
                ports = ports.subtracting(PortSet([0...0]))
                if ports.isEmpty { continue }
                if ports.count > PolicyLimits.planPorts.value {
                    lose(exclusion, "a rule takes one port, and \(ports) are too many")
                    continue
                }
            }
            for prefix in region.prefixes {
                if prefix.length == 0, ports.isAll {
                    for transport in region.transports { wide.insert(Wide(transport, prefix.family)) }
                } else if prefix.isUnspecified {
                    lose(exclusion, "the unspecified addresses stand for every address in a rule")
                } else {
                    rules += Self.rules(region.transports, prefix, ports, because: because)
                }
            }
        }
        rules = Self.rules(wide, because: because) + rules
        if excluded.count + rules.count > PolicyLimits.planRules.value {
            lose(exclusion, "more than \(PolicyLimits.planRules.name)")
        } else {
            excluded += rules
        }
    }

    private mutating func lose(_ exclusion: CaptureExclusion, _ cause: String) {
        losses.append(CaptureLoss(exclusion.origin, "\(cause): captured and declined in user space"))
    }

    /// One transport at every address of one family.
    private struct Wide: Hashable {
        let transport: Transport
        let family: AddressFamily
        init(_ transport: Transport, _ family: AddressFamily) {
            self.transport = transport
            self.family = family
        }
    }

    /// Rules for every port at every address: without a network where both families are meant, else two halves, whose
    /// addresses are not wildcards because they have host bits.
    private static func rules(_ wide: Set<Wide>, because: String) -> [NetworkRule] {
        let both = FlowSpace.transports.filter { transport in
            AddressFamily.allCases.allSatisfy { wide.contains(Wide(transport, $0)) }
        }
        var rules: [NetworkRule] = []
        if let transport = name(both) {
            rules.append(NetworkRule(address: nil, transport: transport, because: because))
        }
        for family in AddressFamily.allCases {
            let alone = FlowSpace.transports.filter { wide.contains(Wide($0, family)) && !both.contains($0) }
            guard let transport = name(alone) else { continue }
            for half in family == .v4 ? ["0.0.0.1", "128.0.0.0"] : ["::2", "8000::"] {
                rules.append(NetworkRule(address: half, prefix: 1, transport: transport, because: because))
            }
        }
        return rules
    }

    private static func rules(
        _ transports: [Transport], _ prefix: IPPrefix, _ ports: PortSet, because: String
    ) -> [NetworkRule] {
        guard let transport = name(transports) else { return [] }
        var address = prefix.address.description
        // A wildcard with a length would stand for every address, or be refused: a host bit makes it a network.
        if prefix.first == 0, prefix.length > 0 { address = prefix.family == .v4 ? "0.0.0.1" : "::2" }
        let single: [UInt16] = ports.isAll ? [0] : ports.ranges.flatMap(Array.init).filter { $0 != 0 }
        return single.map {
            NetworkRule(address: address, prefix: prefix.length, port: $0, transport: transport, because: because)
        }
    }

    private static func name(_ transports: [Transport]) -> NetworkRule.TransportProtocol? {
        transports.count > 1 ? .any : transports.first.map { $0 == .tcp ? .tcp : .udp }
    }
}

extension IPPrefix {
    func covers(_ other: IPPrefix) -> Bool { length <= other.length && contains(other.address) }

    /// Whether no address in it but a loopback one has a bit set, so that it has no address that a rule can name.
    fileprivate var isUnspecified: Bool { first == 0 && length > family.width - (family == .v4 ? 1 : 2) }

    /// The same, or the smallest network around it that a rule can name.
    fileprivate var orWider: IPPrefix {
        isUnspecified ? family.prefix(0, family.width - (family == .v4 ? 1 : 2)) ?? self : self
    }
}

extension NetworkExtensionForm {
    /// The lists as one JSON object, of which `included` and `excluded` decode as `[NetworkRule]`.
    public var json: String {
        func list(_ name: String, _ lines: [String]) -> String {
            "\"\(name)\":[" + (lines.isEmpty ? "" : "\n" + lines.joined(separator: ",\n") + "\n") + "]"
        }
        let head = JSONLine([
            ("target", .text(plan.target.rawValue)), ("policy", .text(plan.policy)),
            ("mode", .text(plan.mode.rawValue)),
        ]).text.dropFirst().dropLast()
        return "{" + head + ",\n"
            + [
                list("included", included.map { Self.line($0) }), list("excluded", excluded.map { Self.line($0) }),
                list("losses", (plan.losses + losses).map(\.line)),
                list("sticky-releases", plan.stickyReleases.map(\.line)),
            ].joined(separator: ",\n") + "}\n"
    }

    private static func line(_ rule: NetworkRule) -> String {
        JSONLine([
            ("address", rule.address.map { .text($0) } ?? .null), ("prefix", .number(rule.prefix)),
            ("port", .number(Int(rule.port))), ("protocol", .text(rule.transport.rawValue)),
            ("direction", .text(rule.direction.rawValue)), ("because", .text(rule.because)),
        ]).text
    }
}

extension CaptureLoss {
    /// As one line of JSON.
    var line: String {
        JSONLine([
            ("loss", .text(origin.description)), ("effect", .text(effect.rawValue)),
            ("facts", .texts(facts.map(\.rawValue))), ("detail", .text(detail)),
        ]).text
    }
}

extension StickyRelease {
    /// As one line of JSON.
    var line: String {
        JSONLine([
            ("sticky-release", .text(origin.description)), ("to", .texts(regions.map(\.description))),
            ("any-address", .text(isOpen ? "yes" : "no")),
        ]).text
    }
}
