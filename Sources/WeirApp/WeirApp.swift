// SPDX-License-Identifier: Apache-2.0

// The app: an item in the menu bar and one window, both views of one model.

#if os(macOS)
import Foundation
import MacControl
import SwiftUI

@main
enum Main {
    static func main() {
        // `weir off` runs this program with --off: only it may change the app's preferences, and no view is needed.
        if CommandLine.arguments.dropFirst().first == "--off" { SwitchOff.run() }
        WeirApp.main()
    }
}

struct WeirApp: App {
    @State private var model = ControlModel.system()

    var body: some Scene {
        MenuBarExtra("Weir", systemImage: model?.standing.symbol ?? "questionmark.circle") {
            if let model { MenuView(model: model) } else { BrokenView() }
        }
        Window("Weir", id: "weir") {
            if let model { MainView(model: model) } else { BrokenView() }
        }
        .defaultSize(width: 720, height: 480)
    }
}

/// The bundle does not say who it is.
struct BrokenView: View {
    var body: some View { Text("This copy of Weir is not complete. Install it again.").padding() }
}

extension Standing {
    /// The symbol in the menu bar.
    var symbol: String {
        switch self {
        case .running: "checkmark.shield"
        case .paused: "pause.circle"
        case .off, .notInstalled: "shield.slash"
        case .unknown, .starting: "ellipsis.circle"
        case .awaitsApproval, .awaitsRestart: "person.badge.clock"
        case .disarmed, .hung, .unreachable: "exclamationmark.shield"
        }
    }
}
#endif
