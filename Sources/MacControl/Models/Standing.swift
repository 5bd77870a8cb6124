// SPDX-License-Identifier: Apache-2.0

// How Weir stands on this Mac, from what the system and the extension say.

/// How Weir stands, in the one word that the app shows.
public enum Standing: Hashable, Sendable {
    /// Nothing has been asked yet.
    case unknown
    case notInstalled
    case awaitsApproval
    case awaitsRestart
    /// The extension is there, and the proxy is switched off.
    case off
    case starting
    case running
    /// Milliseconds since 1970-01-01 UTC.
    case paused(until: Int64)
    /// It died too often and takes nothing until it is re-armed.
    case disarmed
    /// The system says that it runs, and it does not answer.
    case hung
    /// It runs, and we cannot ask it: another build, or a language that we do not speak.
    case unreachable

    /// What the extension said when it was asked.
    public enum Word: Hashable, Sendable {
        case state(ControlState)
        case failed(ControlFailure)
    }

    /// Puts together what is known; the extension is asked only while the system says that its session is connected.
    public init(installed: [InstalledExtension], status: ProxyStatus, word: Word?) {
        let present = installed.filter { !$0.isUninstalling }
        guard present.contains(where: \.isEnabled) else {
            if present.contains(where: \.isAwaitingApproval) {
                self = .awaitsApproval
            } else {
                self = installed.isEmpty ? .notInstalled : present.isEmpty ? .awaitsRestart : .notInstalled
            }
            return
        }
        switch status {
        case .invalid, .disconnected, .disconnecting: self = .off
        case .connecting, .reasserting: self = .starting
        case .connected:
            switch word {
            case nil: self = .starting
            case .failed(.hung): self = .hung
            case .failed: self = .unreachable
            case .state(let state):
                switch state.condition {
                case .running: self = .running
                case .paused: self = state.pausedUntil.map { .paused(until: $0) } ?? .off
                case .off: self = .off
                case .disarmed: self = .disarmed
                case .unknown: self = .unreachable
                }
            }
        }
    }

    /// One line for people.
    public var title: String {
        switch self {
        case .unknown: "Looking…"
        case .notInstalled: "Not installed"
        case .awaitsApproval: "Waiting for your approval"
        case .awaitsRestart: "Restart to finish"
        case .off: "Off"
        case .starting: "Starting…"
        case .running: "On"
        case .paused: "Paused"
        case .disarmed: "Stopped after failures"
        case .hung: "Not answering"
        case .unreachable: "On, and cannot be asked"
        }
    }

    /// What to do, in a sentence or two; nil when there is nothing to do.
    public var guidance: String? {
        switch self {
        case .unknown, .off, .starting, .running, .paused: nil
        case .notInstalled: "Install the extension. The system will ask you to approve it."
        case .awaitsApproval:
            "Open System Settings, General, Login Items & Extensions, Network Extensions, and switch Weir on. If Weir "
                + "is not listed there, restart the Mac."
        case .awaitsRestart: "The system finishes the change when the Mac restarts."
        case .disarmed: "The extension died three times in ten minutes and takes nothing now. Re-arm it to try again."
        case .hung: "Switch Weir off. The network recovers as soon as the system has stopped the extension."
        case .unreachable: "The app and the extension may be of different versions. Install the extension again."
        }
    }
}
