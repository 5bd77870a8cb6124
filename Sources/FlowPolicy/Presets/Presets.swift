// SPDX-License-Identifier: Apache-2.0

// The policies that ship with Weir: ordinary documents, read by the ordinary reader.

extension Policy {
    /// The names of the presets; the first is the default of every verb.
    public static let presetNames = ["report", "redact"]

    /// The document of a preset, to print or to start one's own from; nil when there is no such preset.
    public static func presetText(_ name: String) -> String? {
        switch name {
        case "report": return reportText
        case "redact": return redactText
        default: return nil
        }
    }

    /// A preset; nil when there is none of this name, or when it names a detector that does not exist.
    public static func preset(_ name: String, _ environment: PolicyEnvironment) -> Policy? {
        guard let text = presetText(name) else { return nil }
        return try? read(yaml: text, file: "preset \(name)", environment)
    }

    /// What both presets leave alone, whatever they look for in the rest.
    ///
    /// No port is excluded for everybody: the system's own use of it is told by identity.
    private static let safety = """
        unknown:
          # A program of the system, or no program at all: leave it alone until more is known.
          platform-unresolved: bypass
          no-token: bypass
          # Wait for the answer; if none comes, the rules below decide.
          exited: hold
          third-party-pending: hold
          # All other causes: the rules below decide.
        rules:
          - name: leave the system alone
            when: {class: os}
            then: bypass
          - name: programs that refuse any proxy
            # Cloud sync and messages: they trust their own servers only. Block them here, or let them be.
            when: {class: user-carrying-pinned}
            then: relay
          - name: private life
            # Banking, health, faith, unions, government, counsel: relayed before anything is decrypted.
            when: {to: catalogue private-life}
            then: relay
        """

    private static let reportText = """
        # Looks at everything but the system and private life, and reports what it finds; changes and refuses nothing.
        version: 1
        mode: observe
        \(safety)
          - name: look at everything else
            then: inspect
        profiles:
          report:
            detect: "*"
            outbound: report
            inbound: report
            uneditable: report
            on_failure: {before_takeover: relay, after_takeover: relay}
            other: relay

        """

    private static let redactText = """
        # Masks what must not leave, and refuses what carries a private key; leaves the system and private life alone.
        version: 1
        mode: enforce
        \(safety)
          - name: no private keys to anybody
            when: {content: private-key}
            then: block
          - name: strip the rest
            then: inspect
            profile: strict
        profiles:
          strict:
            detect: [payment-card, iban, secret/*, email]
            outbound: {default: redact, email: report}
            inbound: report
            uneditable: report
            on_failure: {before_takeover: relay, after_takeover: block}
            other: relay

        """
}
