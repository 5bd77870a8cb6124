// SPDX-License-Identifier: Apache-2.0

// What the app shows and does, without a view: a view reads properties and calls methods.

internal import FlowModel
public import Observation

/// The app's model.
@MainActor
@Observable
public final class ControlModel {
    public private(set) var standing = Standing.unknown
    /// What the extension said last; nil while it cannot be asked.
    public private(set) var state: ControlState?
    /// What is bypassed and why, the most frequent first.
    public private(set) var bypasses: [BypassCount] = []
    /// The events that were loaded, newest first.
    public private(set) var events: [ControlEvent] = []
    /// Whether older events can be loaded.
    public private(set) var hasOlderEvents = false
    /// How many minutes a pause would last that still has to be confirmed.
    public private(set) var pauseToConfirm: Int?
    /// What went wrong last, in words; a view lets it be dismissed.
    public var problem: String?
    /// Whether something is under way.
    public private(set) var isBusy = false
    /// Whether the system is asked to install the extension.
    public private(set) var isInstalling = false

    /// The pauses that are offered, in minutes.
    public let pauses = [5, 15, 60, 240]

    @ObservationIgnored private let installer: any ExtensionInstaller
    @ObservationIgnored private let proxy: any ProxySwitch
    @ObservationIgnored private let client: (String) -> ControlClient
    @ObservationIgnored private let now: () -> Int64
    @ObservationIgnored private var link: (build: String, client: ControlClient)?

    /// `client` gives a client of the extension of a build, `now` milliseconds since 1970-01-01 UTC.
    public init(
        installer: any ExtensionInstaller, proxy: any ProxySwitch, client: @escaping (String) -> ControlClient,
        now: @escaping () -> Int64
    ) {
        self.installer = installer
        self.proxy = proxy
        self.client = client
        self.now = now
    }

    // MARK: Looking

    /// Looks how things stand; to be called when the app appears, and now and then while it is visible.
    public func refresh() async {
        let installed: [InstalledExtension]
        do { installed = try await installer.installed() } catch {
            problem = error.words
            return
        }
        let status = await proxy.status()
        var word: Standing.Word?
        link = link(to: installed)
        if status == .connected, let link {
            do {
                if case .state(let state) = try await link.client.ask(.state) {
                    word = .state(state)
                } else {
                    word = .failed(.unreadable)
                }
            } catch { word = .failed(error) }
        }
        standing = Standing(installed: installed, status: status, word: word)
        guard case .state(let state) = word else {
            self.state = nil
            return
        }
        self.state = state
        if case .bypasses(let counts) = await reply(to: .bypasses) { bypasses = counts }
    }

    /// Loads the newest events in place of what was loaded.
    public func loadEvents() async {
        events = []
        hasOlderEvents = true
        await loadOlderEvents()
    }

    /// Loads the next page of older events.
    public func loadOlderEvents() async {
        guard hasOlderEvents else { return }
        // Several events may share a millisecond, and a page may end among them: asked for again, told once.
        let oldest = events.last?.time
        if await !add(before: oldest.map { $0 + 1 }), let oldest { _ = await add(before: oldest) }
    }

    /// Whether a page brought anything, or there is nothing more.
    private func add(before: Int64?) async -> Bool {
        let request = ControlRequest.events(before: before, limit: MacControlLimits.events.value)
        guard case .events(let page, let isLast) = await reply(to: request) else {
            hasOlderEvents = false
            return true
        }
        let known = Set(events.map(\.id))
        let new = page.filter { !known.contains($0.id) }
        events += new
        hasOlderEvents = !isLast
        return isLast || !new.isEmpty
    }

    // MARK: Doing

    /// Installs the extension, or replaces an older one.
    ///
    /// Ends when the user has approved it, which may be never: everything else can be done meanwhile.
    public func install() async {
        guard !isInstalling else { return }
        isInstalling = true
        problem = nil
        do throws(InstallFailure) {
            let outcome = try await installer.activate {
                Task { @MainActor in if self.isInstalling { self.standing = .awaitsApproval } }
            }
            if outcome == .afterRestart { problem = Standing.awaitsRestart.guidance }
        } catch { problem = error.words }
        isInstalling = false
        await refresh()
    }

    /// Switches Weir off, takes its configuration away and removes the extension.
    public func uninstall() async {
        await doing {
            do throws(SwitchFailure) { try await self.proxy.uninstall() } catch {
                self.problem = error.words
                return
            }
            do throws(InstallFailure) {
                if try await self.installer.deactivate() == .afterRestart {
                    self.problem = Standing.awaitsRestart.guidance
                }
            } catch { self.problem = error.words }
        }
    }

    public func turnOn() async {
        await doing {
            do throws(SwitchFailure) { try await self.proxy.turnOn() } catch { self.problem = error.words }
        }
    }

    /// Switches Weir off through the system; works when the extension hangs, and waits for nothing that is under way.
    public func turnOff() async {
        do throws(SwitchFailure) { try await proxy.turnOff() } catch { problem = error.words }
        await refresh()
    }

    /// Begins a pause, which does nothing until it is confirmed: meanwhile nothing is protected.
    public func askToPause(minutes: Int) { pauseToConfirm = pauses.contains(minutes) ? minutes : nil }
    public func cancelPause() { pauseToConfirm = nil }

    public func confirmPause() async {
        guard let minutes = pauseToConfirm else { return }
        pauseToConfirm = nil
        await command(.pause(until: now() + Int64(minutes) * 60_000))
    }

    public func resume() async { await command(.resume) }
    public func rearm() async { await command(.rearm) }
    public func reload() async { await command(.reload) }

    // MARK: Asking the extension

    private func command(_ request: ControlRequest) async { await doing { _ = await self.reply(to: request) } }

    /// Does one thing at a time, then looks how things stand.
    private func doing(_ work: () async -> Void) async {
        guard !isBusy else { return }
        isBusy = true
        problem = nil
        await work()
        await refresh()
        isBusy = false
    }

    private func reply(to request: ControlRequest) async -> ControlReply? {
        do throws(ControlFailure) {
            guard let link else { throw .unreachable }
            return try await link.client.ask(request)
        } catch {
            problem = error.words
            return nil
        }
    }

    /// The client of the build that runs: after an upgrade it is another one.
    private func link(to installed: [InstalledExtension]) -> (build: String, client: ControlClient)? {
        guard let build = installed.first(where: { $0.isEnabled && !$0.isUninstalling })?.build else { return nil }
        return link?.build == build ? link : (build, client(build))
    }
}

extension ControlFailure {
    /// What happened and what to do.
    public var words: String {
        switch self {
        case .unreachable: "The extension cannot be reached. Look whether it is installed and on."
        case .hung: "The extension does not answer. Switch Weir off; that works without it."
        case .unreadable: "The extension's answer could not be read. Install it again."
        case .refused(let refusal):
            refusal.detail.isEmpty ? "The extension refused (\(refusal.code.rawValue))." : "Refused: \(refusal.detail)."
        }
    }
}
