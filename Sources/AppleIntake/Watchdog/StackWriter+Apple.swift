// SPDX-License-Identifier: Apache-2.0

// Threads and their frames, as the kernel of a Mac tells them.

#if canImport(Darwin)
internal import Darwin
internal import FlowModel

/// What this system can say of its threads.
let systemStacks: any StackSource = MachStacks()

/// Suspends one thread at a time and follows its frame pointers.
///
/// Every call here is a trap into the kernel: none takes a lock that the suspended thread could hold. Frames are read
/// through the kernel as well, so that a broken chain ends the walk and not the process. Ports that the kernel hands
/// over are not given back: the process is about to end.
struct MachStacks: StackSource {
    /// `0xADDRESS UUID NAME`, which is what `atos -l` and the bundle of symbols are found by.
    func images() -> [UInt8] {
        var text = ""
        for index in 0..<_dyld_image_count() {
            guard let header = _dyld_get_image_header(index), let name = _dyld_get_image_name(index) else { continue }
            let file = String(cString: name).split(separator: "/").last ?? "?"
            text += "0x\(String(UInt(bitPattern: header), radix: 16)) \(Self.uuid(header)) \(file)\n"
        }
        return Array(text.utf8)
    }

    func walk(
        name: UnsafeMutableBufferPointer<UInt8>, frames: UnsafeMutableBufferPointer<UInt>, _ each: (StackThread) -> Void
    ) {
        var list: thread_act_array_t?
        var count: mach_msg_type_number_t = 0
        guard task_threads(mach_task_self_, &list, &count) == KERN_SUCCESS, let list else { return }
        let own = mach_thread_self()
        for index in 0..<min(Int(count), AppleIntakeLimits.stackThreads.value) where list[index] != own {
            let thread = list[index]
            var description = StackThread(number: UInt64(thread), nameLength: Self.name(of: thread, name), depth: 0)
            if thread_suspend(thread) == KERN_SUCCESS {
                description.depth = Self.frames(of: thread, frames)
                thread_resume(thread)
            }
            each(description)
        }
    }

    private static func name(of thread: thread_act_t, _ name: UnsafeMutableBufferPointer<UInt8>) -> Int {
        var info = thread_extended_info()
        var count = mach_msg_type_number_t(MemoryLayout<thread_extended_info>.size / MemoryLayout<natural_t>.size)
        let answer = withUnsafeMutablePointer(to: &info) { info in
            info.withMemoryRebound(to: integer_t.self, capacity: Int(count)) {
                thread_info(thread, thread_flavor_t(THREAD_EXTENDED_INFO), $0, &count)
            }
        }
        guard answer == KERN_SUCCESS else { return 0 }
        return withUnsafeBytes(of: &info.pth_name) { bytes in
            var length = 0
            while length < min(bytes.count, name.count), bytes[length] != 0 {
                name[length] = bytes[length]
                length += 1
            }
            return length
        }
    }

    private static func frames(of thread: thread_act_t, _ frames: UnsafeMutableBufferPointer<UInt>) -> Int {
        #if arch(arm64)
        var state = arm_thread_state64_t()
        let flavor = ARM_THREAD_STATE64
        #else
        var state = x86_thread_state64_t()
        let flavor = x86_THREAD_STATE64
        #endif
        let words = MemoryLayout.size(ofValue: state) / MemoryLayout<natural_t>.size
        var count = mach_msg_type_number_t(words)
        let answer = withUnsafeMutablePointer(to: &state) { state in
            state.withMemoryRebound(to: natural_t.self, capacity: words) {
                thread_get_state(thread, thread_state_flavor_t(flavor), $0, &count)
            }
        }
        guard answer == KERN_SUCCESS, frames.count > 0 else { return 0 }
        #if arch(arm64)
        var (place, frame) = (UInt(state.__pc), UInt(state.__fp))
        #else
        var (place, frame) = (UInt(state.__rip), UInt(state.__rbp))
        #endif
        var depth = 0
        while place != 0, depth < frames.count {
            // Return addresses of system code are signed in their upper bits.
            frames[depth] = place & 0x0000_7fff_ffff_ffff
            depth += 1
            guard frame != 0, frame % 8 == 0 else { break }
            // A frame is the address of the next one, and where its function goes back to.
            var record: (next: UInt, back: UInt) = (0, 0)
            var read: mach_vm_size_t = 0
            let size = mach_vm_size_t(MemoryLayout.size(ofValue: record))
            let got = withUnsafeMutablePointer(to: &record) {
                mach_vm_read_overwrite(
                    mach_task_self_, mach_vm_address_t(frame), size, mach_vm_address_t(UInt(bitPattern: $0)), &read)
            }
            // Stacks grow downwards, so an outer frame lies higher.
            guard got == KERN_SUCCESS, read == size, record.next > frame || record.next == 0 else { break }
            (place, frame) = (record.back, record.next)
        }
        return depth
    }

    private static func uuid(_ header: UnsafePointer<mach_header>) -> String {
        let header = UnsafeRawPointer(header)
        let image = header.loadUnaligned(as: mach_header_64.self)
        var offset = MemoryLayout<mach_header_64>.size
        for _ in 0..<image.ncmds {
            let command = header.loadUnaligned(fromByteOffset: offset, as: load_command.self)
            if command.cmd == UInt32(LC_UUID) {
                let uuid = header.loadUnaligned(fromByteOffset: offset, as: uuid_command.self).uuid
                return withUnsafeBytes(of: uuid) { $0.map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) } }
                    .joined()
            }
            offset += Int(command.cmdsize)
        }
        return "-"
    }
}
#endif
