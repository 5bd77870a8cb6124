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

    private static let reportText = """
        # Looks at everything and reports what it finds; changes and refuses nothing.
        version: 1
        mode: observe
        rules:
          - name: look at everything
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
        # Masks what must not leave, and refuses what carries a private key.
        version: 1
        mode: enforce
        rules:
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
