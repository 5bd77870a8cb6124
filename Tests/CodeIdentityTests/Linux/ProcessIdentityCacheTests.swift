// SPDX-License-Identifier: Apache-2.0

// The cache of process identities.

import Testing

@testable import CodeIdentity

@Suite("ProcessIdentityCache") struct ProcessIdentityCacheTests {
    private func image(_ pid: Int32, start: UInt64 = 1, inode: UInt64 = 1, stack: UInt64 = 0) -> ProcessImage {
        ProcessImage(
            process: ProcessInstance(pid: pid, startTicks: start),
            executable: FileKey(device: 1, inode: inode, changed: 1, size: 1), layout: ImageLayout(stack: stack))
    }

    private func examined(_ image: ProcessImage) -> ExaminedProcess {
        ExaminedProcess(
            image: image,
            identity: LinuxIdentity(
                process: image.process, executable: LinuxExecutable(path: "/usr/bin/a", key: image.executable)))
    }

    @Test("The same image is found until it is too old, and never from the future")
    func age() {
        let cache = ProcessIdentityCache()
        cache.store(examined(image(1)), now: 100)
        #expect(cache.identity(of: image(1), now: 150, maximumAge: 50) != nil)
        #expect(cache.identity(of: image(1), now: 151, maximumAge: 50) == nil)
        #expect(cache.identity(of: image(1), now: 99, maximumAge: 50) == nil)
        cache.remove(1)
        #expect(cache.identity(of: image(1), now: 100, maximumAge: 50) == nil)
    }

    @Test("A reused number, another program and another exec of the same program find nothing")
    func otherImages() {
        let cache = ProcessIdentityCache()
        cache.store(examined(image(1)), now: 0)
        for other in [image(1, start: 2), image(1, inode: 2), image(1, stack: 3), image(2)] {
            #expect(cache.identity(of: other, now: 0, maximumAge: 9) == nil)
        }
        cache.store(examined(image(1, start: 2)), now: 0)
        #expect(cache.identity(of: image(1), now: 0, maximumAge: 9) == nil)
        #expect(cache.counts.kept == 1)
    }

    @Test("It stays within its bound, and what is used stays")
    func bound() {
        let cache = ProcessIdentityCache(capacity: 16)
        for pid in 1...1000 as ClosedRange<Int32> {
            cache.store(examined(image(pid)), now: 0)
            #expect(cache.identity(of: image(1), now: 0, maximumAge: 9) != nil)
            #expect(cache.counts.kept <= 16)
        }
        #expect(cache.counts.evicted > 900)
    }

    @Test("What was still moving when it was read is not kept")
    func moving() {
        let cache = ProcessIdentityCache()
        var changed = examined(image(1))
        changed.identity.problems = [CodeProblem(.changed, "")]
        cache.store(changed, now: 0)
        var open = examined(image(1))
        open.identity.executable.claim = PackageClaim(package: "a", verdict: .inTransaction)
        cache.store(open, now: 0)
        #expect(cache.counts.kept == 0)
    }
}
