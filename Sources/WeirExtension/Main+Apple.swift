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
    static func main() {
        let names = ProductNames(information: Bundle.main.infoDictionary ?? [:])
        // Without names, or on a system that does not tell who a process is, a start says that nothing is installed.
        let listener = names.flatMap { names in
            SystemParts.system(names).map { parts in
                let runtime = ExtensionRuntime(parts)
                ExtensionRuntime.install(runtime)
                let service = ControlService(runtime, administrators: AdministratorGroup(), now: AssembledEngine.now)
                return ControlListener(service, names: names)
            }
        }
        listener?.listen()
        withExtendedLifetime(listener) {
            NEProvider.startSystemExtensionMode()
            dispatchMain()
        }
    }
}
#endif
