// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import MacControl

@Suite struct PeerCheckTests {
    enum Right: Sendable { case refused(ControlRefusal.Code), own, everybody }

    struct Row: Sendable {
        let request: ControlRequest
        let isOurs: Bool
        let isAdministrator: Bool
        let right: Right
    }

    /// Every request with every caller: the table in `PeerCheck`, written out.
    static let rows: [Row] = {
        let looks: [ControlRequest] = [.state, .bypasses, .events(before: nil, limit: 10)]
        let acts: [ControlRequest] = [.pause(until: 1), .resume, .off, .rearm, .reload]
        var rows: [Row] = []
        for request in looks + acts + [.unknown("dance")] {
            for isAdministrator in [false, true] {
                rows.append(
                    Row(request: request, isOurs: false, isAdministrator: isAdministrator, right: .refused(.notOurs)))
            }
        }
        for request in looks {
            rows.append(Row(request: request, isOurs: true, isAdministrator: false, right: .own))
            rows.append(Row(request: request, isOurs: true, isAdministrator: true, right: .everybody))
        }
        for request in acts {
            rows.append(
                Row(request: request, isOurs: true, isAdministrator: false, right: .refused(.needsAdministrator)))
            rows.append(Row(request: request, isOurs: true, isAdministrator: true, right: .everybody))
        }
        for isAdministrator in [false, true] {
            rows.append(
                Row(
                    request: .unknown("dance"), isOurs: true, isAdministrator: isAdministrator,
                    right: .refused(.unknownRequest)))
        }
        return rows
    }()

    @Test(arguments: rows) func `A caller may do what the table says, and no more`(_ row: Row) {
        let caller = ControlCaller(user: 501, isOurs: row.isOurs)
        do throws(ControlRefusal) {
            let reach = try PeerCheck.decide(row.request, from: caller, isAdministrator: row.isAdministrator)
            switch row.right {
            case .refused(let code): Issue.record("\(row.request) was granted, not refused as \(code)")
            case .own: #expect(reach == .own(user: 501))
            case .everybody: #expect(reach == .everybody)
            }
        } catch {
            guard case .refused(let code) = row.right else {
                Issue.record("\(row.request) was refused as \(error.code)")
                return
            }
            #expect(error.code == code)
        }
    }

    @Test func `Every request has its rows`() { #expect(Self.rows.count == 9 * 4) }

    @Test func `A name cannot add to a requirement`() throws {
        let names = try #require(
            ProductNames(team: "AB12CD34EF", app: "org.weir", provider: "org.weir.proxy", build: "7"))
        #expect(
            names.appRequirement == "anchor apple generic and identifier \"org.weir\" "
                + "and certificate leaf[subject.OU] = \"AB12CD34EF\"")
        #expect(names.extensionRequirement.contains("\"org.weir.proxy\""))
        #expect(names.serviceName(build: "8") == "AB12CD34EF.org.weir.control.8")
        for wrong in ["", "a\" or identifier \"b", "a b", "ä", String(repeating: "a", count: 200)] {
            #expect(ProductNames(team: "AB12CD34EF", app: wrong, provider: "e", build: "7") == nil)
            #expect(ProductNames(team: wrong, app: "a", provider: "e", build: "7") == nil)
        }
    }

    @Test func `Names are read from the information of either bundle, all or none`() {
        let app = [
            "WeirTeam": "AB12CD34EF", "CFBundleIdentifier": "org.weir", "WeirProviderIdentifier": "org.weir.proxy",
            "CFBundleVersion": "7",
        ]
        let provider = [
            "WeirTeam": "AB12CD34EF", "CFBundleIdentifier": "org.weir.proxy", "WeirAppIdentifier": "org.weir",
            "CFBundleVersion": "7",
        ]
        let names = ProductNames(team: "AB12CD34EF", app: "org.weir", provider: "org.weir.proxy", build: "7")
        for information in [app, provider] {
            #expect(ProductNames(information: information) == names)
            for key in information.keys {
                #expect(ProductNames(information: information.filter { $0.key != key }) == nil)
            }
        }
    }
}
