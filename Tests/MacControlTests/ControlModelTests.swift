// SPDX-License-Identifier: Apache-2.0

import Foundation
import Synchronization
import Testing

@testable import MacControl

@MainActor
@Suite struct ControlModelTests {
    let target = FakeTarget()
    let installer = FakeInstaller()
    let proxy = FakeSwitch(ProxyConfiguration(isEnabled: true), status: .connected)

    init() { installer.memory.withLock { $0.found = [InstalledExtension(build: "7", isEnabled: true)] } }

    private func model(
        user: UInt32 = 0, wire: (@Sendable () -> FakeWire?)? = nil, clock: any Clock<Duration> = ContinuousClock()
    ) -> ControlModel {
        let service = ControlService(target, administrators: FakeDirectory(), now: { 1_000 })
        let wire = wire ?? { .to(service, user: user) }
        return ControlModel(
            installer: installer, proxy: proxy,
            client: { _ in ControlClient(wait: .seconds(60), clock: clock) { wire() } }, now: { 1_000 })
    }

    @Test func `What the extension says is shown`() async {
        let model = model(user: 501)
        await model.refresh()
        #expect(model.standing == .running)
        #expect(model.state == .sample())
        #expect(model.bypasses.map(\.code) == ["os"])
        #expect(model.problem == nil)
    }

    @Test func `A hung extension is shown as hung, and switched off without it`() async {
        let model = model(wire: { .hung() }, clock: ImpatientClock())
        await model.refresh()
        #expect(model.standing == .hung)
        #expect(model.standing.guidance?.contains("off") == true)
        await model.turnOff()
        #expect(model.standing == .off)
        #expect(proxy.steps == ["load", "stop", "save false"])
        #expect(target.told == [])
    }

    @Test func `A pause needs to be confirmed`() async {
        let model = model()
        await model.refresh()
        model.askToPause(minutes: 15)
        #expect(model.pauseToConfirm == 15)
        #expect(target.told == [])
        model.cancelPause()
        await model.confirmPause()
        #expect(target.told == [])
        model.askToPause(minutes: 15)
        await model.confirmPause()
        #expect(target.told == ["pause 901000"])
        #expect(model.pauseToConfirm == nil)
    }

    @Test func `A pause that is not offered is not asked for`() {
        let model = model()
        model.askToPause(minutes: 1 << 40)
        #expect(model.pauseToConfirm == nil)
    }

    @Test func `What a user may not do is said in words`() async {
        let model = model(user: 501)
        await model.refresh()
        await model.rearm()
        #expect(model.problem?.contains("administrator") == true)
        #expect(target.told == [])
    }

    @Test func `Pages of events join without gap or double, also where many share a moment`() async {
        let times = (0..<450).map { Int64(1_000 - $0 / 150) }
        target.memory.withLock {
            $0.events = times.enumerated().map { (UInt32(501), ControlEvent.sample($0.offset, time: $0.element)) }
        }
        let model = model()
        await model.refresh()
        await model.loadEvents()
        #expect(model.events.count == 200)
        for _ in 0..<5 where model.hasOlderEvents { await model.loadOlderEvents() }
        #expect(!model.hasOlderEvents)
        #expect(model.events.map(\.id) == (0..<450).map(String.init))
    }

    @Test func `After an upgrade the extension of the new build is asked`() async {
        let builds = Mutex<[String]>([])
        let service = ControlService(target, administrators: FakeDirectory(), now: { 1_000 })
        let model = ControlModel(
            installer: installer, proxy: proxy,
            client: { build in
                builds.withLock { $0.append(build) }
                return ControlClient { FakeWire.to(service) }
            }, now: { 1_000 })
        await model.refresh()
        await model.refresh()
        installer.memory.withLock {
            $0.found = [
                InstalledExtension(build: "7", isEnabled: true, isUninstalling: true),
                InstalledExtension(build: "8", isEnabled: true),
            ]
        }
        await model.refresh()
        #expect(builds.withLock { $0 } == ["7", "8"])
    }

    @Test func `Installing ends installed, or in words`() async {
        installer.memory.withLock { $0.found = [] }
        let model = model()
        await model.refresh()
        #expect(model.standing == .notInstalled)
        installer.memory.withLock { $0.outcome = .failure(InstallFailure(.unsupportedParentBundleLocation)) }
        await model.install()
        #expect(model.problem?.contains("Applications") == true)
        #expect(!model.isInstalling)
        installer.memory.withLock { $0.outcome = .success(.afterRestart) }
        await model.install()
        #expect(model.problem == Standing.awaitsRestart.guidance)
        installer.memory.withLock { $0.outcome = .success(.completed) }
        await model.install()
        #expect(model.standing == .running)
    }

    @Test func `Uninstalling takes the configuration away before the extension`() async {
        let model = model()
        await model.uninstall()
        #expect(proxy.steps == ["load", "stop", "remove"])
        #expect(installer.memory.withLock { $0.asked } == ["deactivate"])
        #expect(model.standing == .notInstalled)
    }

    @Test func `An extension whose configuration stays is not removed`() async {
        proxy.memory.withLock { $0.failure = SwitchFailure(.notAllowed) }
        let model = model()
        await model.uninstall()
        #expect(installer.memory.withLock { $0.asked } == [])
        #expect(model.problem == SwitchFailure(.notAllowed).words)
    }
}
