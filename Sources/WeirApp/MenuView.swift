// SPDX-License-Identifier: Apache-2.0

// The menu: how things stand, and what can be done about it.

#if os(macOS)
import AppKit
import MacControl
import SwiftUI

struct MenuView: View {
    @Bindable var model: ControlModel
    @Environment(\.openWindow) private var openWindow

    var body: some View {
        Text(model.standing.title)
        Divider()
        SwitchButtons(model: model)
        Divider()
        Button("Show Weir…") {
            openWindow(id: "weir")
            NSApplication.shared.activate()
        }
        Button("Quit") { NSApplication.shared.terminate(nil) }
            .task { await model.refresh() }
    }
}

/// The buttons that fit how things stand.
struct SwitchButtons: View {
    let model: ControlModel

    var body: some View {
        switch model.standing {
        case .notInstalled, .unreachable:
            Button("Install the Extension") { Task { await model.install() } }.disabled(model.isInstalling)
        case .off: Button("Switch On") { Task { await model.turnOn() } }
        case .paused: Button("Resume") { Task { await model.resume() } }
        case .disarmed: Button("Re-arm") { Task { await model.rearm() } }
        case .running:
            Menu("Pause") {
                ForEach(model.pauses, id: \.self) { minutes in
                    Button("For \(minutes) Minutes…") { model.askToPause(minutes: minutes) }
                }
            }
        case .unknown, .awaitsApproval, .awaitsRestart, .starting, .hung: EmptyView()
        }
        switch model.standing {
        case .running, .paused, .disarmed, .hung, .starting, .unreachable:
            Button("Switch Off") { Task { await model.turnOff() } }
        case .unknown, .notInstalled, .awaitsApproval, .awaitsRestart, .off: EmptyView()
        }
    }
}
#endif
