// SPDX-License-Identifier: Apache-2.0

// The options that every verb which carries flows shares.

import ArgumentParser

/// Text for people, or lines of JSON for programs.
enum OutputFormat: String, ExpressibleByArgument, CaseIterable { case text, json }

struct RuntimeOptions: ParsableArguments {
    @Option(
        help: "Where Weir keeps its authority and its events. Default: $XDG_STATE_HOME/weir, as root /var/lib/weir.")
    var state: String?

    @Option(help: "A policy file, or a preset: report, redact.")
    var policy = "report"

    @Option(
        name: .customLong("upstream-ca"),
        help: "Trust these certificates (PEM) for origins, beside the system's.")
    var upstreamCA: String?

    @Option(help: ArgumentHelp("Another file than /etc/os-release, for tests.", visibility: .hidden))
    var osRelease: String?
}
