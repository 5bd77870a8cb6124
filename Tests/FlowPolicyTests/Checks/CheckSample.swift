// SPDX-License-Identifier: Apache-2.0

// Policies for checks, from text or from parts, and what is found in them in few words.

import CodeIdentity
import FlowModel
import Testing

@testable import FlowPolicy

enum CheckSample {
    /// 2026-11-24 12:00 UTC.
    static let now: Int64 = 1_795_521_600_000
    static let day: Int64 = 86_400_000

    /// Reads the rules of a policy, with a catch-all that inspects behind them.
    static func rules(_ lines: String, mode: String = "enforce", catalogues: Catalogues = .init(edition: "test"))
        throws -> Policy
    {
        let items = lines.split(separator: "\n").map { "  - \($0)\n" }.joined()
        return try Policy.read(
            yaml: """
                version: 1
                mode: \(mode)
                rules:
                \(items)  - {name: system, when: {class: os}, then: bypass}
                  - {name: rest, then: inspect}
                profiles: {p: {detect: "*"}}
                """, file: "test.yaml", PolicyEnvironment(detectors: Sample.detectors, catalogues: catalogues))
    }

    /// What is found, as `severity code rule`, in order; `of` keeps some kinds.
    static func found(_ policy: Policy, now: Int64 = now, of codes: [PolicyFinding.Code]? = nil) -> [String] {
        policy.check(now: now).filter { codes?.contains($0.code) ?? true }.map { finding in
            "\(finding.severity.rawValue) \(finding.code.rawValue) \(finding.rule ?? "-")"
        }
    }

    static func found(
        _ lines: String, mode: String = "enforce", catalogues: Catalogues = .init(edition: "test"),
        of codes: [PolicyFinding.Code]? = nil
    ) throws -> [String] {
        try found(rules(lines, mode: mode, catalogues: catalogues), of: codes)
    }

    /// A rule that decides flows, on its own line.
    static func rule(
        _ number: Int, _ conditions: [Condition], _ lane: Lane, mode: Policy.Mode = .enforce, rollout: Rollout? = nil
    ) -> Rule {
        let name = "r\(number)"
        return Rule(
            number: number, name: name, place: SourcePlace(file: "test.yaml", line: number, column: 1),
            conditions: conditions,
            consequence: .flow(lane, mode.verdict(lane, profile: "p", rule: name, code: "rule", cause: name)),
            mode: mode, rollout: rollout)
    }

    /// A policy of these rules, and of what else is put into its parts.
    static func policy(
        _ rules: [Rule], requirements: [String] = [], _ edit: (inout PolicyParts) -> Void = { _ in }
    ) throws -> Policy {
        var parts = PolicyParts(stamp: 1)
        parts.mode = .enforce
        parts.rules = rules
        parts.files = ["test.yaml"]
        parts.catalogues = Catalogues(edition: "test")
        for (index, text) in requirements.enumerated() {
            parts.requirements.append(
                PolicyRequirement(
                    name: "q\(index)", text: text,
                    compiled: try CompiledRequirement(Requirement(text: text).expression),
                    place: SourcePlace(file: "test.yaml", line: 100 + index, column: 1)))
        }
        edit(&parts)
        return Policy(parts)
    }

    static func code(_ numbers: Int...) -> Condition {
        .code(numbers.map { RequirementReference(policy: 1, number: $0, title: "q\($0)") })
    }

    static func to(_ hosts: [String], _ proof: NameProof = .claimed) throws -> Condition {
        var destination = Destination()
        destination.prefixes = .init(hosts.compactMap { IPPrefix($0) })
        for host in hosts where IPPrefix(host) == nil {
            destination.names.insert(try #require(HostPattern(host)))
        }
        return .to(destination, proof)
    }
}
