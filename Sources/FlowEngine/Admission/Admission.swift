// SPDX-License-Identifier: Apache-2.0

// Admission: from the facts of a flow to its first step. Decides from memory alone.

import FlowModel
import FlowPolicy
import NIOCore

extension FlowDriver {
    /// Judges the flow, unless that has been done, and begins to carry the verdict out.
    func admit(_ verdict: Verdict?) {
        if let verdict { return enact(verdict) }
        // The absolute form is HTTP by construction.
        if facts.intake == .absoluteForm { facts.protocols = ["http/1.1"] }
        let admission = policy.policy.admit(facts, identityIsFinal: true)
        if facts.intake == .absoluteForm {
            // Each request names its own origin and has its own verdict, so none is dialled before the first is read.
            record.verdict = admission.verdict
            if admission.verdict.lane == .bypass { noteBypassRelayed() }
            return openFlow { self.becomeHTTP() }
        }
        switch admission {
        case .decided(let verdict):
            enact(verdict)
        case .deferred(let deferral):
            // A rule wants the name or the protocol, which only the application's first bytes can tell.
            record.verdict = deferral.otherwise
            if flow.isConnected {
                openFlow { self.become(ClassifyStage(self, deferral: deferral)) }
            } else {
                dialThenOpen { ClassifyStage(self, deferral: deferral, fromApplication: $0) }
            }
        }
    }

    private func enact(_ verdict: Verdict) {
        record.verdict = verdict
        switch verdict.lane {
        case .bypass where flow.canDecline:
            isAnswered = true
            flow.decline()
            finish(.declined)
        case .bypass, .relay:
            if verdict.lane == .bypass { noteBypassRelayed() }
            dialThenOpen { RelayStage(self, readFromApplication: $0) }
        case .inspect:
            dialThenOpen { ClassifyStage(self, fromApplication: $0) }
        case .block:
            openFlow { self.become(ClassifyStage(self, blocking: verdict)) }
        }
    }

    private func noteBypassRelayed() {
        note(Reason("bypass-relayed", "this intake cannot hand a flow back, so its bytes are relayed"))
    }

    private func becomeHTTP() {
        touch()
        become(HTTP1Stage(self))
    }

    /// Judges again with what has been learnt, and keeps the verdict in the record.
    @discardableResult
    func refine() -> Verdict {
        let verdict = policy.policy.refine(facts)
        record.verdict = verdict
        return verdict
    }

    func profile(_ verdict: Verdict) -> Profile? { verdict.profile.flatMap { policy.policy.profile($0) } }

    // MARK: Connecting

    /// Dials the origin first, so that its failure reaches the application as a failed connect; then opens the flow.
    ///
    /// An application that is connected already cannot be told so, but heard: it is opened at once.
    private func dialThenOpen(_ next: @escaping (ByteBuffer) -> any Stage) {
        if flow.isConnected { return openFlow { self.become(DiallingStage(self, next: next)) } }
        dial { result in
            switch result {
            case .success:
                self.openFlow { self.become(next(ByteBuffer())) }
            case .failure(let failure):
                self.note(Reason("origin-\(failure.rawValue)", "\(self.facts.destination) could not be reached"))
                self.isAnswered = true
                self.flow.refuse(failure)
                self.finish(.unreachable)
            }
        }
    }

    private func openFlow(_ next: @escaping () -> Void) {
        isAnswered = true
        flow.open().hop(to: loop).assumeIsolated().whenComplete { result in
            switch result {
            case .success(let channel) where self.isFinished:
                channel.close(promise: nil)
            case .success(let channel) where !channel.isActive:
                // It left while its origin was dialled.
                self.finish(.reset)
            case .success(let channel):
                do {
                    _ = try self.attach(channel, as: .application)
                    next()
                } catch {
                    channel.close(promise: nil)
                    self.finish(.reset)
                }
            case .failure:
                self.finish(.reset)
            }
        }
    }

    /// Dials the origin of a flow that is already open; its failure can only be a reset.
    func dialOrEnd(_ next: @escaping () -> Void) {
        dial { result in
            switch result {
            case .success:
                next()
            case .failure(let failure):
                self.note(Reason("origin-\(failure.rawValue)", "\(self.facts.destination) could not be reached"))
                self.abort(.unreachable)
            }
        }
    }
}
