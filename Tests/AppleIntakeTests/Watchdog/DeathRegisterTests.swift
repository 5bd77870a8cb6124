// SPDX-License-Identifier: Apache-2.0

// Tests of the register on storage that fails in every way, and on a real folder.

import FlowModel
import Foundation
import Synchronization
import Testing

@testable import AppleIntake

@Suite("The register of deaths")
struct DeathRegisterTests {
    /// A file in memory that can fail.
    private final class Storage: DeathStorage {
        struct State {
            var data: Data?
            var cannot: Set<String> = []
        }
        let state = Mutex(State())

        func read() throws -> Data? {
            try state.withLock { state in
                if state.cannot.contains("read") { throw CocoaError(.fileReadNoPermission) }
                return state.data
            }
        }
        func write(_ data: Data) throws {
            try state.withLock { state in
                if state.cannot.contains("write") { throw CocoaError(.fileWriteOutOfSpace) }
                state.data = data
            }
        }
        func remove() throws {
            try state.withLock { state in
                if state.cannot.contains("remove") { throw CocoaError(.fileWriteUnknown) }
                state.data = nil
            }
        }
        func fails(_ what: String...) { state.withLock { $0.cannot = Set(what) } }
    }

    private let storage = Storage()

    /// What a new process sees of the register.
    private func process(boot: String = "one", at milliseconds: Int64 = 5_000) -> DeathRegister {
        DeathRegister(storage: storage, metrics: NoSink()) { MachineMoment(boot: boot, milliseconds: milliseconds) }
    }

    private func start(at milliseconds: Int64 = 5_000, approved: String = "policy 1") -> DeathRegister.Beginning {
        process(at: milliseconds).begin(approved: approved, at: 77)
    }

    private func codes(_ notices: [NoticeRecord]) -> [String] {
        #expect(notices.allSatisfy { $0.at == 77 })
        return notices.map(\.reason.code)
    }

    @Test("Each death is told with its number, the third disarms, and each later start says so")
    func deaths() {
        #expect(codes(start().notices) == [])
        for number in 1...2 {
            let beginning = start()
            #expect(beginning.isArmed)
            #expect(codes(beginning.notices) == ["provider-died"])
            #expect(beginning.notices.first?.facts == [.init("deaths", number)])
        }
        let third = start()
        #expect(!third.isArmed)
        #expect(codes(third.notices) == ["provider-died", "provider-disarmed"])
        #expect(third.notices.last?.severity == .error)
        let last = process()
        #expect(!last.begin(approved: "policy 1", at: 77).isArmed)
        last.end()
        #expect(codes(start().notices) == ["provider-disarmed"])
        let other = start(approved: "policy 2")
        #expect(other.isArmed)
        #expect(codes(other.notices) == ["provider-died", "provider-rearmed"])
    }

