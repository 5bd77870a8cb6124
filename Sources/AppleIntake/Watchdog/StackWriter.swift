// SPDX-License-Identifier: Apache-2.0

// Writes where each thread stands, when nothing else works any more.

internal import Dispatch
internal import FlowModel
internal import Foundation
internal import Synchronization

#if canImport(Darwin)
internal import Darwin
#else
internal import Glibc
#endif

/// One thread, as its stack is written.
struct StackThread {
    var number: UInt64
    /// How much of the buffers was filled.
    var nameLength: Int
    var depth: Int
}

/// Where stacks come from: the system.
protocol StackSource: Sendable {
    /// One line for each image in memory, so that addresses can be turned into names elsewhere; asked in peace.
    func images() -> [UInt8]

    /// Walks every thread but the calling one, and calls `each` when its buffers are filled and it runs again.
    ///
    /// Whatever hangs may hold any lock, the allocator's included: nothing may be allocated and no lock taken.
    func walk(
        name: UnsafeMutableBufferPointer<UInt8>, frames: UnsafeMutableBufferPointer<UInt>, _ each: (StackThread) -> Void
    )
}

/// Knows no stacks: the file says what hung, and no more.
struct NoStacks: StackSource {
    func images() -> [UInt8] { [] }
    func walk(
        name: UnsafeMutableBufferPointer<UInt8>, frames: UnsafeMutableBufferPointer<UInt>, _ each: (StackThread) -> Void
    ) {}
}

/// Keeps a thread and its memory ready, and has it write the stacks of all others into a file.
///
/// The file holds thread names, addresses and the images they lie in: no argument, no memory, nothing of a flow.
final class StackWriter: Sendable {
    private let desk = Desk()

    /// What the writing thread and the asking one share.
    private final class Desk: Sendable {
        let asked = DispatchSemaphore(value: 0)
        let written = DispatchSemaphore(value: 0)
        let hang = Mutex<Hang?>(nil)
    }

    /// Starts the thread; makes no file yet.
    init(file path: String, source: any StackSource = systemStacks) {
        let desk = desk
        let thread = Thread {
            var page = StackPage(file: path, images: source.images())
            while true {
                desk.asked.wait()
                // Without a hang it was woken to end.
                guard let hang = desk.hang.withLock({ $0 }) else { return }
                page.describe(hang, source)
                page.write()
                desk.written.signal()
            }
        }
        thread.name = "weir.stacks"
        thread.qualityOfService = .userInteractive
        thread.start()
    }

    deinit {
        desk.hang.withLock { $0 = nil }
        desk.asked.signal()
    }

    /// Writes the file, mode 0600, in place of an earlier one; false when that takes longer.
    ///
    /// The thread that does it may hang for ever, on a disk or on a lock that a library of the system takes after all:
    /// the caller does not.
    @discardableResult
    func write(_ hang: Hang, within limit: DispatchTimeInterval) -> Bool {
        desk.hang.withLock { $0 = hang }
        desk.asked.signal()
        return desk.written.wait(timeout: .now() + limit) == .success
    }
}

/// Memory for all that is needed, taken before anything can hang.
private struct StackPage: ~Copyable {
    private let text = UnsafeMutableBufferPointer<UInt8>.allocate(capacity: AppleIntakeLimits.stackText.value)
    private let frames = UnsafeMutableBufferPointer<UInt>.allocate(capacity: AppleIntakeLimits.stackFrames.value)
    private let name = UnsafeMutableBufferPointer<UInt8>.allocate(capacity: 64)
    private let images: [UInt8]
    /// Not a `String`: each call would allocate another form of it.
    private let path: UnsafeMutablePointer<CChar>?
    private var length = 0

    init(file path: String, images: [UInt8]) {
        self.path = strdup(path)
        self.images = images
        text.initialize(repeating: 0)
        frames.initialize(repeating: 0)
        name.initialize(repeating: 0)
    }

    deinit {
        text.deallocate()
        frames.deallocate()
        name.deallocate()
        free(path)
    }

    mutating func describe(_ hang: Hang, _ source: any StackSource) {
        length = 0
        add("weir stacks 1\nhung: ")
        add(hang.name)
        add(" (")
        add(UInt64(clamping: hang.place), radix: 10)
        add("), missed beats ")
        add(UInt64(clamping: hang.missed), radix: 10)
        add("\n")
        let (name, frames) = (name, frames)
        source.walk(name: name, frames: frames) { thread in
            add("thread ")
            add(thread.number, radix: 10)
            add(" ")
            for byte in name.prefix(thread.nameLength) { add(byte: byte < 0x20 || byte > 0x7e ? 0x3f : byte) }
            add("\n")
            for frame in frames.prefix(thread.depth) {
                add("  0x")
                add(UInt64(frame), radix: 16)
                add("\n")
            }
        }
        add("images\n")
        for byte in images { add(byte: byte) }
    }

    func write() {
        guard let path else { return }
        let descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { return }
        var rest = UnsafeRawBufferPointer(UnsafeBufferPointer(rebasing: text.prefix(length)))
        while !rest.isEmpty {
            #if canImport(Darwin)
            let count = Darwin.write(descriptor, rest.baseAddress, rest.count)
            #else
            let count = Glibc.write(descriptor, rest.baseAddress, rest.count)
            #endif
            guard count > 0 else { break }
            rest = UnsafeRawBufferPointer(rebasing: rest.dropFirst(count))
        }
        close(descriptor)
    }

    private mutating func add(byte: UInt8) {
        guard length < text.count else { return }
        text[length] = byte
        length += 1
    }

    private mutating func add(_ words: StaticString) {
        words.withUTF8Buffer { for byte in $0 { add(byte: byte) } }
    }

    /// In digits, without the text that `String` would allocate.
    private mutating func add(_ number: UInt64, radix: UInt64) {
        var scale: UInt64 = 1
        while number / scale >= radix { scale *= radix }
        while scale > 0 {
            let digit = UInt8(number / scale % radix)
            add(byte: digit < 10 ? 0x30 + digit : 0x57 + digit)
            scale /= radix
        }
    }
}

#if !canImport(Darwin)
/// What this system can say of its threads.
let systemStacks: any StackSource = NoStacks()
#endif
