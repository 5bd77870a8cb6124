// SPDX-License-Identifier: Apache-2.0

// Which program a launchd job starts (launchd.plist(5)).

/// The parts of a job's property list that say what runs.
struct LaunchdJob {
    let label: String
    /// `Program`, or else the first of `ProgramArguments`, or a path below the bundle that `BundleProgram` names.
    let program: String?

    /// Nil when there is no label.
    init?(_ job: PropertyListValue) {
        guard let label = job["Label"]?.string, !label.isEmpty else { return nil }
        self.label = label
        program =
            job["Program"]?.string ?? job["ProgramArguments"]?.array?.first?.string ?? job["BundleProgram"]?.string
    }
}
