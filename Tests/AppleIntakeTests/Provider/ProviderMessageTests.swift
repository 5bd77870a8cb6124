// SPDX-License-Identifier: Apache-2.0

// App messages: what is read, what is refused, and in which words.

import FlowModel
import Foundation
import Synchronization
import Testing

@testable import AppleIntake

@Suite("App messages", .timeLimit(.minutes(2)))
struct ProviderMessageTests {
    @Test("The words on the wire are these")
    func wire() async throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = .sortedKeys
        let request = String(decoding: try encoder.encode(ProviderRequest()), as: UTF8.self)
        #expect(request == #"{"verb":"status","version":1}"#)
        let provider = SampleProvider()
        provider.start()
        try await provider.events.wait(for: "start: runs")
        let reply = try await provider.send(encoder.encode(ProviderRequest()))
        let digest = try #require(reply.status?.policy)
        let excluded = try #require(reply.status?.rules?.excluded)
        let text = String(decoding: try encoder.encode(reply), as: UTF8.self)
        #expect(
            text
                == #"{"status":{"declined":0,"heldFlows":0,"liveFlows":0,"mode":"enforce","#
                + #""offered":0,"phase":"running","policy":"\#(digest)","#
                + #""rules":{"dropped":0,"excluded":\#(excluded),"included":2,"isCertain":true}},"version":1}"#)
    }

    @Test(
        "A message of another version is refused as a whole, and the answer says which one is spoken",
        arguments: [#"{"version":2,"verb":"dance","steps":[1]}"#, #"{"version":0,"verb":"status"}"#])
    func version(_ message: String) async throws {
        let reply = try await SampleProvider().send(Data(message.utf8))
        #expect(reply.problem?.code == "version")
        #expect(reply.problem?.detail.contains("only 1") == true)
        #expect(reply.version == 1)
        #expect(reply.status == nil)
    }

    @Test(
        "What is no question is refused, an order as well: a message does not say which user sent it",
        arguments: [
            "", "{}", "null", #"{"version":1}"#, #"{"version":1,"verb":"dance"}"#, #"{"version":"1","verb":"off"}"#,
            #"{"version":1,"verb":"off"}"#, #"{"version":1,"verb":"#, "\u{0}\u{1}",
            String(repeating: "[", count: 4096),
        ])
    func garbage(_ message: String) async throws {
        let provider = SampleProvider()
        #expect(try await provider.send(Data(message.utf8)).problem?.code == "message")
    }

    @Test("A message of one byte too many is refused unread")
    func size() async throws {
        let most = AppleIntakeLimits.messageBytes.value
        let message = #"{"version":1,"verb":"status"}"#
        let full = message + String(repeating: " ", count: most - message.utf8.count)
        let provider = SampleProvider()
        #expect(try await provider.send(Data(full.utf8)).problem == nil)
        #expect(try await provider.send(Data((full + " ").utf8)).problem?.code == "message")
    }

    @Test("A provider that does not run says how it stands")
    func notRunning() async throws {
        #expect(try await SampleProvider().standing().phase == "idle")
    }

    @Test("Of more messages than are answered at once, those beyond are told to ask again")
    func tooMany() async throws {
        let provider = SampleProvider()
        let most = AppleIntakeLimits.messagesAtOnce.value
        // Each answer makes room again.
        for _ in 0...most { _ = try await provider.standing() }
        // As many as that are being answered, the last one's included.
        provider.messages.add(most - 1, ordering: .relaxed)
        _ = try await provider.standing()
        provider.messages.add(1, ordering: .relaxed)
        #expect(try await provider.send(JSONEncoder().encode(ProviderRequest())).problem?.code == "message")
        provider.messages.subtract(1, ordering: .relaxed)
        _ = try await provider.standing()
    }
}
