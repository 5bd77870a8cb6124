// SPDX-License-Identifier: Apache-2.0

// Where a certificate authority lives on disk: `ca.pem` and `ca.key` in a directory of their own.

import FlowModel

#if canImport(FoundationEssentials)
public import struct FoundationEssentials.Date
#else
public import struct Foundation.Date
#endif
#if canImport(Glibc)
import Glibc
#elseif canImport(Darwin)
import Darwin
#endif

extension CertificateAuthority {
    /// Loads the authority of a directory, or makes one when the directory has none.
    ///
    /// It reads and writes files: call it at start, never on an event loop. A lock file lets two processes that start
    /// together agree on one authority. The key is written with mode 0600 into a directory of mode 0700, and each file
    /// appears whole or not at all.
    public static func loadOrCreate(
        in directory: String, now: Date
    ) throws(CertificateAuthorityError) -> CertificateAuthority {
        let files = AuthorityDirectory(path: directory)
        try files.prepare()
        let lock = try files.lock()
        defer { close(lock) }  // which also unlocks it
        switch (try files.read(files.certificate), try files.read(files.key, secret: true)) {
        case (let certificatePEM?, let keyPEM?):
            return try CertificateAuthority(
                certificatePEM: certificatePEM, keyPEM: keyPEM, certificatePath: files.certificate, keyPath: files.key,
                now: now)
        case (nil, nil):
            let made: (authority: CertificateAuthority, keyPEM: String)
            let certificatePEM: String
            do {
                made = try CertificateAuthority.make(now: now)
                certificatePEM = try made.authority.certificatePEM
            } catch {
                throw .init(
                    .directoryUnusable, directory, "no certificate authority could be made", advice: "report this")
            }
            try files.write(made.keyPEM + "\n", to: files.key, mode: 0o600)
            try files.write(certificatePEM, to: files.certificate, mode: 0o644)
            return made.authority
        case (nil, _?): throw files.incomplete(has: files.key, lacks: files.certificate)
        case (_?, nil): throw files.incomplete(has: files.certificate, lacks: files.key)
        }
    }
}

// Inside the type, `read` and `write` mean its own.
private let systemRead = read
private let systemWrite = write

/// The files of an authority; all of it blocks.
struct AuthorityDirectory {
    let path: String
    var certificate: String { path + "/ca.pem" }
    var key: String { path + "/ca.key" }
    /// The key of a request whose certificate has not come yet.
    var newKey: String { path + "/ca.new.key" }
    var lockFile: String { path + "/ca.lock" }

    func incomplete(has present: String, lacks absent: String) -> CertificateAuthorityError {
        .init(
            .incomplete, absent, "the file is missing, but \(present) is there",
            advice: "restore it, or move the other away to have a new authority made")
    }

    func unusable(_ path: String, _ problem: String) -> CertificateAuthorityError {
        let cause = String(cString: strerror(errno))
        return .init(
            .directoryUnusable, path, "\(problem): \(cause)", advice: "make it writable, or name another directory")
    }

    /// Makes the directory and those above it that are missing, and refuses one in which others can write.
    func prepare() throws(CertificateAuthorityError) {
        var end = path.startIndex
        while end < path.endIndex {
            end = path[path.index(after: end)...].firstIndex(of: "/") ?? path.endIndex
            if mkdir(String(path[..<end]), 0o700) != 0, errno != EEXIST, end == path.endIndex {
                throw unusable(path, "the directory cannot be made")
            }
        }
        var status = stat()
        guard stat(path, &status) == 0 else { throw unusable(path, "the directory cannot be read") }
        guard status.st_mode & S_IFMT == S_IFDIR else {
            throw .init(.directoryUnusable, path, "this is not a directory", advice: "name another directory")
        }
        guard status.st_mode & 0o022 == 0 else {
            throw .init(
                .directoryExposed, path, "others can write to this directory and so replace the authority",
                advice: "run `chmod 700` on it")
        }
    }

    /// Waits until no other process is at work in the directory; the lock goes with the descriptor.
    func lock() throws(CertificateAuthorityError) -> Int32 {
        let path = lockFile
        let descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard descriptor >= 0 else { throw unusable(path, "the lock file cannot be opened") }
        var result: Int32
        repeat { result = flock(descriptor, LOCK_EX) } while result != 0 && errno == EINTR
        guard result == 0 else {
            let error = unusable(path, "the lock cannot be taken")
            close(descriptor)
            throw error
        }
        return descriptor
    }

    /// The text of a file, nil when there is none.
    func read(_ path: String, secret: Bool = false) throws(CertificateAuthorityError) -> String? {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else {
            if errno == ENOENT { return nil }
            throw unreadable(path, String(cString: strerror(errno)))
        }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw unreadable(path, String(cString: strerror(errno))) }
        guard status.st_mode & S_IFMT == S_IFREG else { throw unreadable(path, "it is not a regular file") }
        guard !secret || status.st_mode & 0o077 == 0 else {
            throw .init(
                .keyExposed, path, "others can read or write the authority's private key",
                advice: "run `chmod 600` on it; if others had access, make a new authority")
        }
        guard status.st_size <= TLSLimits.authorityFile.value else { throw unreadable(path, "it is too large") }
        var bytes = [UInt8](repeating: 0, count: TLSLimits.authorityFile.value)
        var count = 0
        while count < bytes.count {
            let result = bytes[count...].withUnsafeMutableBytes { systemRead(descriptor, $0.baseAddress, $0.count) }
            if result < 0, errno == EINTR { continue }
            guard result >= 0 else { throw unreadable(path, String(cString: strerror(errno))) }
            if result == 0 { break }
            count += result
        }
        return String(decoding: bytes[..<count], as: UTF8.self)
    }

    private func unreadable(_ path: String, _ cause: String) -> CertificateAuthorityError {
        .init(.unreadable, path, "the file cannot be read: \(cause)", advice: "correct its owner and permissions")
    }

    /// Writes a file that appears whole: into a new file beside it, then renamed.
    func write(_ text: String, to path: String, mode: mode_t) throws(CertificateAuthorityError) {
        let temporary = "\(path).\(getpid()).new"
        unlink(temporary)  // left over from a process of the same number that was killed
        let descriptor = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode)
        guard descriptor >= 0 else { throw unusable(temporary, "the file cannot be made") }
        var bytes = Array(text.utf8)[...]
        var failed = fchmod(descriptor, mode) != 0  // whatever the umask says
        while !failed, !bytes.isEmpty {
            let result = bytes.withUnsafeBytes { systemWrite(descriptor, $0.baseAddress, $0.count) }
            if result < 0, errno == EINTR { continue }
            if result <= 0 { failed = true } else { bytes = bytes.dropFirst(result) }
        }
        if !failed { failed = fsync(descriptor) != 0 }
        if !failed { failed = rename(temporary, path) != 0 }
        let error = failed ? unusable(path, "the file cannot be written") : nil
        close(descriptor)
        if let error {
            unlink(temporary)
            throw error
        }
    }
}
