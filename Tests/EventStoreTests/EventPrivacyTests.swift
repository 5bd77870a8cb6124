// SPDX-License-Identifier: Apache-2.0

// Tests that nothing which leaves the store says who a user is, where policy wants pseudonyms.

import FlowModel
import Foundation
import Testing

@testable import EventStore

struct EventPrivacyTests {
    private let pseudonym = UserPseudonym(key: [UInt8](repeating: 7, count: 32))

    /// Records that name their user in every field that can.
    private func events() throws -> [StoredEvent] {
        let said = Reason("rule", "rule 3 \"x\" (executable `/home/alice/bin/tool`), at /Users/alice/x/alice: no")
        var flow = try Samples.fullFlow()
        flow.facts.identity = IdentitySummary(
            .known(.thirdParty), executable: "/home/alice/.local/alice/bin/tool", processID: 4_321, userID: 424_242,
            provedName: "path \"/home/alice/tool\"", classReason: "found in /home/alice")
        flow.facts.source = Endpoint("192.0.2.77:50000")
        flow.verdict.reason = said
        flow.notes = [said]
        var message = Samples.fullMessage()
        message.verdict.reason = said
        message.notes = [said]
        var finding = Samples.fullFinding()
        finding.finding.restraint = said
        var notice = Samples.fullNotice()
        notice.reason = said
        notice.facts = [
            .init("program", 1, executable: "/Users/alice/a b/alice", provedName: "path \"/home/alice/tool\"")
        ]
        return [.message(message), .finding(finding), .notice(notice), .flow(flow)]
    }

    private func stored(_ users: EventPrivacy.Users, in directory: TemporaryDirectory) async throws -> [StoredEvent] {
        var options = EventStoreOptions.keepingAll
        options.privacy.users = users
        let store = try EventStore.open(at: directory.path, options: options)
        store.record(try events())
        await store.close(within: .seconds(60))
        return try await EventReader.open(at: directory.path).all()
    }

    @Test func neitherTheFileNorALineOfJSONNorAReadRecordNamesAUser() async throws {
        let directory = try TemporaryDirectory()
        let read = try await stored(.pseudonyms(pseudonym), in: directory)
        #expect(read.count == 4)
        var texts = read.map(\.jsonLine)
        dump(read, to: &texts[0])
        for name in try FileManager.default.contentsOfDirectory(atPath: directory.path) {
            let data = try #require(FileManager.default.contents(atPath: directory.path + "/" + name))
            texts.append(String(decoding: data, as: UTF8.self))
        }
        for text in texts {
            for secret in ["alice", "424242", "192.0.2.77"] { #expect(!text.contains(secret), "\(secret)") }
        }
        let line = try #require(read.map(\.jsonLine).first { $0.hasPrefix("{\"kind\":\"flow\"") })
        #expect(line.contains("\"source\":null"))
        #expect(line.contains("\"uid\":null,\"user\":\"\(pseudonym.ofUser(424_242))\""))
        #expect(line.contains("/home/\(pseudonym.ofName("alice"))/.local/\(pseudonym.ofName("alice"))/bin/tool"))
    }

    @Test func whereNamesAreWantedAllIsKeptAsItCame() async throws {
        let directory = try TemporaryDirectory()
        let read = try await stored(.names, in: directory)
        #expect(read.map(\.jsonLine) == (try events()).map(\.jsonLine))
    }

    @Test func aPolicyThatComesLaterHoldsForWhatIsRecordedAfterIt() async throws {
        let directory = try TemporaryDirectory()
        let store = try EventStore.open(at: directory.path, options: .keepingAll)
        var flow = try Samples.flow(1)
        flow.facts.identity.userID = 1_000
        store.record(flow: flow)
        var strict = EventPrivacy(users: .pseudonyms(pseudonym))
        strict.keepDays = EventStoreOptions.keepingAll.privacy.keepDays
        store.obey(strict)
        flow.facts.id = FlowID(2)
        store.record(flow: flow)
        await store.close(within: .seconds(60))
        let read = try await EventReader.open(at: directory.path).all()
        let identities = read.map { event in
            if case .flow(let flow) = event { flow.facts.identity } else { IdentitySummary(.unknown(.notAsked)) }
        }
        #expect(identities.map(\.userID) == [1_000, nil])
        #expect(identities.map(\.userPseudonym) == [nil, pseudonym.ofUser(1_000)])
    }

    @Test(arguments: ["127.0.0.1:50000", "[::1]:50000"])
    func aSourceOnLoopbackIsKept(_ source: String) throws {
        var flow = try Samples.flow()
        flow.facts.source = Endpoint(source)
        #expect(EventPrivacy(users: .pseudonyms(pseudonym)).kept(flow).facts.source?.description == source)
    }
}

struct UserPseudonymTests {
    @Test func itIsTheSameForAUserAndAnotherForAnotherUserOrKey() {
        let first = UserPseudonym(key: [UInt8](repeating: 1, count: 32))
        let second = UserPseudonym(key: [UInt8](repeating: 2, count: 32))
        #expect(first.ofUser(1_000) == first.ofUser(1_000))
        let all = [first.ofUser(1_000), first.ofUser(1_001), second.ofUser(1_000), first.ofName("1000")]
        #expect(Set(all).count == all.count)
        for text in all { #expect(text.wholeMatch(of: /~[0-9a-f]{8}/) != nil, "\(text)") }
    }

    /// What `openssl dgst -sha256 -mac HMAC` says of `user:1000` under the key of 32 bytes 01.
    @Test func itIsTheBeginningOfHMACSHA256() {
        #expect(UserPseudonym(key: [UInt8](repeating: 1, count: 32)).ofUser(1_000) == "~af10fa66")
    }
}

struct HomeNamesTests {
    private let homes = HomeNames(pseudonym: UserPseudonym(key: [UInt8](repeating: 7, count: 32)))
    private var alice: String { homes.pseudonym.ofName("alice") }

    @Test(arguments: [
        ("/home/alice/bin/tool", "/home/@/bin/tool"), ("/home/alice", "/home/@"),
        ("/Users/alice/Applications/alice.app/x", "/Users/@/Applications/alice.app/x"),
        ("/home/alice/alice/x", "/home/@/@/x"), ("/var/home/alice/x", "/var/home/@/x"),
        ("/proc/1/root/home/alice/x", "/proc/1/root/home/@/x"), ("/mnt/home/alice", "/mnt/home/@"),
        ("/usr/bin/curl", "/usr/bin/curl"), ("/home/", "/home/"), ("/home", "/home"), ("", ""), ("/", "/"),
        ("home/alice", "home/alice"), ("/homes/alice/x", "/homes/alice/x"),
        ("/Users/Shared/x", "/Users/Shared/x"), ("//home//alice", "//home//alice"),
    ])
    func theNameOfAHomeDirectoryIsReplaced(_ path: String, _ expected: String) {
        #expect(homes.hidden(inPath: path) == expected.replacingOccurrences(of: "@", with: alice))
    }

    @Test(arguments: [
        ("at /home/alice/x, and `/Users/alice`", "at /home/@/x, and `/Users/@`"),
        ("file:///home/alice/x", "file:///home/@/x"), ("(/home/alice)", "(/home/@)"),
        ("no path: alice", "no path: alice"),
        ("", ""), ("///", "///"), ("ends in /", "ends in /"), ("a/b c/d", "a/b c/d"),
    ])
    func pathsInsideATextAreFound(_ text: String, _ expected: String) {
        #expect(homes.hidden(inText: text) == expected.replacingOccurrences(of: "@", with: alice))
    }
}
