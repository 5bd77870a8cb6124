// SPDX-License-Identifier: Apache-2.0

// The real disk behind a package database.

#if os(Linux)
import FlowModel

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#endif

extension RootFolder: PackageFiles {
    public func names(in folder: String, limit: Int) throws(CodeProblem) -> [String] {
        let end = try walk(to: folder)
        let number = openat(end.held.number, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard number >= 0 else { throw Self.refusal(folder) }
        guard let stream = fdopendir(number) else {
            defer { close(number) }
            throw Self.refusal(folder)
        }
        defer { closedir(stream) }
        guard let offset = MemoryLayout<dirent>.offset(of: \.d_name) else { return [] }
        var names: [String] = []
        while let entry = readdir(stream) {
            let name = String(cString: (UnsafeRawPointer(entry) + offset).assumingMemoryBound(to: CChar.self))
            if name == "." || name == ".." { continue }
            guard names.count < limit else { throw CodeProblem(.limit, "\(folder) has more than \(limit) names") }
            names.append(name)
        }
        return names
    }

    public func read(_ path: String, limit: Int) throws(CodeProblem) -> [UInt8] {
        let (folder, name) = try parent(of: path)
        // Never waits: a pipe in the file's place opens at once, and is refused.
        let number = openat(folder.number, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC)
        guard number >= 0 else { throw Self.refusal(path) }
        let file = Held(number)
        guard let node = Self.status(number), node.kind == .file else {
            throw CodeProblem(.unreadable, "\(path) is no regular file")
        }
        guard node.key.size <= UInt64(max(0, limit)) else {
            throw CodeProblem(.limit, "\(path) has \(node.key.size) bytes, \(limit) are read")
        }
        let size = Int(node.key.size)
        // One byte more than there should be shows that there is more.
        let bytes = [UInt8](unsafeUninitializedCapacity: size + 1) { buffer, count in
            while count <= size {
                let got = pread(
                    file.number, buffer.baseAddress.map { $0 + count }, size + 1 - count, off_t(count))
                if got < 0, errno == EINTR { continue }
                guard got > 0 else { return }
                count += got
            }
        }
        guard bytes.count == size else { throw CodeProblem(.changed, "\(path) was written while it was read") }
        return bytes
    }

    public func key(of path: String) -> FileKey? { try? walk(to: path).node.key }

    public func link(at path: String) -> String? {
        guard let (folder, name) = try? parent(of: path) else { return nil }
        return Self.target(below: folder.number, name)
    }

    public func isLocked(_ path: String) -> Bool {
        guard let (folder, name) = try? parent(of: path) else { return false }
        let number = openat(folder.number, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC)
        guard number >= 0 else { return false }
        let file = Held(number)
        var lock = flock()
        lock.l_type = Int16(F_WRLCK)
        return fcntl(file.number, F_GETLK, &lock) == 0 && lock.l_type != Int16(F_UNLCK)
    }

    /// The folder of a path, links followed, and the last name.
    private func parent(of path: String) throws(CodeProblem) -> (Held, String) {
        guard let cut = path.lastIndex(of: "/") else { return (try walk(to: "").held, path) }
        return (try walk(to: String(path[..<cut])).held, String(path[path.index(after: cut)...]))
    }
}

extension PackageVerifier {
    /// A verifier with the system's clock.
    public convenience init(database: any PackageDatabase) {
        self.init(database: database) {
            var time = timespec()
            clock_gettime(CLOCK_REALTIME, &time)
            return Int64(time.tv_sec) &* 1_000_000_000 &+ Int64(time.tv_nsec)
        }
    }
}
#endif
