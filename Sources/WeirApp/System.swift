// SPDX-License-Identifier: Apache-2.0

// The model with the Mac behind it, and the switch without a window.

#if os(macOS)
import Dispatch
import Foundation
import MacControl

extension ControlModel {
    /// Nil when the bundle does not carry its names.
    static func system() -> ControlModel? {
        ProductNames(information: Bundle.main.infoDictionary ?? [:]).map { names in
            ControlModel(
                installer: SystemExtensionInstaller(names: names), proxy: TransparentProxySwitch(names: names),
                client: { build in ControlClient { ControlConnection(names: names, build: build) } },
                now: { Int64(Date().timeIntervalSince1970 * 1000) })
        }
    }
}

enum SwitchOff {
    /// Switches the proxy off through the system's preferences, and ends the process.
    static func run() -> Never {
        Task { @MainActor in
            guard let names = ProductNames(information: Bundle.main.infoDictionary ?? [:]) else { exit(70) }
            do throws(SwitchFailure) {
                try await TransparentProxySwitch(names: names).turnOff()
                exit(0)
            } catch {
                FileHandle.standardError.write(Data("weir: \(error.words)\n".utf8))
                exit(1)
            }
        }
        dispatchMain()
    }
}
#endif
