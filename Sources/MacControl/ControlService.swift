// SPDX-License-Identifier: Apache-2.0

// The extension's side: bytes of a caller in, bytes of an answer out.

internal import Dispatch
public import FlowModel
public import Foundation
internal import Synchronization

/// What the extension offers to the app.
///
/// None of it is called on the provider's queue, and none of it may wait for that queue.
public protocol ControlTarget: Sendable {
    func state() async -> ControlState
    func bypasses() async -> [BypassCount]
    /// Newest first, at most `limit`, all before the moment if one is given.
    func events(before: Int64?, limit: Int, reach: PeerCheck.Reach) async throws(ControlRefusal) -> [ControlEvent]
    func pause(until: Int64) async throws(ControlRefusal)
    func resume() async throws(ControlRefusal)
    func off() async throws(ControlRefusal)
    func rearm() async throws(ControlRefusal)
    func reload() async throws(ControlRefusal)
}

/// Answers requests; knows nothing of how they come.
public final class ControlService: Sendable {
    private let target: any ControlTarget
    private let administrators: any AdministratorDirectory
    private let versions: ControlVersions
    private let metrics: any MetricSink
    private let now: @Sendable () -> Int64
    private let answering = Mutex(0)
    private let directory = DispatchQueue(label: "weir.control.directory")

    /// `now` gives milliseconds since 1970-01-01 UTC.
    public init(
        _ target: any ControlTarget, administrators: any AdministratorDirectory,
        versions: ControlVersions = .current, metrics: any MetricSink = NoSink(), now: @escaping @Sendable () -> Int64
    ) {
        self.target = target
        self.administrators = administrators
        self.versions = versions
        self.metrics = metrics
        self.now = now
    }

    /// The answer to a message; there always is one, and empty bytes only if nothing could be written.
    public func answer(_ bytes: Data, from caller: ControlCaller) async -> Data {
        metrics.add("control_requests_total", 1)
        let message = await reply(bytes, from: caller)
        if case .refused = message.reply { metrics.add("control_refused_total", 1) }
        return (try? message.bytes()) ?? Data()
    }

    private func reply(_ bytes: Data, from caller: ControlCaller) async -> ReplyMessage {
        var version = 0
        do throws(ControlRefusal) {
            let isRoom = answering.withLock { count in
                count += 1
                return count <= MacControlLimits.requests.value
            }
            defer { answering.withLock { $0 -= 1 } }
            guard isRoom else {
                metrics.add(MacControlLimits.requests.metric, 1)
                throw ControlRefusal(.busy, "too many requests at a time; ask again")
            }
            let message = try RequestMessage(bytes)
            guard let common = versions.common(with: message.versions) else {
                throw ControlRefusal(
                    .noCommonVersion,
                    "the extension speaks versions \(versions.oldest) to \(versions.newest), the app "
                        + "\(message.versions.oldest) to \(message.versions.newest); update the older one")
            }
            version = common
            let isAdministrator = await isAdministrator(caller)
            let reach = try PeerCheck.decide(message.request, from: caller, isAdministrator: isAdministrator)
            return ReplyMessage(try await perform(message.request, reach), version: version)
        } catch {
            return ReplyMessage(.refused(error), version: version)
        }
    }

    /// Asks on a thread that may wait: the directory can be a server, and all tasks share few threads.
    private func isAdministrator(_ caller: ControlCaller) async -> Bool {
        guard caller.isOurs else { return false }
        return await withCheckedContinuation { answer in
            directory.async { [administrators] in
                answer.resume(returning: administrators.isAdministrator(caller.user))
            }
        }
    }

    private func perform(
        _ request: ControlRequest, _ reach: PeerCheck.Reach
    ) async throws(ControlRefusal) -> ControlReply {
        switch request {
        case .state: return .state(await target.state())
        case .bypasses: return .bypasses(await target.bypasses())
        case .events(let before, let limit):
            let events = try await target.events(before: before, limit: limit, reach: reach)
            return .events(events, isLast: events.count < limit)
        case .pause(let until):
            let most = Int64(MacControlLimits.pause.value) * 1_000
            let now = now()
            guard until > now else { throw ControlRefusal(.failed, "the end of the pause is past") }
            guard until &- now <= most else {
                throw ControlRefusal(
                    .failed, "a pause lasts \(most / 3_600_000) hours at most; switch Weir off instead")
            }
            try await target.pause(until: until)
        case .resume: try await target.resume()
        case .off: try await target.off()
        case .rearm: try await target.rearm()
        case .reload: try await target.reload()
        case .unknown: throw ControlRefusal(.unknownRequest)
        }
        return .done
    }
}
