// SPDX-License-Identifier: Apache-2.0

// App messages: what is read, what is refused, and in which words.

import FlowModel
import Foundation
import Testing

@testable import AppleIntake

@Suite("App messages", .timeLimit(.minutes(2)))
struct ProviderMessageTests {
    @Test("The words on the wire are these")
    func wire() async throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = .sortedKeys
        let pause = String(decoding: try encoder.encode(ProviderRequest(.pause, until: 5)), as: UTF8.self)
        #expect(pause == #"{"until":5,"verb":"pause","version":1}"#)
        let provider = SampleProvider()
        provider.start()
        try await provider.events.wait(for: "start: runs")
        let reply = try await provider.ask(.status)
        let digest = try #require(reply.status?.policy)
        let excluded = try #require(reply.status?.rules?.excluded)
        let text = String(decoding: try encoder.encode(reply), as: UTF8.self)
        #expect(
            text
                == #"{"status":{"capture":{"on":{}},"declined":0,"heldFlows":0,"liveFlows":0,"mode":"enforce","#
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
        "What is no message is refused",
        arguments: [
            "", "{}", "null", #"{"version":1}"#, #"{"version":1,"verb":"dance"}"#, #"{"version":"1","verb":"off"}"#,
            #"{"version":1,"verb":"pause","until":1e300}"#, #"{"version":1,"verb":"#, "\u{0}\u{1}",
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

    @Test("Orders to a provider that does not run are refused, but it says how it stands")
    func notRunning() async throws {
        let reply = try await SampleProvider().ask(.off)
        #expect(reply.problem?.code == "stopped")
        #expect(reply.status?.phase == "idle")
    }

    @Test("What the program does not take from app messages is refused there, and taken where the caller is known")
    func forbidden() async throws {
        var script = SampleProvider.Script()
        script.allowed = [.status]
        let provider = SampleProvider(script)
        provider.start()
        try await provider.events.wait(for: "start: runs")
        #expect(try await provider.ask(.off).problem?.code == "forbidden")
        #expect(try await provider.ask(.status).status?.capture == .on)
        #expect(await provider.answer(ProviderRequest(.off)).status?.capture == .off)
    }

    @Test("Of more messages than are answered at once, those beyond are told to ask again")
    func tooMany() async throws {
        let (gate, open) = AsyncStream.makeStream(of: Never.self)
        var script = SampleProvider.Script()
        script.hooks.reload = {
            for await _ in gate {}
            return SampleProvider.snapshot(port: 443)
        }
        let provider = SampleProvider(script)
        provider.start()
        try await provider.events.wait(for: "start: runs")
        let most = AppleIntakeLimits.messagesAtOnce.value
        let events = Events()
        let message = try JSONEncoder().encode(ProviderRequest(.reload))
        for _ in 0..<most { provider.onSystemQueue { $0.handleAppMessage(message) { _ in events.add("answer") } } }
        #expect(try await provider.ask(.status).problem?.code == "message")
        open.finish()
        try await events.wait(for: "answer", most)
        #expect(try await provider.ask(.status).problem == nil)
    }
}
