// SPDX-License-Identifier: Apache-2.0

// The life of the provider as a state machine: what the system asks, and what is to be done.

/// The life of one instance of the provider.
///
/// The system makes an instance for each session, so a life goes one way, and no state comes twice:
///
///     event    idle      making     setting   running       ending       ended
///     start    making: make   joins      joins     report        joins        report
///     made     –              setting: set   free  free          free         free
///     unmade   –              ended: report  –     –             –            –
///     ruled    –              –          running: report  –      –            –
///     fail     ended: report  ended: report  ending: free  ending: free  –    –
///     stop     ended: report  ended: report  ending: free  ending: free  joins  report
///     freed    –              –          –         –             ended: report  –
///
/// A call that joins is answered with the others: a start that macOS 26 delivers twice makes nothing twice. Whatever was
/// made is freed before a failure is reported, because no stop follows a failed start. What is made after its time is
/// freed at once, so a deadline needs no event of its own: it is an `unmade` or a `freed` that comes first.
struct ProviderLife<Resources, Start, Stop>: ~Copyable {
    enum Phase: String, Sendable, CaseIterable { case idle, making, setting, running, ending, ended }

    enum Action {
        case nothing
        /// Make the resources; then `made` or `unmade`.
        case make
        /// Set the rules; then `ruled` or `fail`.
        case set(Resources)
        /// End what goes on and free all; then `freed`.
        case free(Resources)
        /// Answer these calls.
        case report(Report)
    }

    /// Whom to answer, and what: each call once.
    struct Report {
        var starts: [Start] = []
        var stops: [Stop] = []
        /// What starts are answered; nil when the provider runs.
        var failure: ProviderFailure?
        /// Whether the system must be told that the provider ended by itself.
        var cancels = false
    }

    private enum State {
        case idle
        case making([Start])
        case setting(Resources, [Start])
        case running(Resources)
        /// Being freed; the report waits for that.
        case ending(Report, ProviderFailure)
        case ended(ProviderFailure)
    }

    private var state = State.idle
    private static var stopped: ProviderFailure { ProviderFailure(.stopped, "the session is over") }

    /// What flows are taken with; nil unless the provider runs.
    var running: Resources? { if case .running(let resources) = state { resources } else { nil } }

    var phase: Phase {
        switch state {
        case .idle: .idle
        case .making: .making
        case .setting: .setting
        case .running: .running
        case .ending: .ending
        case .ended: .ended
        }
    }

    mutating func start(_ call: Start) -> Action {
        switch state {
        case .idle:
            state = .making([call])
            return .make
        case .making(let calls):
            state = .making(calls + [call])
            return .nothing
        case .setting(let resources, let calls):
            state = .setting(resources, calls + [call])
            return .nothing
        case .running:
            return .report(Report(starts: [call]))
        case .ending(var report, let failure):
            report.starts.append(call)
            state = .ending(report, failure)
            return .nothing
        case .ended(let failure):
            return .report(Report(starts: [call], failure: failure))
        }
    }

    mutating func made(_ resources: Resources) -> Action {
        guard case .making(let calls) = state else { return .free(resources) }
        state = .setting(resources, calls)
        return .set(resources)
    }

    mutating func unmade(_ failure: ProviderFailure) -> Action {
        guard case .making = state else { return .nothing }
        return fail(failure)
    }

    mutating func ruled() -> Action {
        guard case .setting(let resources, let calls) = state else { return .nothing }
        state = .running(resources)
        return .report(Report(starts: calls))
    }

    mutating func fail(_ failure: ProviderFailure) -> Action { end(failure, stops: []) }

    mutating func stop(_ call: Stop) -> Action { end(Self.stopped, stops: [call]) }

    mutating func freed() -> Action {
        guard case .ending(let report, let failure) = state else { return .nothing }
        state = .ended(failure)
        return .report(report)
    }

    /// Ends the life; without a stop it ended by itself.
    private mutating func end(_ failure: ProviderFailure, stops: [Stop]) -> Action {
        var report = Report(stops: stops, failure: failure)
        switch state {
        case .idle:
            report.cancels = stops.isEmpty
            state = .ended(failure)
            return .report(report)
        case .making(let calls):
            report.starts = calls
            state = .ended(failure)
            return .report(report)
        case .setting(let resources, let calls):
            report.starts = calls
            state = .ending(report, failure)
            return .free(resources)
        case .running(let resources):
            report.cancels = stops.isEmpty
            state = .ending(report, failure)
            return .free(resources)
        case .ending(var earlier, let first):
            earlier.stops += stops
            state = .ending(earlier, first)
            return .nothing
        case .ended:
            return stops.isEmpty ? .nothing : .report(report)
        }
    }
}
