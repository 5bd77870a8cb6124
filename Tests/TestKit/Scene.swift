// SPDX-License-Identifier: Apache-2.0

// A client, Weir and an origin, ready for one test.

import Foundation

/// What one test works with.
public struct Scene: Sendable {
    /// For the test's own files.
    public let folder: TemporaryFolder
    public let authority: LocalCA
    public let origin: NginxOrigin
    public let weir: WeirProcess
    /// PEM with Weir's authority and the origin's: what a client trusts.
    ///
    /// Both, so that a flow Weir only carries is judged by the client as it would be without Weir.
    public let trust: String

    /// Runs curl through Weir.
    public func curl(_ arguments: [String], route: Route = .http, input: [UInt8] = [], within seconds: Double = 60)
        throws
        -> CurlResult
    {
        try TestKit.curl(arguments, route: route, port: weir.port, trust: trust, input: input, within: seconds)
    }

    /// Findings, once there are at least so many.
    public func findings(atLeast count: Int) throws -> [WeirEvent] {
        let found = try Deadline(seconds: 10).poll { () throws -> [WeirEvent]? in
            let findings = try WeirProgram.events(state: weir.state).filter { $0.kind == "finding" }
            return findings.count >= count ? findings : nil
        }
        guard let found else {
            throw TestKitError(
                "fewer than \(count) findings: \(try WeirProgram.events(state: weir.state).map(\.fields))")
        }
        return found
    }
}

private let sharedAuthority = Result { try LocalCA() }

/// Sets the scene, runs the test in it, and clears it away whatever happens.
public func withScene(
    _ policy: WeirPolicy = .redact, options: [String] = [], _ test: (Scene) throws -> Void
) throws {
    try TestNetwork.require()
    let authority = try sharedAuthority.get()
    let folder = try TemporaryFolder()
    defer { folder.remove() }
    let origin = try NginxOrigin(authority: authority)
    defer { origin.stop() }
    let weir = try WeirProcess(
        policy: policy, upstreamCA: authority.root, state: folder("state"), options: options)
    defer { weir.kill() }
    let both = (TemporaryFolder.read(weir.authority) ?? []) + (TemporaryFolder.read(authority.root) ?? [])
    let trust = try folder.write(both, to: "trust.pem")
    try test(Scene(folder: folder, authority: authority, origin: origin, weir: weir, trust: trust))
}
