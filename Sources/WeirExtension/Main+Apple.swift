// SPDX-License-Identifier: Apache-2.0

// The program: what a Mac brings, the app's door, and then the system's own loop.

#if os(macOS)
internal import Dispatch
internal import EngineAssembly
internal import Foundation
internal import MacControl
internal import NetworkExtension

@main
enum Main {
    /// Held for the life of the process.
    static let listener = ProductNames(information: Bundle.main.infoDictionary ?? [:]).flatMap { names in
        SystemParts.system(names).map { parts in
            let runtime = ExtensionRuntime(parts)
            ExtensionRuntime.install(runtime)
            let service = ControlService(runtime, administrators: AdministratorGroup(), now: AssembledEngine.now)
            return ControlListener(service, names: names)
        }
    }

    static func main() {
        listener?.listen()
        NEProvider.startSystemExtensionMode()
        dispatchMain()
    }
}
#endif
