// SPDX-License-Identifier: Apache-2.0

// Admission: from the facts of a flow to its first step. Decides from memory alone.

import FlowModel
import FlowPolicy
import NIOCore

extension FlowDriver {
    /// Judges the flow and begins to carry the verdict out.
    func admit() {
        let admission = policy.policy.admit(facts)
        if facts.intake == .absoluteForm {
            // Each request names its own origin and has its own verdict, so none is dialled before the first is read.
            record.verdict = admission.verdict
            return openFlow { self.becomeHTTP() }
        }
        switch admission {
        case .decided(let verdict):
            enact(verdict)
        case .deferred(let deferral):
            // A rule wants the name, which only the application's first bytes can tell.
            record.verdict = deferral.otherwise
            if flow.isConnected {
                openFlow { self.become(ClassifyStage(self)) }
            } else {
                dialThenOpen { self.become(ClassifyStage(self)) }
            }
        }
    }

    private func enact(_ verdict: Verdict) {
        record.verdict = verdict
        switch verdict.lane {
        case .bypass where flow.canDecline:
            flow.decline()
            finish(.declined)
        case .bypass, .relay:
            if verdict.lane == .bypass {
                note(Reason("bypass-relayed", "this intake cannot hand a flow back, so its bytes are relayed"))
            }
            dialThenOpen { self.become(RelayStage(self)) }
        case .inspect:
            dialThenOpen { self.become(ClassifyStage(self)) }
        case .block:
            openFlow { self.become(ClassifyStage(self, blocking: verdict)) }
        }
    }

    /// The absolute form is HTTP by construction.
    private func becomeHTTP() {
        touch()
        record.protocols.append("http/1.1")
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
    private func dialThenOpen(_ next: @escaping () -> Void) {
        dial { result in
            switch result {
            case .success:
                self.openFlow(next)
            case .failure(let failure):
                self.note(Reason("origin-\(failure.rawValue)", "\(self.facts.destination) could not be reached"))
                self.flow.refuse(failure)
                self.finish(.unreachable)
            }
        }
    }

    private func openFlow(_ next: @escaping () -> Void) {
        flow.open().hop(to: loop).assumeIsolated().whenComplete { result in
            switch result {
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
