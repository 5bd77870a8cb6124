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
        let names = try walk(to: folder).held.names(limit: limit)
        guard names.count <= limit else { throw CodeProblem(.limit, "\(folder) has more than \(limit) names") }
        return names.compactMap { $0 }
    }

    public func read(_ path: String, limit: Int) throws(CodeProblem) -> [UInt8] {
        let file = try FileBytes(open(path))
        guard file.count <= UInt64(max(0, limit)) else {
            throw CodeProblem(.limit, "\(path) has \(file.count) bytes, \(limit) are read")
        }
        let bytes = try file.read(at: 0, count: Int(file.count))
        guard file.isUnchanged else { throw CodeProblem(.changed, "\(path) was written while it was read") }
        return bytes
    }

    public func key(of path: String) -> FileKey? { try? walk(to: path).node.key }

    public func link(at path: String) -> String? {
        do throws(CodeProblem) {
            let (folder, name) = try parent(of: path)
            return String(decoding: try Descriptor.link(at: name, in: folder), as: UTF8.self)
        } catch {
            return nil
        }
    }

    public func isLocked(_ path: String) -> Bool {
        guard let file = try? open(path) else { return false }
        var lock = flock()
        lock.l_type = Int16(F_WRLCK)
        return withExtendedLifetime(file) { fcntl(file.number, F_GETLK, &lock) } == 0 && lock.l_type != Int16(F_UNLCK)
    }

    /// Never waits: a pipe in the file's place opens at once.
    private func open(_ path: String) throws(CodeProblem) -> Descriptor {
        let (folder, name) = try parent(of: path)
        return try Descriptor(name, in: folder, O_RDONLY | O_NOFOLLOW | O_NONBLOCK, name: path)
    }

    /// The folder of a path, links followed, and the last name.
    private func parent(of path: String) throws(CodeProblem) -> (Descriptor, String) {
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
