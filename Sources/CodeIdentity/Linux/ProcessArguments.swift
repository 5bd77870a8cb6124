// SPDX-License-Identifier: Apache-2.0

// /proc/PID/cmdline and environ: what a process says of itself. Both can be forged.

enum ProcessArguments {
    /// The arguments; when the text was cut, without the one that the cut went through.
    static func arguments(_ text: BoundedText) -> [String] {
        var parts = text.bytes.split(separator: 0, omittingEmptySubsequences: false)
        // The last argument ends with a NUL as well; what follows it is nothing, or cut.
        if parts.last?.isEmpty == true || !text.complete { parts.removeLast() }
        return parts.map(ProcFields.text)
    }

    /// Whether the environment asks the dynamic loader for libraries, from ld.so(8); no value is kept.
    ///
    /// An environment too long to be read counts as one that does: it can only add suspicion.
    static func asksLoader(_ environment: BoundedText) -> Bool {
        let names: [StaticString] = ["LD_PRELOAD=", "LD_AUDIT=", "LD_LIBRARY_PATH="]
        return !environment.complete
            || environment.bytes.split(separator: 0).contains { entry in
                // An empty value asks for nothing.
                names.contains { entry.begins(with: $0) && entry.count > $0.utf8CodeUnitCount }
            }
    }
}
