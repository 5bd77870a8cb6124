// SPDX-License-Identifier: Apache-2.0

// Identity of processes that execute, end or change while they are looked at.

import FlowModel
import Synchronization
import Testing

@testable import CodeIdentity

@Suite("LinuxIdentityReader, races") struct LinuxIdentityReaderRaceTests {
    @Test("Exec is noticed by the memory where two images look alike, as without address space randomisation")
    func execAlike() throws {
        let reads = Mutex(0)
        let system = SimulatedSystem { state in
            state.onRead = { what, state in
                if what == "cgroup" {
                    reads.withLock { $0 += 1 }
                    state.processes[7]?.memory += 1
                }
            }
        }
        #expect(try system.identity().problems.map(\.code) == [.changed])
        #expect(reads.withLock { $0 } == CodeIdentityLimits.imageAttempts.value)
    }

    @Test("The executable that is examined is the image's, also when both looks at the image find another one")
    func execThereAndBack() throws {
        let system = SimulatedSystem { state in
            state.files["/usr/bin/other"] = SimulatedFile(21, "tool")
            state.claims["/usr/bin/other"] = PackageClaim(package: "other", verdict: .intact)
            state.onRead = { what, state in
                let (path, inode): (String, UInt64) = what == "key" ? ("/usr/bin/tool", 11) : ("/usr/bin/other", 21)
                if what == "key" || what == "exe" { state.processes[7]?.run(path, inode: inode) }
            }
        }
        let identity = try system.identity()
        #expect(identity.problems.map(\.code).contains(.changed))
        #expect(OSAnchor.judge(identity).reasons.contains(.unsure(.changed)))
    }

    @Test("Where the first thread has ended and others run on, one of those shows the process")
    func firstThreadEnded() throws {
        let system = SimulatedSystem { state in
            state.processes[9] = .service()
            state.processes[9]?.setStat(pid: 9, start: 700, threads: 2)
            // Its number is another process now.
            state.processes[8] = .service(pid: 8)
            state.processes[8]?.setStat(pid: 8, stack: 1)
            state.processes[7] = SimulatedProcess()
            state.processes[7]?.setStat(code: 0, stack: 0, state: "Z", threads: 2)
            state.processes[7]?.threads = [7, 8, 9]
        }
        let identity = try system.identity()
        #expect(identity.process == ProcessInstance(pid: 7, startTicks: 500))
        #expect(identity.executable.claim?.verdict == .intact)
        #expect(identity.problems == [])
        #expect(try system.reader.image(of: 7).get().layout == ImageLayout(code: 4096, stack: 9000))
    }

    @Test("A process that executes another program is read again, and the second image is the one reported")
    func execOnce() throws {
        let reads = Mutex(0)
        let system = SimulatedSystem { state in
            state.files["/usr/bin/other"] = SimulatedFile(21, "tool")
            state.claims["/usr/bin/other"] = PackageClaim(package: "other", verdict: .intact)
            state.onRead = { what, state in
                // Between the look at the executable and the mappings.
                if what == "maps",
                    reads.withLock({
                        $0 += 1; return $0 == 1
                    })
                {
                    state.processes[7]?.run("/usr/bin/other", inode: 21)
                }
            }
        }
        let examined = try system.reader.examine(7).get()
        #expect(examined.identity.executable.path == "/usr/bin/other")
        #expect(examined.identity.executable.key == examined.image.executable)
        #expect(examined.identity.problems == [])
    }

    @Test("Exec of the same file is noticed by its layout; one that never rests is reported and not trusted")
    func execAgainAndAgain() throws {
        let reads = Mutex(0)
        let system = SimulatedSystem { state in
            state.onRead = { what, state in
                if what == "maps" {
                    state.processes[7]?.setStat(
                        stack: 9000
                            + reads.withLock {
                                $0 += 1; return $0
                            })
                }
            }
        }
        let identity = try system.identity()
        #expect(identity.problems.map(\.code) == [.changed])
        #expect(identity.codeClass == .platformInteractive)
        #expect(reads.withLock { $0 } == CodeIdentityLimits.imageAttempts.value)
    }

    @Test(
        "A process that ends at any moment is reported as ended, never as half an identity",
        arguments: ["stat", "status", "exe", "open", "ns/mnt", "maps", "environ", "cgroup", "key"])
    func exits(_ moment: String) throws {
        let system = SimulatedSystem { state in
            state.onRead = { what, state in if what == moment { state.processes[7] = nil } }
        }
        let result = system.reader.identity(of: 7)
        guard case .failure(let problem) = result else {
            Issue.record("an identity of a process that has ended")
            return
        }
        #expect(problem.code == .processExited)
        #expect(problem.unknownCause == .exited)
    }

    @Test("A program that exec has not loaded yet has no mappings to be trusted for")
    func halfLoaded() throws {
        let system = SimulatedSystem { state in
            state.processes[7]?.setStat(code: 0)
            state.processes[7]?.texts[.maps] = []
        }
        let identity = try system.identity()
        #expect(identity.problems.map(\.code) == [.changed])
        #expect(identity.codeClass == .platformInteractive)
    }

    @Test("A number that is in use again is another image")
    func reusedNumber() throws {
        let reads = Mutex(0)
        let system = SimulatedSystem { state in
            state.onRead = { what, state in
                if what == "cgroup",
                    reads.withLock({
                        $0 += 1; return $0 == 1
                    })
                {
                    state.processes[7]?.setStat(start: 501)
                }
            }
        }
        #expect(try system.identity().process?.startTicks == 501)
    }

    @Test("A zombie has ended, a kernel thread is no program, and no process is none")
    func notPrograms() throws {
        let zombie = SimulatedSystem { $0.processes[7]?.setStat(state: "Z") }
        #expect(zombie.reader.identity(of: 7) == .failure(CodeProblem(.processExited, "")))
        let thread = SimulatedSystem { $0.processes[7]?.setStat(flags: 0x20_8040) }
        #expect(thread.reader.identity(of: 7) == .failure(CodeProblem(.kernelThread, "")))
        #expect(CodeProblem(.kernelThread, "").unknownCause == .unresolved)
        #expect(SimulatedSystem().reader.identity(of: 8) == .failure(CodeProblem(.processExited, "")))
        let hidden = SimulatedSystem { $0.processes[7]?.refused = ["key"] }
        #expect(hidden.reader.identity(of: 7) == .failure(CodeProblem(.unreadable, "")))
    }
}
