// SPDX-License-Identifier: Apache-2.0

// Tests of the promise to other programs: the keys of a line, and their order.

import EventStore
import FlowModel
import Foundation
import Testing

struct EventLineTests {
    @Test func aFlowHasTheseKeysAndValues() throws {
        #expect(
            StoredEvent.flow(try Samples.fullFlow()).jsonLine
                == #"""
                {"kind":"flow","time":"2026-01-01T00:00:01.234Z","flow":"fffffffffffffffe",
                "started":"2026-01-01T00:00:00.000Z","transport":"udp","intake":"network-extension",
                "source":"[fe80::1%3]:50000","destination":"203.0.113.9:8443","host":"proved.example",
                "names":[{"name":"resolved.example","proof":"resolved"},{"name":"claimed.example","proof":"claimed"},
                {"name":"proved.example","proof":"proved"}],
                "identity":{"class":"user-carrying-pinned","unknown":null,"executable":"/usr/bin/ünï\"code",
                "pid":4321,"uid":4294967295,"user":null,"proved":"AB12CD34EF:com.example.sync",
                "reason":"row pinned-apps/sync: it syncs"},
                "verdict":{"lane":"block","profile":"strict","rule":"no keys",
                "reason":{"code":"rule","detail":"a “reason”\u000a"}},
                "protocols":["tls","http/1.1"],"bytes_out":1099511627776,"bytes_in":7,"messages":3,"findings":2,
                "outcome":"aborted",
                "notes":[{"code":"alpn-not-read","detail":"h3"},{"code":"learned","detail":"a \\ and a \""}]}
                """#.replacingOccurrences(of: "\n", with: ""))
    }

    @Test func aMessageHasTheseKeysAndValues() {
        #expect(
            StoredEvent.message(Samples.fullMessage()).jsonLine
                == #"""
                {"kind":"message","time":"2026-01-01T00:00:00.007Z","flow":"fffffffffffffffe","message":2,
                "method":"PATCH","host":"proved.example","status":451,
                "verdict":{"lane":"relay","profile":"p","rule":"r","reason":{"code":"c","detail":"d"}},
                "notes":[{"code":"n","detail":"o"}]}
                """#.replacingOccurrences(of: "\n", with: ""))
    }

    @Test func aFindingHasTheseKeysAndValues() {
        #expect(
            StoredEvent.finding(Samples.fullFinding()).jsonLine
                == #"""
                {"kind":"finding","time":"2026-01-01T00:00:00.008Z","flow":"fffffffffffffffe","message":2,
                "direction":"inbound","part":"header:x-api-key","host":"proved.example","type":"secret/token",
                "confidence":"medium","offset":8589934592,"length":40,"excerpt":"ghp_****",
                "digest":"fedcba9876543210","action":"redact",
                "restraint":{"code":"uneditable","detail":"signed body"}}
                """#.replacingOccurrences(of: "\n", with: ""))
    }

    @Test func aNoticeHasTheseKeysAndValues() {
        #expect(
            StoredEvent.notice(Samples.fullNotice()).jsonLine
                == #"""
                {"kind":"notice","time":"2026-01-01T00:00:00.009Z","flow":null,"severity":"warning",
                "reason":{"code":"coverage-gap","detail":"a “gap”\u000a"},
                "facts":[{"code":"open-connections","count":1099511627776,"executable":null,"proved":null},
                {"code":"program","count":-3,"executable":"/usr/bin/ünï\"code",
                "proved":"AB12CD34EF:com.example.sync"}]}
                """#.replacingOccurrences(of: "\n", with: ""))
    }

    @Test func keysAreThereEvenWhenNothingIsKnown() throws {
        let full = [
            StoredEvent.flow(try Samples.fullFlow()), .message(Samples.fullMessage()), .finding(Samples.fullFinding()),
            .notice(Samples.fullNotice()),
        ]
        let bare = [
            StoredEvent.flow(try Samples.flow()), .message(Samples.message()), .finding(Samples.finding()),
            .notice(Samples.notice()),
        ]
        for (full, bare) in zip(full, bare) {
            #expect(try keys(full.jsonLine) == keys(bare.jsonLine))
        }
    }

    private func keys(_ line: String) throws -> Set<String> {
        let object = try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any]
        return Set(try #require(object).keys)
    }
}
