// SPDX-License-Identifier: Apache-2.0

// The profile against Apple's schema, and what a deployment refuses.

import CodeIdentity
import Foundation
import MacControl
import Testing

@Suite("Deployment profiles") struct DeploymentTests {
    static func deployment(
        order: Int? = nil, protection: MacDeployment.Protection = .interface, keepsPrivateRelay: Bool = false,
        authority: [UInt8]? = nil
    ) throws -> MacDeployment {
        try MacDeployment(
            team: "AB12CD34EF", app: "com.example.weir", provider: "com.example.weir.proxy",
            identifier: "com.example.profile.weir", organisation: "Example & Sons <Ltd>", order: order,
            protection: protection, keepsPrivateRelay: keepsPrivateRelay, authority: authority)
    }

    static func read(_ deployment: MacDeployment) throws -> [String: Any] {
        let read = try PropertyListSerialization.propertyList(from: Data(try deployment.profile.utf8), format: nil)
        return try #require(read as? [String: Any])
    }

    static func payload(_ type: String, _ profile: [String: Any]) -> [String: Any]? {
        (profile["PayloadContent"] as? [[String: Any]])?.first { $0["PayloadType"] as? String == type }
    }

    @Test("Every key, type and value is one of Apple's schema", arguments: MacDeployment.Protection.allCases)
    func schema(protection: MacDeployment.Protection) throws {
        let schema = try ProfileSchema()
        let full = try Self.deployment(order: 2, protection: protection, authority: [0x30, 0x03, 2, 1, 1])
        #expect(schema.problems(try Self.read(full)) == [])
        #expect(schema.problems(try Self.read(try Self.deployment(keepsPrivateRelay: true))) == [])
    }

    @Test("The schema's reader finds an unknown key, a wrong type, a wrong value and a missing key")
    func schemaFinds() throws {
        let schema = try ProfileSchema()
        var profile = try Self.read(try Self.deployment())
        var payloads = try #require(profile["PayloadContent"] as? [[String: Any]])
        payloads[0]["Allow"] = true
        payloads[1]["VPNType"] = "Tunnel"
        payloads[1]["UserDefinedName"] = nil
        payloads[2]["allowCloudPrivateRelay"] = "no"
        profile["PayloadContent"] = payloads
        #expect(
            schema.problems(profile) == [
                "com.apple.applicationaccess: allowCloudPrivateRelay is no boolean",
                "com.apple.system-extension-policy: Allow is not known",
                "com.apple.vpn.managed: UserDefinedName is missing",
                "com.apple.vpn.managed: VPNType is not one of VPN|L2TP|IPSec|IKEv2|AlwaysOn|TransparentProxy",
            ])
    }

    @Test("The requirement is what code signing reads, and names the extension and the team")
    func requirement() throws {
        let text = try Self.deployment().designatedRequirement
        let compiled = try Requirement(text: text)
        #expect(compiled.description.contains("com.example.weir.proxy"))
        #expect(compiled.description.contains("AB12CD34EF"))
    }

    @Test("It is a proxy and not a tunnel, started on demand, with its order")
    func proxy() throws {
        let payload = try #require(Self.payload("com.apple.vpn.managed", try Self.read(Self.deployment(order: 3))))
        let keys = try #require(payload["TransparentProxy"] as? [String: Any])
        #expect(keys["ProviderType"] as? String == "app-proxy")
        #expect(keys["Order"] as? Int == 3)
        #expect(keys["OnDemandEnabled"] as? Int == 1)
        #expect(payload["VPNSubType"] as? String == "com.example.weir")
    }

    @Test(
        "An extension that nobody may remove is not among the removable ones",
        arguments: MacDeployment.Protection.allCases)
    func protection(protection: MacDeployment.Protection) throws {
        let profile = try Self.read(try Self.deployment(protection: protection))
        let keys = try #require(Self.payload("com.apple.system-extension-policy", profile))
        #expect((keys["NonRemovableSystemExtensions"] != nil) == (protection == .all))
        #expect((keys["NonRemovableFromUISystemExtensions"] != nil) == (protection == .interface))
        #expect((keys["RemovableSystemExtensions"] != nil) == (protection == .interface))
    }

    @Test("The same deployment gives the same bytes, and its identifiers are unique")
    func stable() throws {
        let deployment = try Self.deployment(authority: [0x30, 0])
        #expect(try deployment.profile == deployment.profile)
        let profile = try Self.read(deployment)
        let payloads = try #require(profile["PayloadContent"] as? [[String: Any]]) + [profile]
        let uuids = payloads.compactMap { $0["PayloadUUID"] as? String }
        #expect(Set(uuids).count == payloads.count)
        #expect(uuids.allSatisfy { UUID(uuidString: $0) != nil })
        #expect(Set(payloads.compactMap { $0["PayloadIdentifier"] as? String }).count == payloads.count)
    }

    @Test(
        "What cannot be is refused, and the part is named",
        arguments: [
            ("ab12cd34ef", "com.example.weir", "com.example.weir.proxy", DeploymentProblem.Part.team),
            ("AB12CD34E", "com.example.weir", "com.example.weir.proxy", .team),
            ("AB12CD34EF", "weir", "weir.proxy", .app),
            ("AB12CD34EF", "com.example.<weir", "com.example.<weir.proxy", .app),
            ("AB12CD34EF", "com.example.weir", "com.example.weir\"", .provider),
            ("AB12CD34EF", "com.example.weir", "com.example.proxy", .provider),
        ])
    func refused(team: String, app: String, provider: String, part: DeploymentProblem.Part) throws {
        let problem = #expect(throws: DeploymentProblem.self) {
            try MacDeployment(
                team: team, app: app, provider: provider, identifier: "com.example.p", organisation: "Example")
        }
        #expect(problem?.part == part)
    }
}