    @Test("A second start of the same run is no death, and an end without a start is nothing")
    func twice() {
        let register = process()
        register.end()
        for _ in 0..<5 { #expect(register.begin(approved: "", at: 77).notices.isEmpty) }
        register.end()
        register.end()
        #expect(codes(start().notices) == [])
    }

    @Test("A message re-arms a run that goes on, and the next one too")
    func rearmed() {
        for _ in 0..<3 { _ = start() }
        let register = process()
        #expect(!register.begin(approved: "policy 1", at: 77).isArmed)
        #expect(codes(register.rearm(at: 77)) == ["provider-rearmed"])
        #expect(codes(register.rearm(at: 77)) == [])
        #expect(register.begin(approved: "policy 1", at: 77).isArmed)
        // The run was still open: its death is the first of a new count.
        #expect(codes(start().notices) == ["provider-died"])
        // Also where no run has begun.
        for _ in 0..<3 { _ = start() }
        #expect(codes(process().rearm(at: 77)) == ["provider-rearmed"])
        #expect(start().isArmed)
    }

    @Test(
        "A file that makes no sense arms, is told once, and is begun anew",
        arguments: [
            "", "null", "[]", "{}", "{\"boot\":1,\"deaths\":[]}", "{\"boot\":\"one\",\"deaths\":[1e99]}",
            "{\"boot\":\"one\",\"deaths\":[5001]}", "{\"boot\":\"one\",\"running\":9000,\"deaths\":[]}",
            "{\"boot\":\"one\",\"deaths\":[],\"disarmed\":7}", "\u{0}\u{ff}",
            "{\"boot\":\"one\",\"deaths\":[]}" + String(repeating: " ", count: 4_096),
        ])
    func damaged(text: String) {
        storage.state.withLock { $0.data = Data(text.utf8) }
        let beginning = start()
        #expect(beginning.isArmed)
        #expect(codes(beginning.notices) == ["death-register-damaged"])
        #expect(codes(start().notices) == ["provider-died"])
    }

    @Test("Where the register cannot be read, or cannot be written, it arms and says so at every start")
    func unusable() {
        for _ in 0..<3 { _ = start() }
        storage.fails("read", "write", "remove")
        for _ in 0..<5 {
            let beginning = start()
            #expect(beginning.isArmed)
            #expect(codes(beginning.notices) == ["death-register-unreadable", "death-register-unwritable"])
        }
        storage.state.withLock { $0 = .init() }
        storage.fails("write")
        for _ in 0..<5 {
            let register = process()
            #expect(register.begin(approved: "", at: 77).isArmed)
            register.end()
        }
        #expect(codes(start().notices) == ["death-register-unwritable"])
    }

    @Test("An end on a full disk is still an end")
    func full() {
        let register = process()
        _ = register.begin(approved: "", at: 77)
        storage.fails("write")
        register.end()
        storage.fails()
        #expect(codes(start().notices) == [])
    }

    @Test("A new start of the machine forgets deaths and keeps what was disarmed")
    func boot() {
        for _ in 0..<2 { _ = start() }
        let next = process(boot: "two", at: 10).begin(approved: "policy 1", at: 77)
        #expect(next.isArmed && next.notices.isEmpty)
        for _ in 0..<3 { _ = process(boot: "two", at: 10).begin(approved: "policy 1", at: 77) }
        #expect(!process(boot: "three", at: 5).begin(approved: "policy 1", at: 77).isArmed)
    }

    @Test("However long the name of what is approved is, the file can be read again")
    func long() {
        let approved = String(repeating: "\"", count: 100_000)
        for _ in 0..<4 { _ = start(approved: approved) }
        #expect(codes(start(approved: approved).notices) == ["provider-died", "provider-disarmed"])
    }

    @Test("Deaths are counted")
    func counted() {
        let counts = Counts()
        for _ in 0..<3 {
            _ = DeathRegister(storage: storage, metrics: counts) { .now }.begin(approved: "", at: 77)
        }
        #expect(counts.deaths.withLock { $0 } == 2)
    }

    private final class Counts: MetricSink {
        let deaths = Mutex(0)
        func add(_ counter: StaticString, _ amount: Int) {
            if "\(counter)" == "provider_deaths_total" { deaths.withLock { $0 += amount } }
        }
    }

    @Test("In a real folder a death is found by the next process, and an end by the one after")
    func file() throws {
        let folder = try ScratchFolder()
        let process = { DeathRegister(state: folder.path, metrics: NoSink()) }
        #expect(codes(process().begin(approved: "", at: 77).notices) == [])
        let second = process()
        #expect(codes(second.begin(approved: "", at: 77).notices) == ["provider-died"])
        second.end()
        #expect(codes(process().begin(approved: "", at: 77).notices) == [])
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == ["deaths.json"])
    }

    @Test("A folder that is not there, and a folder in the file's place, arm and are told")
    func misplaced() throws {
        let folder = try ScratchFolder()
        let nowhere = DeathRegister(state: folder.path + "/no", metrics: NoSink())
        #expect(codes(nowhere.begin(approved: "", at: 77).notices) == ["death-register-unwritable"])
        nowhere.end()
        try FileManager.default.createDirectory(
            atPath: folder.path + "/deaths.json/inside", withIntermediateDirectories: true)
        let beginning = DeathRegister(state: folder.path, metrics: NoSink()).begin(approved: "", at: 77)
        #expect(beginning.isArmed)
        #expect(codes(beginning.notices) == ["death-register-unreadable", "death-register-unwritable"])
    }

    @Test("The clock of the machine goes on and keeps its name")
    func clock() {
        let (first, second) = (MachineMoment.now, MachineMoment.now)
        #expect(first.boot == second.boot && !first.boot.isEmpty)
        #expect(second.milliseconds >= first.milliseconds && first.milliseconds > 0)
    }
}
