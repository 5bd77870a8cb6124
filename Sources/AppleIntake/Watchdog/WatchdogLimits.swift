// SPDX-License-Identifier: Apache-2.0

// Every number that bounds the watchdog, the register of deaths and the list of what is not covered.

public import FlowModel

extension AppleIntakeLimits {
    public static let beatInterval = Limit(
        "apple.watchdog.interval", 2_000, .milliseconds, metric: "none",
        "How often the queue and the loops are looked at: no callback of ours takes a thousandth of it.")
    public static let missedBeats = Limit(
        "apple.watchdog.misses", 3, .count, metric: "provider_deaths_total",
        "Looks in a row without a move; then the provider is ended, for a dead one recovers and a hung one does not.")
    public static let stackThreads = Limit(
        "apple.watchdog.threads", 256, .count, metric: "none",
        "Threads whose stacks are written: far more than a provider has.")
    public static let stackFrames = Limit(
        "apple.watchdog.frames", 64, .count, metric: "none",
        "Frames of one stack, the innermost: enough to see what it waits for and who asked.")
    public static let stackText = Limit(
        "apple.watchdog.text", 512 << 10, .bytes, metric: "none",
        "The file of stacks, in memory from the start because nothing may be allocated then; the rest is cut.")
    public static let stackWait = Limit(
        "apple.watchdog.wait", 1_000, .milliseconds, metric: "none",
        "How long the end waits for the stacks to be written: a disk that hangs must not keep a hung provider alive.")
    public static let deaths = Limit(
        "apple.deaths.most", 3, .count, metric: "provider_deaths_total",
        "Deaths within the window after which the provider takes nothing: each one cuts every connection it carries.")
    public static let deathWindow = Limit(
        "apple.deaths.window", 600_000, .milliseconds, metric: "none",
        "What dies three times in ten minutes will do so again; a death a day is no reason to see nothing.")
    public static let deathFile = Limit(
        "apple.deaths.file", 4_096, .bytes, metric: "none",
        "The register of deaths takes less than 1 KiB; a larger file is none of ours.")
    public static let gapPrograms = Limit(
        "apple.gap.programs", 16, .count, metric: "none",
        "Programs named in a notice on what is not covered, those with most connections; the rest is counted.")
    public static let gapProcesses = Limit(
        "apple.gap.processes", 8_192, .count, metric: "none",
        "Processes asked for their connections: more than the system lets run at once as it is set up.")
    public static let gapSockets = Limit(
        "apple.gap.sockets", 16_384, .count, metric: "none",
        "Descriptors looked at in one process; a server with more is counted as far as that.")

    static let watchdog = [
        beatInterval, missedBeats, stackThreads, stackFrames, stackText, stackWait, deaths, deathWindow, deathFile,
        gapPrograms, gapProcesses, gapSockets,
    ]
}
