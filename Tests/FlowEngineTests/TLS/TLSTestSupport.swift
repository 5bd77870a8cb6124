// SPDX-License-Identifier: Apache-2.0

// What the TLS tests share: vectors, a clock, certificates of every kind, and openssl as a second opinion.

import Crypto
import FlowModel
import Foundation
import SwiftASN1
import Synchronization
import X509

@testable import FlowEngine

/// Foundation has a type of this name too.
typealias Host = FlowModel.Host

/// An answer that a test did not expect, to end it with.
struct Unexpected: Error, CustomStringConvertible {
    let description: String
    init(_ value: some Any) { description = "unexpected: \(value)" }
}

/// A test vector by name.
func vector(_ name: String) throws -> [UInt8] {
    let file = URL(fileURLWithPath: #filePath).resolvingSymlinksInPath()
    let folder = file.deletingLastPathComponent().appendingPathComponent("../../Vectors/tls")
    let text = try String(contentsOf: folder.appendingPathComponent(name + ".hex"), encoding: .utf8)
    let digits = text.split(separator: "\n").filter { !$0.hasPrefix("#") }.joined().utf8
    return try stride(from: 0, to: digits.count, by: 2).map { offset in
        let pair = digits.dropFirst(offset).prefix(2)
        guard let byte = UInt8(String(decoding: pair, as: UTF8.self), radix: 16) else { throw Unexpected(name) }
        return byte
    }
}

/// The same numbers in every run (SplitMix64).
struct SeededRandom: RandomNumberGenerator {
    private var state: UInt64
    init(seed: UInt64) { state = seed }
    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var mixed = (state ^ state >> 30) &* 0xbf58_476d_1ce4_e5b9
        mixed = (mixed ^ mixed >> 27) &* 0x94d0_49bb_1331_11eb
        return mixed ^ mixed >> 31
    }
}

/// A value that several tasks change.
final class Shared<Value: Sendable>: Sendable {
    private let mutex: Mutex<Value>
    init(_ value: Value) { mutex = Mutex(value) }
    var value: Value { mutex.withLock { $0 } }
    func change<Result>(_ body: (inout Value) throws -> Result) rethrows -> Result {
        try mutex.withLock { value in
            // A copy, because the compiler sees no way to lend the value itself to a body it does not know.
            var copy = value
            defer { value = copy }
            return try body(&copy)
        }
    }
}

/// A clock that moves when told.
final class TestClock: Sendable {
    private let time: Shared<Date>
    init(_ start: Date = Date(timeIntervalSince1970: 1_780_000_000)) { time = Shared(start) }
    var now: Date { time.value }
    func advance(days: Double = 0, seconds: Double = 0) {
        time.change { $0 += days * 86_400 + seconds }
    }
}

/// A certificate and its key.
struct TestIdentity {
    var certificate: Certificate
    var key: Certificate.PrivateKey

    var der: [UInt8] {
        get throws {
            var serializer = DER.Serializer()
            try serializer.serialize(certificate)
            return serializer.serializedBytes
        }
    }
    var certificatePEM: String { get throws { try certificate.serializeAsPEM().pemString + "\n" } }
    var keyPEM: String { get throws { try key.serializeAsPEM().pemString + "\n" } }
}

/// What a test certificate is made of; signs by itself when it has no issuer.
struct TestCertificate {
    var name = "test"
    var issuer: TestIdentity?
    var key = Certificate.PrivateKey(P256.Signing.PrivateKey())
    var isAuthority = false
    var pathLength: Int?
    var names: [GeneralName]? = []
    var usage: [ExtendedKeyUsage.Usage]? = [.serverAuth]
    var from = Date(timeIntervalSince1970: 1_780_000_000 - 86_400)
    var until = Date(timeIntervalSince1970: 1_780_000_000 + 86_400 * 30)
    var serial = Certificate.SerialNumber()
    var algorithm: Certificate.SignatureAlgorithm?
    var constraints: NameConstraints?
    var extra: [Certificate.Extension] = []

    static func authority(_ name: String, issuer: TestIdentity? = nil) -> TestCertificate {
        TestCertificate(name: name, issuer: issuer, isAuthority: true, names: nil, usage: nil)
    }

    static func leaf(_ host: String, issuer: TestIdentity?) -> TestCertificate {
        TestCertificate(name: host, issuer: issuer, names: [.dnsName(host)])
    }

    /// The same, valid from a day before to a month after a time.
    func valid(at time: Date) -> Self {
        with { ($0.from, $0.until) = (time.addingTimeInterval(-86_400), time.addingTimeInterval(86_400 * 30)) }
    }

