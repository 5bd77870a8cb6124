// SPDX-License-Identifier: Apache-2.0

// The window: state, what is bypassed and why, and events.

#if os(macOS)
import MacControl
import SwiftUI

struct MainView: View {
    @Bindable var model: ControlModel

    var body: some View {
        TabView {
            Tab("State", systemImage: model.standing.symbol) { StateView(model: model) }
            Tab("Left Alone", systemImage: "arrow.uturn.right") { BypassView(bypasses: model.bypasses) }
            Tab("Events", systemImage: "list.bullet") { EventsView(model: model) }
        }
        .padding()
        .task {
            while !Task.isCancelled {
                await model.refresh()
                try? await Task.sleep(for: .seconds(5))
            }
        }
        .confirmationDialog(
            "Pause Weir for \(model.pauseToConfirm ?? 0) minutes?", isPresented: isPausing, titleVisibility: .visible
        ) {
            Button("Pause") { Task { await model.confirmPause() } }
            Button("Cancel", role: .cancel) { model.cancelPause() }
        } message: {
            Text("Until then nothing that leaves this Mac is looked at. Connections that are open stay as they are.")
        }
        .alert("That did not work", isPresented: hasProblem) {
            Button("OK") { model.problem = nil }
        } message: {
            Text(model.problem ?? "")
        }
    }

    private var isPausing: Binding<Bool> {
        Binding {
            model.pauseToConfirm != nil
        } set: {
            if !$0 { model.cancelPause() }
        }
    }

    private var hasProblem: Binding<Bool> {
        Binding {
            model.problem != nil
        } set: {
            if !$0 { model.problem = nil }
        }
    }
}

struct StateView: View {
    let model: ControlModel

    var body: some View {
        Form {
            LabeledContent("Weir", value: model.standing.title)
            if let guidance = model.standing.guidance { Text(guidance).foregroundStyle(.secondary) }
            if case .paused(let until) = model.standing { LabeledContent("Until") { MomentView(until) } }
            if let state = model.state {
                LabeledContent("Mode", value: state.mode)
                if let cause = state.modeCause { Text("because \(cause)").foregroundStyle(.secondary) }
                LabeledContent("Policy", value: state.policy)
                LabeledContent("Digest", value: String(state.policyDigest.prefix(16)))
                if let problem = state.policyProblem { Text(problem).foregroundStyle(.red) }
                LabeledContent("Connections", value: state.liveFlows, format: .number)
            }
            HStack {
                SwitchButtons(model: model)
                Button("Read Policy Again") { Task { await model.reload() } }.disabled(model.state == nil)
                Button("Uninstall…", role: .destructive) { Task { await model.uninstall() } }
            }
        }
        .formStyle(.grouped)
    }
}

struct BypassView: View {
    let bypasses: [BypassCount]

    var body: some View {
        Table(bypasses) {
            TableColumn("Reason", value: \.detail)
            TableColumn("Connections") { Text($0.count, format: .number) }.width(100)
        }
    }
}

struct EventsView: View {
    let model: ControlModel

    var body: some View {
        Table(model.events) {
            TableColumn("Time") { MomentView($0.time) }
            TableColumn("Program") { Text($0.program ?? "unknown") }
            TableColumn("Host", value: \.host)
            TableColumn("What was done", value: \.lane)
            TableColumn("Why", value: \.reason)
            TableColumn("Findings") { Text($0.findings, format: .number) }.width(60)
        }
        .task { await model.loadEvents() }
        HStack {
            Button("Newest") { Task { await model.loadEvents() } }
            Button("Older") { Task { await model.loadOlderEvents() } }.disabled(!model.hasOlderEvents)
        }
    }
}

/// A moment in milliseconds since 1970-01-01 UTC.
struct MomentView: View {
    private let date: Date

    init(_ milliseconds: Int64) { date = Date(timeIntervalSince1970: Double(milliseconds) / 1000) }

    var body: some View { Text(date, format: .dateTime.month().day().hour().minute().second()) }
}
#endif
