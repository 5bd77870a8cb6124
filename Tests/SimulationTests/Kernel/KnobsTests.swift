// SPDX-License-Identifier: Apache-2.0

// The knobs, and that their covering array covers.

import Foundation
import Testing

@testable import NetworkExtension

@Suite("Knobs", .timeLimit(.minutes(1)))
struct KnobsTests {
    @Test("Every pair of values of two clauses occurs in some row")
    func pairs() {
        let rows = Knobs.pairwise()
        for (first, one) in Knobs.clauses.enumerated() {
            for other in Knobs.clauses[(first + 1)...] {
                var seen: Set<[Int]> = []
                for row in rows { seen.insert([one.index(row), other.index(row)]) }
                #expect(seen.count == one.count * other.count, "\(one.name) and \(other.name)")
            }
        }
    }

    @Test("The first row is the default, rows are few and always the same")
    func rows() {
        let rows = Knobs.pairwise()
        #expect(rows.first == Knobs())
        #expect(rows.count <= 24)
        #expect(rows == Knobs.pairwise())
        #expect(Set(rows).count == rows.count)
    }

    @Test("Every clause sets what it reads, and its first value is the default")
    func clauses() {
        for clause in Knobs.clauses {
            #expect(clause.index(Knobs()) == 0, "\(clause.name)")
            for value in 0..<clause.count {
                var knobs = Knobs()
                clause.set(&knobs, value)
                #expect(clause.index(knobs) == value, "\(clause.name)")
            }
        }
    }

    @Test("Bytes go through a provider and come back under every row", arguments: Knobs.pairwise())
    func carries(knobs: Knobs) async throws {
        let open = try await OpenFlow(knobs)
        try await open.socket.send(Data("ping".utf8))
        open.socket.shutdownWrite()
        #expect(await open.flow.read() == .success(Data("ping".utf8)))
        #expect(await open.flow.read() == .success(Data()))
        while await open.flow.write(Data("pong".utf8)) != nil {}
        open.flow.closeReadWithError(nil)
        open.flow.closeWriteWithError(nil)
        #expect(try await open.socket.receive(exactly: 4) == Data("pong".utf8))
        #expect(try await open.socket.receive() == Data())
        #expect(open.proxy.flowCount == 0)
        await open.proxy.stop(.userInitiated)
        #expect(open.proxy.status == .stopped)
    }
}
