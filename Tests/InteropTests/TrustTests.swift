// SPDX-License-Identifier: Apache-2.0

// A client behind Weir never sees a bad origin as a good one.

import TestKit
import Testing

extension Interop {
    @Suite struct Trust {
        @Test("An origin with a bad certificate is not trusted through Weir either", arguments: CertificateKind.bad)
        func bad(kind: CertificateKind) throws {
            try withScene { scene in
                let url = scene.origin.secure("/upload", kind)
                let direct = try curl(["--data", "x=1", url], route: .direct, trust: scene.trust)
                try #require(direct.exit != 0, "the test's own certificate is not bad enough for curl")
                let answer = try scene.curl(["--data", Payload.form, url])
                #expect(answer.exit != 0)
                #expect(answer.status != 200)
                #expect(try scene.origin.finishedRequests().isEmpty)
            }
        }

        @Test("An origin is trusted with an elliptic or an RSA key", arguments: [CertificateKind.ec, .rsa])
        func good(kind: CertificateKind) throws {
            try withScene { scene in
                let answer = try scene.curl(["--data", Payload.form, scene.origin.secure("/upload", kind)])
                #expect(answer.status == 200, "\(answer.errors)")
                let request = try #require(try scene.origin.requests(atLeast: 1).first)
                expectMasked(Payload.form, request.body, secrets: [Sample.iban, Sample.token])
            }
        }

        @Test("Without --upstream-ca a private origin is not trusted")
        func unknownRoot() throws {
            try withScene { scene in
                let other = try WeirProcess(policy: .redact, state: scene.folder("other"))
                defer { other.kill() }
                let answer = try curl(
                    ["--data", Payload.form, scene.origin.secure("/upload")], route: .http, port: other.port,
                    trust: other.authority)
                #expect(answer.exit != 0)
                #expect(try scene.origin.finishedRequests().isEmpty)
            }
        }

        @Test("Weir's own authority is a root that openssl accepts, and its key is readable by nobody else")
        func ownAuthority() throws {
            try withScene { scene in
                let shown = try Program(
                    "openssl", ["x509", "-in", scene.weir.authority, "-noout", "-ext", "basicConstraints"]
                )
                .succeed()
                #expect(shown.text.contains("CA:TRUE"))
                let open = try Program(
                    "find", [scene.weir.state, "-type", "f", "-perm", "/077", "!", "-name", "ca.pem"]
                ).succeed()
                #expect(open.text == "")
            }
        }
    }
}
