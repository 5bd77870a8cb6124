// SPDX-License-Identifier: Apache-2.0

// Sets of hosts.

import FlowModel
import Testing

@testable import FlowPolicy

@Suite("Destinations")
struct DestinationTests {
    private func name(_ text: String) throws -> HostName { try #require(HostName(text)) }

    @Test("An exact name is itself alone, a suffix is everything below it and not itself")
    func sets() throws {
        var set = HostSet()
        set.insert(try name("a.example"))
        set.insert(below: try name("b.example"))
        for (text, inside) in [
            ("a.example", true), ("x.a.example", false), ("xa.example", false), ("b.example", false),
            ("x.b.example", true), ("y.x.b.example", true), ("xb.example", false), ("example", false),
        ] {
            #expect(try set.contains(name(text)) == inside, "\(text)")
        }
        #expect(set.texts == ["*.b.example", "a.example"])
    }

    @Test("The parents of a name are nearest first")
    func parents() throws {
        #expect(try name("a.b.example").parents.map(String.init) == ["b.example", "example"])
        #expect(try name("localhost").parents.map(String.init) == [])
    }

    @Test("A name hit by the weakest proof a rule accepts is a hit")
    func weakest() throws {
        var destination = Destination()
        destination.names.insert(try name("a.example"))
        let facts = try Sample.facts("203.0.113.7:443 resolved=a.example")
        #expect(destination.truth(facts, .resolved, .early) == .yes)
        #expect(destination.truth(facts, .claimed, .early) == .waits(.claimed))
        #expect(destination.truth(facts, .proved, .early) == .waits(.proved))
        #expect(destination.truth(facts, .claimed, .final) == .no)
    }

    @Test("A list of names and networks is hit by either")
    func mixed() throws {
        var destination = Destination()
        destination.names.insert(try name("a.example"))
        destination.prefixes = [try #require(IPPrefix("2001:db8::/32"))]
        #expect(try destination.truth(Sample.facts("[2001:db8::1]:1"), .claimed, .early) == .yes)
        #expect(try destination.truth(Sample.facts("[2001:db9::1]:1"), .claimed, .early) == .waits(.claimed))
        #expect(try destination.truth(Sample.facts("[2001:db9::1]:1"), .claimed, .final) == .no)
        #expect(try destination.truth(Sample.facts("a.example:1"), .claimed, .early) == .yes)
        #expect(try destination.truth(Sample.facts("b.example:1"), .claimed, .early) == .unknown)
    }
}
