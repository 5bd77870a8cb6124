// SPDX-License-Identifier: Apache-2.0

// Loading roots, and refusing what is none.

import Foundation
import Testing
import X509

@testable import FlowEngine

@Suite struct TrustRootsTests {
    @Test func `The system's bundle is read nearly whole`() throws {
        let roots = try TrustRoots.system()
        #expect(roots.count > 50)
        #expect(roots.skipped * 10 < roots.count)
    }

    @Test func `Named roots come on top of the system's`() throws {
        let directory = try TemporaryDirectory()
        let own = try (1...3).map { try TestCertificate.authority("Own \($0)").make().certificatePEM }
        let extra = try directory.write("a comment\n" + own.dropFirst().joined(separator: "\n# more\n"), "extra.pem")
        let system = try directory.write(own.prefix(1).joined(), "system.pem")
        #expect(try TrustRoots.system(adding: extra, paths: ["/nowhere", system]).count == 3)
        #expect(try TrustRoots.only(path: extra).count == 2)
    }

    @Test func `One unreadable certificate is left out of the system's bundle but not of a named file`() throws {
        let directory = try TemporaryDirectory()
        let good = try TestCertificate.authority("Good").make().certificatePEM
        let file = try directory.write(
            good + "-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n", "mixed.pem")
        let roots = try TrustRoots.system(paths: [file])
        #expect(roots.count == 1 && roots.skipped == 1)
        let error = #expect(throws: TrustRootsError.self) { try TrustRoots.only(path: file) }
        #expect(error?.description.contains("certificate 2 of 2") == true)
    }

    @Test func `Missing, empty and foreign files are refused by name`() throws {
        let directory = try TemporaryDirectory()
        let empty = try directory.write("", "empty.pem")
        let key = try directory.write(TestCertificate().make().keyPEM, "key.pem")
        for path in ["/nowhere", empty, key, directory.path] {
            let error = #expect(throws: TrustRootsError.self) { try TrustRoots.only(path: path) }
            #expect(error?.description.contains(path) == true)
        }
        #expect(throws: TrustRootsError.self) { try TrustRoots.system(paths: ["/nowhere"]) }
    }
}