    func with(_ change: (inout Self) throws -> Void) rethrows -> Self {
        var copy = self
        try change(&copy)
        return copy
    }

    func make() throws -> TestIdentity {
        let subject = try DistinguishedName { CommonName(name) }
        var extensions = try Certificate.Extensions {
            Critical(
                isAuthority
                    ? BasicConstraints.isCertificateAuthority(maxPathLength: pathLength) : .notCertificateAuthority)
        }
        if let names { try extensions.append(Certificate.Extension(SubjectAlternativeNames(names), critical: false)) }
        if let usage { try extensions.append(Certificate.Extension(ExtendedKeyUsage(usage), critical: false)) }
        if let constraints { try extensions.append(Certificate.Extension(constraints, critical: true)) }
        for item in extra { try extensions.append(item) }
        let signer = issuer?.key ?? key
        let defaultAlgorithm: Certificate.SignatureAlgorithm =
            P256.Signing.PublicKey(signer.publicKey) != nil ? .ecdsaWithSHA256 : .sha256WithRSAEncryption
        let certificate = try Certificate(
            version: .v3, serialNumber: serial, publicKey: key.publicKey, notValidBefore: from, notValidAfter: until,
            issuer: issuer?.certificate.subject ?? subject, subject: subject,
            signatureAlgorithm: algorithm ?? defaultAlgorithm, extensions: extensions, issuerPrivateKey: signer)
        return TestIdentity(certificate: certificate, key: key)
    }
}

/// A directory that goes away with its test.
final class TemporaryDirectory {
    let path: String
    init() throws {
        let url = FileManager.default.temporaryDirectory.appendingPathComponent("weir-tls-\(UUID().uuidString)")
        try FileManager.default.createDirectory(
            at: url, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        path = url.path
    }
    deinit { try? FileManager.default.removeItem(atPath: path) }

    @discardableResult func write(_ text: String, _ name: String, mode: Int = 0o600) throws -> String {
        let file = path + "/" + name
        try text.write(toFile: file, atomically: true, encoding: .utf8)
        try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: file)
        return file
    }

    func read(_ name: String) throws -> String { try String(contentsOfFile: path + "/" + name, encoding: .utf8) }

    func bytes(_ name: String) throws -> [UInt8] {
        Array(try Data(contentsOf: URL(fileURLWithPath: path + "/" + name)))
    }

    func mode(_ name: String = "") throws -> Int {
        let attributes = try FileManager.default.attributesOfItem(atPath: path + "/" + name)
        return (attributes[.posixPermissions] as? Int) ?? -1
    }

    /// Runs a program here and gives what it printed; it must end with success.
    @discardableResult func run(_ arguments: String..., input: String = "") throws -> String {
        let (status, output) = try attempt(arguments, input: input)
        guard status == 0 else { throw Unexpected("\(arguments.joined(separator: " ")): \(output)") }
        return output
    }

    /// Runs a program here and gives its status and what it printed.
    func attempt(_ arguments: [String], input: String = "") throws -> (status: Int32, output: String) {
        let name = UUID().uuidString
        try write(input, name + ".in")
        let id = try start(arguments, input: name + ".in", output: name + ".out")
        var status: Int32 = 0
        while waitpid(id, &status, 0) < 0 { guard errno == EINTR else { throw Unexpected(errno) } }
        return (status, String(decoding: try bytes(name + ".out"), as: UTF8.self))
    }

    /// Starts a program here, between two files.
    ///
    /// Not by Foundation's `Process`, which needs the run loop of the thread that starts it, and tests have none.
    func start(_ arguments: [String], input: String, output: String) throws -> pid_t {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, 0, input.hasPrefix("/") ? input : path + "/" + input, O_RDONLY, 0)
        posix_spawn_file_actions_addopen(&actions, 1, path + "/" + output, O_WRONLY | O_CREAT | O_TRUNC, 0o600)
        posix_spawn_file_actions_adddup2(&actions, 1, 2)
        let inDirectory = ["/bin/sh", "-c", "cd \"$0\" && exec \"$@\"", path]
        var copies = (inDirectory + arguments).map { strdup($0) } + [nil]
        defer { for copy in copies { free(copy) } }
        var id: pid_t = 0
        let result = posix_spawn(&id, "/bin/sh", &actions, nil, &copies, environ)
        guard result == 0 else { throw Unexpected("\(arguments): \(String(cString: strerror(result)))") }
        return id
    }
}
