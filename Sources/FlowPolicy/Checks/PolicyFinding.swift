// SPDX-License-Identifier: Apache-2.0

// What is doubtful in a policy that can be read, and how to mend it.

internal import FlowModel

/// One thing that `Policy.check` found: what is wrong, where, and what to do.
public struct PolicyFinding: Hashable, Sendable, CustomStringConvertible {
    /// How much it matters; the words are those of SARIF's levels.
    public enum Severity: String, Sendable, Comparable, CaseIterable {
        /// Worth knowing.
        case note
        /// Probably not what was meant.
        case warning
        /// It breaks the system, lets out what was not meant, or can never hold.
        case error

        private var rank: Int { self == .error ? 2 : self == .warning ? 1 : 0 }
        public static func < (a: Severity, b: Severity) -> Bool { a.rank < b.rank }
    }

    /// What kind of finding it is; stable, for programs.
    public enum Code: String, Sendable, CaseIterable {
        // Rules that decide nothing.
        case shadowed, contradictory, unused, expired
        case contentNotInspected = "content-not-inspected"
        case unknownUnreached = "unknown-unreached"
        case neverSet = "never-set"
        case ruleOff = "rule-off"
        case rolloutNone = "rollout-none"
        case rolloutComplete = "rollout-complete"
        case inspectsNothing = "inspects-nothing"
        // Rules that let out more than they say.
        case weakRequirement = "weak-requirement"
        case allowsByNegation = "allows-by-negation"
        case injectable
        case userTools = "user-tools"
        case uploadDomain = "upload-domain"
        case claimedName = "claimed-name"
        // Rules that break what they touch.
        case osTaken = "os-taken"
        case osRelayed = "os-relayed"
        case osNotSpared = "os-not-spared"
        case pinnedInspected = "pinned-inspected"
        case neverRowTaken = "never-row-taken"
        case dnsBlocked = "dns-blocked"
        // What time brings, what it costs, and people.
        case expiresSoon = "expires-soon"
        case catalogueOld = "catalogue-old"
        case patternCost = "pattern-cost"
        case usersNamed = "users-named"
        case retainedLong = "retained-long"
        case incomplete
    }

    public let code: Code
    public let severity: Severity
    public let place: SourcePlace
    /// The name of the rule it is about; nil when it is about the policy as a whole.
    public let rule: String?
    /// What is wrong, and why that matters; one line.
    public let message: String
    /// What to do about it; one line.
    public let mend: String

    /// Makes a finding; control characters in the texts are replaced, and what is longer than a line is cut.
    public init(
        _ code: Code, _ severity: Severity, _ place: SourcePlace, rule: String? = nil, _ message: String, mend: String
    ) {
        self.code = code
        self.severity = severity
        self.place = place
        self.rule = rule
        self.message = Self.line(message)
        self.mend = Self.line(mend)
    }

    /// `file:line:column: severity: message (code)`.
    public var description: String { "\(place): \(severity.rawValue): \(message) (\(code.rawValue))" }

    private static func line(_ text: String) -> String {
        let limit = PolicyLimits.findingCharacters.value
        let head = text.unicodeScalars.prefix(limit).map { Quoted.isControl($0) ? "\u{fffd}" : $0 }
        return String(String.UnicodeScalarView(head)) + (text.unicodeScalars.count > limit ? "…" : "")
    }
}

extension PolicyFinding.Code {
    /// What every finding of this kind says, in one sentence.
    public var summary: String {
        switch self {
        case .shadowed: "Earlier rules take every flow that this rule would take."
        case .contradictory: "The conditions of the rule cannot all hold."
        case .unused: "Nothing refers to what is declared here."
        case .expired: "The rule held until a moment that has passed."
        case .contentNotInspected: "The rule decides what is found in flows that are never inspected."
        case .unknownUnreached: "A rule takes every flow before its unknown program is asked for."
        case .neverSet: "The flows of the rule are left alone before any rule is asked."
        case .ruleOff: "The rule is switched off."
        case .rolloutNone: "The rule is rolled out to no device."
        case .rolloutComplete: "The rule is rolled out to every device."
        case .inspectsNothing: "No rule of the policy inspects."
        case .weakRequirement: "Code that nobody meant can meet the requirement."
        case .allowsByNegation: "The rule lets out whatever is not something."
        case .injectable: "The rule lets out everything that runs inside the programs it names."
        case .userTools: "The rule lets out tools that send whatever a user tells them to."
        case .uploadDomain: "The rule lets out everything below a domain to which users upload."
        case .claimedName: "The rule lets out on a name that the program itself gave."
        case .osTaken: "The rule inspects or refuses what the operating system does for itself."
        case .osRelayed: "The rule carries traffic of the operating system that is better not taken."
        case .osNotSpared: "Nothing leaves the operating system alone before a rule that takes everything."
        case .pinnedInspected: "The rule inspects what accepts only its own servers' certificates."
        case .neverRowTaken: "A row was taken out of the never set."
        case .dnsBlocked: "The DNS queries of programs are refused."
        case .expiresSoon: "The rule will soon hold no more."
        case .catalogueOld: "The catalogues are more than a year old."
        case .patternCost: "Matching the pattern costs too much."
        case .usersNamed: "Users are named in every event, and nothing says for how long."
        case .retainedLong: "Events are kept for more than half a year."
        case .incomplete: "Not everything could be looked at."
        }
    }
}
